#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl Session {
    /// Stores VALUE under KEY.
    fn set(&mut self, key: String, value: Rest) -> &'static str {}
    #[cfg(unix)]
    fn get(&self, store: &Store, key: &str, output: &mut Writer) -> io::Result<()> {}
    fn unknown(&self, line: &str) -> String {}
    fn refused(&self, error: &CommandError) {}
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
            |__parts| ::core::result::Result::Ok(<Session as __Fresh>::fresh()),
            |__session, __parts| {
                use ::socketserver::__private::{
                    Entry as __Entry, Message as __Message, commands as __commands,
                    make as __make, messages as __messages, or_lend as __or_lend,
                    order as __order, refuse as __refuse, shape as __shape,
                };
                __commands::<
                    Delimited<0>,
                    Self,
                    _,
                >(
                    __session,
                    __parts,
                    |__session, __name, __message, __turn| match __name {
                        b"set" => {
                            __turn.begin(__message.called(&["set"]));
                            {
                                let __output = {
                                    let __parts = &mut __turn.parts();
                                    let __order = __order::Words::default();
                                    let (__argument_0, __order) = __make::<
                                        String,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "key", __message, __parts)?;
                                    let (__argument_1, __order) = __make::<
                                        Rest,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "value", __message, __parts)?;
                                    __message.end()?;
                                    <Session>::set(
                                        __session,
                                        __or_lend::<
                                            String,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_0, __parts)?,
                                        __or_lend::<
                                            Rest,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_1, __parts)?,
                                    )
                                };
                                __turn.reply::<&'static str>(__output)
                            }
                        }
                        #[cfg(unix)]
                        b"get" | b"fetch" => {
                            __turn.begin(__message.called(&["get", "fetch"]));
                            {
                                let __output = {
                                    let __parts = &mut __turn.parts();
                                    let __order = __order::Words::default();
                                    let (__argument_0, __order) = __make::<
                                        &Store,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "store", __message, __parts)?;
                                    let (__argument_1, __order) = __make::<
                                        &str,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "key", __message, __parts)?;
                                    let (__argument_2, __order) = __make::<
                                        &mut Writer,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "output", __message, __parts)?;
                                    __message.end()?;
                                    <Session>::get(
                                        __session,
                                        __or_lend::<
                                            &Store,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_0, __parts)?,
                                        __or_lend::<
                                            &str,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_1, __parts)?,
                                        __or_lend::<
                                            &mut Writer,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_2, __parts)?,
                                    )
                                };
                                __turn.reply::<io::Result<()>>(__output)
                            }
                        }
                        b"help" if __turn.has_help() => {
                            let mut __entries = ::std::vec::Vec::new();
                            {
                                __entries
                                    .push(
                                        __Entry::new(&["set"], "Stores VALUE under KEY.")
                                            .argument("key", __shape::<String, Self, __Of<Self>, _>())
                                            .argument("value", __shape::<Rest, Self, __Of<Self>, _>()),
                                    );
                            }
                            #[cfg(unix)]
                            {
                                __entries
                                    .push(
                                        __Entry::new(&["get", "fetch"], "")
                                            .argument("store", __shape::<&Store, Self, __Of<Self>, _>())
                                            .argument("key", __shape::<&str, Self, __Of<Self>, _>())
                                            .argument(
                                                "output",
                                                __shape::<&mut Writer, Self, __Of<Self>, _>(),
                                            ),
                                    );
                            }
                            __turn.help(&__entries, __message)
                        }
                        _ => {
                            __message.take_whole();
                            {
                                let __output = {
                                    let __parts = &mut __turn.parts();
                                    let __order = __order::Whole::default();
                                    let (__argument_0, __order) = __make::<
                                        &str,
                                        Self,
                                        __Of<Self>,
                                        _,
                                        _,
                                        _,
                                    >(__order, "line", __message, __parts)?;
                                    <Session>::unknown(
                                        __session,
                                        __or_lend::<
                                            &str,
                                            Self,
                                            __Of<Self>,
                                            _,
                                        >(__argument_0, __parts)?,
                                    )
                                };
                                __turn.reply::<String>(__output)
                            }
                        }
                    },
                    |__session, __error, __turn| {
                        let __message = &mut __Message::of_error(__error);
                        {
                            let __output = {
                                let __parts = &mut __turn.parts();
                                let __order = __order::OnError::default();
                                let (__argument_0, __order) = __make::<
                                    &CommandError,
                                    Self,
                                    __Of<Self>,
                                    _,
                                    _,
                                    _,
                                >(__order, "error", __message, __parts)?;
                                <Session>::refused(
                                    __session,
                                    __or_lend::<
                                        &CommandError,
                                        Self,
                                        __Of<Self>,
                                        _,
                                    >(__argument_0, __parts)?,
                                )
                            };
                            __turn.reply::<()>(__output)
                        }
                    },
                )
            },
            |__session, __parts| ::core::result::Result::Ok(()),
        )
    }
}
