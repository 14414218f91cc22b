//! `#[cfg]` on hooks: the one that is left is called, and none if none is left.

#![deny(warnings)]

use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Session;

#[handler(Server)]
impl Session {
    #[cfg(not(any()))]
    fn setup(_: &Server) -> Self {
        Self
    }

    #[cfg(unix)]
    fn handle(&mut self, _: &mut Reader) -> std::io::Result<()> {
        Ok(())
    }

    #[cfg(not(unix))]
    fn handle(&mut self) {}

    #[cfg(any())]
    fn finish(&mut self, absent: &mut Absent) {}
}

#[socket_server(udp)]
struct Other;

#[derive(Default)]
struct Defaulted;

#[handler(Other)]
impl Defaulted {
    #[cfg(any())]
    #[cfg(unix)]
    fn setup(_: &Absent) -> Self {}

    #[allow(clippy::unused_self)]
    /// Documented.
    fn handle(&mut self) {}

    #[cfg(unix)]
    #[cfg(not(any()))]
    fn finish(&self) {}
}

#[socket_server(unix_stream)]
struct Conditional {
    #[cfg_attr(all(), cfg(any()))]
    absent: Absent,
}

#[handler]
impl Conditional {
    #[cfg_attr(all(), cfg(any()))]
    fn setup(&self, absent: &mut Absent) {}

    #[cfg_attr(all(unix, not(any())), allow(clippy::unused_self), cfg(unix), cfg(not(any())))]
    #[cfg_attr(any(), cfg(any()))]
    fn handle(&self) {}

    #[cfg_attr(unix, cfg_attr(all(), cfg(any())))]
    fn finish(&self, absent: &mut Absent) {}
}

#[cfg(any())]
#[socket_server(nothing)]
struct Left(Out);

#[socket_server(tcp)]
#[cfg(any())]
struct LeftToo(Out);

#[cfg(any())]
#[handler]
impl Left {}

#[handler(LeftToo)]
#[cfg(any())]
impl Left {}

fn main() {
    drop((Server.builder(), Other.builder(), Conditional {}.builder()));
}
