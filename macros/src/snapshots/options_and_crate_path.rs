struct Clock;
impl net::socketserver::SocketServer for Clock {
    type Transport = net::socketserver::Udp;
    type MixIn = net::socketserver::Iterative;
    fn options() -> net::socketserver::Options {
        net::socketserver::Options::new()
            .max_packet_size(1 << 9)
            .timeout(Duration::from_secs(5))
    }
}
impl net::socketserver::__private::DefaultHooks for Clock {}
impl Clock {
    /// How it gets its requests.
    pub const TRANSPORT: &'static str = "udp";
    /// Who processes them.
    pub const MIX_IN: &'static str = "iterative";
    /// Binds the address; the server is listening when this returns.
    pub fn bind<Kind>(
        self,
        __address: impl net::socketserver::Endpoint<net::socketserver::Udp, Kind>,
    ) -> ::std::io::Result<net::socketserver::Server<Self>> {
        net::socketserver::__private::builder(self).bind(__address)
    }
    /// Starts from the options of the attribute; `bind` follows.
    pub fn builder(self) -> net::socketserver::Builder<Self> {
        net::socketserver::__private::builder(self)
    }
}

#[allow(clippy::needless_pass_by_value, clippy::unused_self)]
impl Clock {
    fn setup(&self) {}
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {}
    fn finish(&self) -> Result<(), Gone> {}
}
#[automatically_derived]
impl net::socketserver::__private::RequestHandler for Clock {
    type Request = net::socketserver::__private::RequestOf<Self>;
    fn finish_request(
        &self,
        __request: &mut net::socketserver::__private::RequestOf<Self>,
        __shutdown: &net::socketserver::ShutdownHandle,
    ) -> ::core::result::Result<(), net::socketserver::HandlerError> {
        use net::socketserver::__private::{
            Argument as __Arg, Fresh as __Fresh, IntoSession as __IntoSession,
            Outcome as __Outcome, TransportOf as __Of,
        };
        net::socketserver::__private::run(
            self,
            __request,
            __shutdown,
            |__parts| {
                <() as __Outcome>::into_result(<Clock>::setup(self)).map(|()| self)
            },
            |__session, __parts| <io::Result<
                (),
            > as __Outcome>::into_result(
                <Clock>::handle(
                    __session,
                    <&mut Datagram as __Arg<'_, Self, __Of<Self>, _>>::take(__parts)?,
                ),
            ),
            |__session, __parts| <Result<
                (),
                Gone,
            > as __Outcome>::into_result(<Clock>::finish(__session)),
        )
    }
}
