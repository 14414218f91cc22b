//! The errors of hooks: of any type, and those of the arguments that a hook has asked for, are told as the hook's own.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::UdpSocket;
use std::sync::Mutex;
use std::time::Duration;

use socketserver::{
    Address, Datagram, FromRequest, HandlerError, Hooks, Request, Transport, Writer, handler, socket_server,
};
use support::ask_packet;

/// What cannot be made.
#[derive(Debug)]
struct Never;

impl<T: Transport> FromRequest<T> for Never {
    type Error = String;

    fn from_request(request: &mut T::Request) -> Result<Self, String> {
        Err(format!("never on {}", if request.peer_address().port().is_some() { "the net" } else { "a path" }))
    }
}

/// A server for each hook or return type that fails: what `handle_error` is told.
macro_rules! fails {
    ($told:literal => $($hook:item)*) => {{
        #[socket_server(udp, hooks)]
        #[derive(Default)]
        struct Fails(Mutex<Option<String>>);

        impl Hooks for Fails {
            fn handle_error(&self, error: &HandlerError, _: &Address) {
                *self.0.lock().unwrap() = Some(error.to_string());
            }
        }

        #[handler]
        impl Fails {
            $($hook)*
        }

        let server = Fails::default().builder().timeout(Duration::from_secs(20)).bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"hello\n", server.local_address()).unwrap();
        assert!(server.handle_request().unwrap());
        let told = server.service().0.lock().unwrap().take();
        assert_eq!(told.as_deref(), Some($told));
    }};
}

#[test]
fn the_error_of_an_argument_is_the_error_of_the_hook_that_asked() {
    fails! { "`setup` failed: never on the net" =>
        fn setup(&self, _never: Never) {}

        fn handle(&self) {}
    }
    fails! { "`handle` failed: never on the net" =>
        fn handle(&self, _output: &mut Writer, _never: Never) {}
    }
    fails! { "`finish` failed: never on the net" =>
        fn handle(&self) {}

        fn finish(&self, _peer: &Address, _never: Never) {}
    }
}

/// An alias hides what the hook returns.
type Answer<E = Box<dyn Error + Send + Sync>> = Result<(), E>;

/// An error of one's own.
#[derive(Debug)]
struct Teapot;

impl fmt::Display for Teapot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("short and stout")
    }
}

impl Error for Teapot {}

#[test]
fn a_hook_may_return_any_error() {
    fails! { "`handle` failed: a string" =>
        fn handle(&self) -> Result<(), String> {
            Err("a string".into())
        }
    }
    fails! { "`handle` failed: a str" =>
        fn handle(&self) -> Result<(), &'static str> {
            Err("a str")
        }
    }
    fails! { "`handle` failed: short and stout" =>
        fn handle(&self) -> Result<(), Teapot> {
            Err(Teapot)
        }
    }
    fails! { "`handle` failed: short and stout" =>
        fn handle(&self) -> Answer {
            Err(Teapot.into())
        }
    }
    fails! { "`handle` failed: short and stout" =>
        fn handle(&self) -> Answer<Teapot> {
            Err(Teapot)
        }
    }
    fails! { "`handle` failed: short and stout" =>
        fn handle(&self) -> io::Result<()> {
            Err(io::Error::other(Teapot))
        }
    }
    fails! { "`handle` panicked: no return" =>
        fn handle(&self) -> ! {
            panic!("no return")
        }
    }
}

/// An error that cannot be is no error.
#[socket_server(udp)]
struct Sure;

#[handler]
impl Sure {
    #[allow(clippy::unnecessary_wraps, reason = "the return type is the point")]
    fn handle(&self, packet: &mut Datagram) -> Result<(), Infallible> {
        packet.reply(packet.payload()).unwrap();
        Ok(())
    }
}

#[test]
fn a_hook_may_return_an_error_that_cannot_be() {
    let running = Sure.bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"hello").unwrap(), b"hello");
}
