//! The runtime under another path, as of a crate that re-exports it.

#![deny(warnings)]

mod framework {
    pub mod net {
        pub use socketserver as sockets;
    }

    #[macro_export]
    macro_rules! server {
        ($name:ident) => {
            #[$crate::framework::net::sockets::socket_server(tcp, timeout = None, crate = $crate::framework::net::sockets)]
            struct $name;

            #[$crate::framework::net::sockets::handler(crate = $crate::framework::net::sockets)]
            impl $name {
                fn handle(&self, _: &mut $crate::framework::net::sockets::Reader) {}
            }
        };
    }
}

/// So that `::socketserver` would be something else, if it were written.
mod inner {
    #[allow(unused_imports)]
    use std as socketserver;

    use super::framework::net::sockets::{Datagram, handler, socket_server};

    #[socket_server(crate = super::framework::net::sockets, udp, max_packet_size = 512)]
    pub(super) struct Relative;

    #[derive(Default)]
    struct Session;

    #[handler(Relative, crate = crate::framework::net::sockets)]
    impl Session {
        fn setup(&mut self, _: std::net::SocketAddr, _: &mut Datagram) {}
        fn handle(&mut self, _: &Relative) {}
    }
}

server!(FromMacro);

fn main() {
    drop((inner::Relative.builder(), FromMacro.builder()));
}
