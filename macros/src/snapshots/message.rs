#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl Store {
    fn message(&self, body: &[u8]) -> Vec<u8> {}
}
#[automatically_derived]
impl ::socketserver::__private::RequestHandler for Store {
    type Request = ::socketserver::__private::RequestOf<Self>;
    fn finish_request(
        &self,
        __request: &mut ::socketserver::__private::RequestOf<Self>,
        __shutdown: &::socketserver::ShutdownHandle,
    ) -> ::core::result::Result<(), ::socketserver::HandlerError> {
        use ::socketserver::__private::{
            Argument as __Arg, Fresh as __Fresh, IntoSession as __IntoSession,
            Outcome as __Outcome, TransportOf as __Of,
        };
        ::socketserver::__private::run(
            self,
            __request,
            __shutdown,
            |__parts| ::core::result::Result::Ok(self),
            |__session, __parts| {
                use ::socketserver::__private::{
                    Entry as __Entry, Message as __Message, commands as __commands,
                    make as __make, messages as __messages, or_lend as __or_lend,
                    order as __order, refuse as __refuse, shape as __shape,
                };
                __messages::<
                    ::socketserver::Line,
                    Self,
                    _,
                >(
                    __session,
                    __parts,
                    |__session, __message, __turn| {
                        let __output = {
                            let __parts = &mut __turn.parts();
                            let __order = __order::Whole::default();
                            let (__argument_0, __order) = __make::<
                                &[u8],
                                Self,
                                __Of<Self>,
                                _,
                                _,
                                _,
                            >(__order, "body", __message, __parts)?;
                            <Store>::message(
                                __session,
                                __or_lend::<
                                    &[u8],
                                    Self,
                                    __Of<Self>,
                                    _,
                                >(__argument_0, __parts)?,
                            )
                        };
                        __turn.reply::<Vec<u8>>(__output)
                    },
                    __refuse,
                )
            },
            |__session, __parts| ::core::result::Result::Ok(()),
        )
    }
}
