//! One word changed is another of the twelve servers, and each is of the type that its alias says.

use std::io::{self, Write};

use socketserver::{
    Builder, ForkingTcpServer, ForkingUdpServer, ForkingUnixDatagramServer, ForkingUnixStreamServer, Handler, Hooks,
    MixIn, Reader, Request, Server, SocketServer, TcpServer, ThreadingTcpServer, ThreadingUdpServer,
    ThreadingUnixDatagramServer, ThreadingUnixStreamServer, Transport, UdpServer, UnixDatagramServer, UnixStreamServer,
    Writer, handler, socket_server,
};
use support::Place;

/// One handler text for all.
macro_rules! upper {
    ($($name:ident: [$($word:ident),+] is $alias:ident of $transport:ident and $mixin:ident;)*) => {
        $(
            #[socket_server($($word),+)]
            struct $name;

            #[handler]
            impl $name {
                fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                    while let Some(line) = input.next_line()? {
                        writeln!(output, "{}", line.to_uppercase())?;
                    }
                    Ok(())
                }
            }
        )*

        #[test]
        fn each_server_says_which_one_it_is() {
            $(
                assert_eq!(($name::TRANSPORT, $name::MIX_IN), (stringify!($transport), stringify!($mixin)));
                assert_eq!(words::<$name>(), ($name::TRANSPORT, $name::MIX_IN));
            )*
        }

        #[test]
        fn each_server_is_what_its_alias_says() {
            let place = Place::new();
            $({
                let address = address_for(&place, stringify!($transport));
                let server: Server<$name> = $name.bind(&*address).unwrap();
                let server: $alias<$name> = server;
                assert_ne!(server.local_address().port(), Some(0));
                drop(server);
                let builder: Builder<$name> = $name.builder();
                let server: $alias<$name> = builder.bind(&*address).unwrap();
                drop(server);
                let server = $alias::bind(&*address, $name).unwrap();
                assert_eq!(server.stats().accepted, 0);
            })*
        }
    };
}

upper! {
    Tcp: [tcp] is TcpServer of tcp and iterative;
    Udp: [udp] is UdpServer of udp and iterative;
    UnixStream: [unix_stream] is UnixStreamServer of unix_stream and iterative;
    UnixDatagram: [unix_datagram] is UnixDatagramServer of unix_datagram and iterative;
    ThreadingTcp: [tcp, threading] is ThreadingTcpServer of tcp and threading;
    ThreadingUdp: [udp, threading] is ThreadingUdpServer of udp and threading;
    ThreadingUnixStream: [unix_stream, threading] is ThreadingUnixStreamServer of unix_stream and threading;
    ThreadingUnixDatagram: [unix_datagram, threading] is ThreadingUnixDatagramServer of unix_datagram and threading;
    ForkingTcp: [tcp, forking] is ForkingTcpServer of tcp and forking;
    ForkingUdp: [udp, forking] is ForkingUdpServer of udp and forking;
    ForkingUnixStream: [unix_stream, forking] is ForkingUnixStreamServer of unix_stream and forking;
    ForkingUnixDatagram: [unix_datagram, forking] is ForkingUnixDatagramServer of unix_datagram and forking;
}

/// The word for the default may be written too, and in either order.
#[socket_server(iterative, udp)]
struct Spelled;

#[handler]
impl Spelled {
    fn handle(&self) {}
}

#[test]
fn the_words_may_come_in_any_order() {
    assert_eq!(words::<Spelled>(), ("udp", "iterative"));
    let _: UdpServer<Spelled> = Spelled.bind("127.0.0.1:0").unwrap();
}

#[test]
fn a_server_can_be_shared_between_threads() {
    fn is_shared<S: Send + Sync + 'static>(_: &S) {}
    let server = ThreadingTcp.bind("127.0.0.1:0").unwrap();
    is_shared(&server);
    is_shared(&server.shutdown_handle());
}

/// Whatever `#[socket_server]` and `#[handler]` made fits what a generic function asks for.
fn words<S>() -> (&'static str, &'static str)
where
    S: SocketServer + Hooks + Handler<Request = <S::Transport as Transport>::Request>,
    S::Request: Request,
{
    (S::Transport::NAME, S::MixIn::NAME)
}

fn address_for(place: &Place, transport: &str) -> String {
    match transport {
        "tcp" | "udp" => "127.0.0.1:0".to_owned(),
        _ => place.path(transport).to_str().expect("a readable path").to_owned(),
    }
}
