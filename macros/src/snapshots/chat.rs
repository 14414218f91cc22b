#[derive(Default)]
pub struct Chat {
    members: Mutex<HashMap<String, Writer>>,
}
impl ::socketserver::SocketServer for Chat {
    type Transport = ::socketserver::Tcp;
    type MixIn = ::socketserver::Threading;
    fn options() -> ::socketserver::Options {
        ::socketserver::Options::new().max_threads(512)
    }
}
impl ::socketserver::__private::DefaultHooks for Chat {}
impl Chat {
    /// How it gets its requests.
    pub const TRANSPORT: &'static str = "tcp";
    /// Who processes them.
    pub const MIX_IN: &'static str = "threading";
    /// Binds the address; the server is listening when this returns.
    pub fn bind<Kind>(
        self,
        __address: impl ::socketserver::Endpoint<::socketserver::Tcp, Kind>,
    ) -> ::std::io::Result<::socketserver::Server<Self>> {
        ::socketserver::__private::builder(self).bind(__address)
    }
    /// Starts from the options of the attribute; `bind` follows.
    pub fn builder(self) -> ::socketserver::Builder<Self> {
        ::socketserver::__private::builder(self)
    }
}

#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl Member {
    fn setup(chat: &Chat, input: &mut Reader, output: &mut Writer) -> io::Result<Self> {}
    fn handle(&mut self, chat: &Chat, input: &mut Reader) -> io::Result<()> {}
    fn finish(&mut self, chat: &Chat) {}
    fn shout(&self, text: &str) -> String {}
}
#[automatically_derived]
impl ::socketserver::__private::RequestHandler for Chat {
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
            |__parts| <io::Result<
                Member,
            > as __IntoSession<
                Member,
            >>::into_session(
                <Member>::setup(
                    <&Chat as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                    <&mut Reader as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                    <&mut Writer as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                ),
            ),
            |__session, __parts| <io::Result<
                (),
            > as __Outcome>::into_result(
                <Member>::handle(
                    __session,
                    <&Chat as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                    <&mut Reader as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                ),
            ),
            |__session, __parts| <() as __Outcome>::into_result(
                <Member>::finish(
                    __session,
                    <&Chat as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                ),
            ),
        )
    }
}
