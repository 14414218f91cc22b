//! A public server with a private session, and the other way round, each in its own module.

#![deny(warnings)]

pub mod server {
    #[socketserver::socket_server(tcp, threading)]
    #[derive(Default)]
    pub struct Chat;
}

mod session {
    use crate::server::Chat;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Neither `Send` nor `Sync`.
    #[derive(Default)]
    struct Member {
        lines: Rc<Cell<u32>>,
    }

    #[socketserver::handler(Chat)]
    impl Member {
        fn setup(&mut self) {
            self.count();
        }

        fn handle(&mut self, _chat: &Chat) {
            self.count();
        }

        fn count(&self) {
            self.lines.set(self.lines.get() + 1);
        }
    }
}

mod private {
    #[socketserver::socket_server(udp)]
    struct Private;

    #[derive(Default)]
    pub struct Session;

    #[socketserver::handler(Private)]
    impl Session {
        pub fn handle(&self) {}
    }

    pub fn bind() {
        drop(Private.builder());
    }
}

fn main() {
    drop(server::Chat.builder());
    drop(private::Session);
    private::bind();
}
