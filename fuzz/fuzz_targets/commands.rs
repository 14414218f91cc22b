//! Any packet to a command server.

#![no_main]

use std::net::IpAddr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;

use libfuzzer_sys::fuzz_target;
use socketserver::{CommandError, Rest, Server, handler, socket_server};

#[socket_server(unix_datagram, help = true)]
struct Commands;

#[handler]
impl Commands {
    /// Parses what can be wrong.
    #[command]
    fn parsed(&self, number: i8, letter: char, address: Option<IpAddr>, flag: Option<bool>) -> String {
        format!("{number} {letter:?} {address:?} {flag:?}")
    }

    #[command("several", "s")]
    fn several(&self, first: &str, more: Vec<u16>) -> String {
        format!("{first:?} {more:?}")
    }

    #[command("rest", "r")]
    fn rest(&self, first: &[u8], rest: Rest) -> String {
        format!("{first:?} {:?}", &*rest)
    }

    #[command]
    fn fail(&self, why: &str) -> Result<(), String> {
        Err(format!("{why:?}"))
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        format!("error: {error}")
    }
}

thread_local! {
    static PEERS: (Server<Commands>, UnixDatagram) = {
        let server = format!("socketserver-fuzz-{}", process::id());
        let client = UnixDatagram::bind_addr(&address(&format!("{server}-client"))).unwrap();
        let bound = Commands.bind(format!("@{server}")).unwrap();
        client.connect_addr(&address(&server)).unwrap();
        (bound, client)
    };
}

fuzz_target!(|packet: &[u8]| {
    PEERS.with(|(server, client)| {
        client.send(packet).unwrap();
        assert!(server.handle_request().unwrap());
        let mut reply = vec![0; 1 << 16];
        client.set_nonblocking(true).unwrap();
        let length = client.recv(&mut reply).unwrap();
        let reply = std::str::from_utf8(&reply[..length]).unwrap();
        assert!(reply.ends_with('\n'), "{reply:?}");
        assert!(reply.lines().count() == 1 || reply.starts_with("PARSED"), "{reply:?}");
        assert!(!reply.contains(|letter: char| letter.is_control() && letter != '\n'), "{reply:?}");
        assert_eq!(server.stats().failed, 0);
    });
});

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(name).unwrap()
}
