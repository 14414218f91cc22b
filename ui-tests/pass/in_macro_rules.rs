//! Every part of a server may come from a `macro_rules!`.

#![deny(warnings)]

use socketserver::{Reader, Writer};
use std::io;

macro_rules! server {
    ($(#[$meta:meta])* $name:ident, $transport:ident, $limit:expr, $argument:ty, $returned:ty, $body:block) => {
        #[socketserver::socket_server($transport, threading, max_threads = $limit)]
        $(#[$meta])*
        struct $name;

        #[socketserver::handler]
        impl $name {
            fn handle(&self, argument: $argument, output: &mut Writer) -> $returned {
                let _ = (argument, output);
                $body
            }
        }
    };
}

server!(
    /// A doc comment.
    #[derive(Default)]
    First, tcp, 2 + 2, &mut Reader, io::Result<()>, { Ok(()) }
);
server!(Second, udp, usize::MAX, &[u8], (), {});

macro_rules! session {
    ($krate:path, $server:ty, $session:ty { $($methods:tt)* }) => {
        #[socketserver::handler($server, crate = $krate)]
        impl $session { $($methods)* }
    };
}

#[socketserver::socket_server(tcp)]
struct Third;

#[derive(Default)]
struct Session(u8);

session!(::socketserver, Third, Session {
    fn setup(server: &Third, __parts: std::net::SocketAddr) -> Self {
        let _ = (server, __parts);
        Self(1)
    }

    fn handle(&mut self, input: &mut Reader) {
        let _ = (self.0, input);
    }
});

/// What methods are made of, in each way that a `macro_rules!` can take it.
macro_rules! commands {
    ($name:ident { $($(#[$attribute:meta])* $word:literal $text:expr, $method:ident $body:block)* } $($item:item)*) => {
        #[socketserver::socket_server(tcp, help = true)]
        struct $name;

        #[socketserver::handler]
        impl $name {
            $(
                $(#[$attribute])*
                #[command($word)]
                #[doc = $text]
                fn $method(&self) $body
            )*

            $($item)*
        }
    };
}

commands!(Fourth {
    #[cfg(unix)]
    "first" "The first.", one {}

    #[cfg(any())]
    "second" "The second.", one {}
}
    #[command]
    fn third(&self) {}

    #[otherwise]
    fn unknown(&self, _: &str) {}
);

macro_rules! methods {
    ($name:ident { $($(#[$attribute:meta])* $method:ident)* }) => {
        #[socketserver::socket_server(tcp)]
        struct $name;

        #[socketserver::handler]
        impl $name {
            $($(#[$attribute])* fn $method(&self) {})*
        }
    };
}

methods!(Fifth {
    /// Documented.
    #[command]
    get

    #[command("put", "set")]
    #[cfg(unix)]
    put
});

fn main() {
    drop((Fourth.bind("127.0.0.1:0"), Fifth.bind("127.0.0.1:0")));
    drop((First.builder(), Second.builder(), Third.builder()));
}
