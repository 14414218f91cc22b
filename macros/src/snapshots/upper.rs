/// Sends every line back in upper case.
struct Upper;
impl ::socketserver::SocketServer for Upper {
    type Transport = ::socketserver::Tcp;
    type MixIn = ::socketserver::Threading;
}
impl ::socketserver::__private::DefaultHooks for Upper {}
impl Upper {
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
