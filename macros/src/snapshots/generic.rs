pub struct Kv<S>(
    S,
)
where
    S: Store;
impl<S> ::socketserver::SocketServer for Kv<S>
where
    S: Store,
{
    type Transport = ::socketserver::UnixStream;
    type MixIn = ::socketserver::Forking;
}
impl<S> ::socketserver::__private::Shared for Kv<S>
where
    S: Store,
    Self: ::core::marker::Send + ::core::marker::Sync + 'static,
{}
impl<S> Kv<S>
where
    S: Store,
    Self: ::socketserver::Hooks<Request = ::socketserver::__private::RequestOf<Self>>,
{
    /// How it gets its requests.
    pub const TRANSPORT: &'static str = "unix_stream";
    /// Who processes them.
    pub const MIX_IN: &'static str = "forking";
    /// Binds the address; the server is listening when this returns.
    pub fn bind<Kind>(
        self,
        __address: impl ::socketserver::Endpoint<::socketserver::UnixStream, Kind>,
    ) -> ::std::io::Result<::socketserver::Server<Self>> {
        ::socketserver::__private::builder(self).bind(__address)
    }
    /// Starts from the options of the attribute; `bind` follows.
    pub fn builder(self) -> ::socketserver::Builder<Self> {
        ::socketserver::__private::builder(self)
    }
}

#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl<'a, S: Store> Conn<S> {
    fn setup(&mut self) {}
    fn handle(&mut self, kv: &'a Kv<S>, line: Line) -> io::Result<()> {}
    #[cfg(unix)]
    fn finish(&self) {}
}
#[automatically_derived]
impl<'a, S: Store> ::socketserver::__private::RequestHandler for Kv<S> {
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
            |__parts| {
                let mut __session = <Conn<S> as __Fresh>::fresh();
                <() as __Outcome>::into_result(<Conn<S>>::setup(&mut __session))
                    .map(|()| __session)
            },
            |__session, __parts| {
                let __argument_1 = <Line as __Arg<
                    '_,
                    Self,
                    __Of<Self>,
                    _,
                >>::make(__parts)?;
                <io::Result<
                    (),
                > as __Outcome>::into_result(
                    <Conn<
                        S,
                    >>::handle(
                        __session,
                        <&'_ Kv<S> as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                        <Line as __Arg<
                            '_,
                            Self,
                            __Of<Self>,
                            _,
                        >>::or_take(__argument_1, __parts)?,
                    ),
                )
            },
            |__session, __parts| {
                #[cfg(unix)]
                { <() as __Outcome>::into_result(<Conn<S>>::finish(__session)) }
                #[cfg(not(any(unix)))] { ::core::result::Result::Ok(()) }
            },
        )
    }
}
