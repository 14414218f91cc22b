#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl Upper {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {}
}
#[automatically_derived]
impl ::socketserver::__private::RequestHandler for Upper {
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
            |__session, __parts| <io::Result<
                (),
            > as __Outcome>::into_result(
                <Upper>::handle(
                    __session,
                    <&mut Reader as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                    <&mut Writer as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                ),
            ),
            |__session, __parts| ::core::result::Result::Ok(()),
        )
    }
}
