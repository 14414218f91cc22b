#![deny(warnings)]

fn main() {
    use socketserver::{Writer, handler, socket_server};

    #[socket_server(unix_datagram, threading)]
    struct Local;

    #[derive(Default)]
    struct Session;

    #[handler(Local)]
    impl Session {
        fn handle(&mut self, _: &mut Writer, _: &Local) {}
    }

    drop(Local.builder());
    mod inner {
        use socketserver::{handler, socket_server};

        #[socket_server(tcp)]
        pub(super) struct Deep;

        #[handler]
        impl Deep {
            fn handle(&self) {}
        }
    }
    drop(inner::Deep.builder());
}
