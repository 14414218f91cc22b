//! What is not a hook is left alone, as long as nobody can have meant a hook.

#![deny(warnings)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
#[derive(Default)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    const LIMIT: u8 = 3;

    fn handle(&mut self) {
        self.handler(Self::handles(Self::LIMIT));
        self.tear_down();
        self.on_finish();
    }

    // Beside a `handle`, these are no mistakes.
    fn handler(&mut self, _: u8) {}

    fn handles<T>(value: T) -> T {
        value
    }

    // In use.
    fn tear_down(&self) {}

    fn on_finish(&self) {}

    // Not close enough.
    #[allow(dead_code)]
    async fn finished(self, _: impl Sized) -> impl Sized {}
}

#[socket_server(udp)]
struct Qualified;

// What else qualifies a hook is left alone.
#[handler]
impl Qualified {
    pub const fn setup(&self) {}

    pub(crate) extern "C" fn handle(&self) {}
}

fn main() {
    Qualified.setup();
    drop((Server.builder(), Qualified.builder()));
}
