//! Programs that CPython's users build on `socketserver`, to see that the hooks suffice. One more, with a test for each
//! transport, is in `controlled_servers.rs`.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use socketserver::socket2::{Domain, Socket, Type};
use socketserver::{Datagram, Hooks, Reader, Writer, handler, socket_server};
use support::{ask_packet, connect, wait_until};

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// As `xmlrpc.server` and its tests: calls of named functions, many on one connection; the server is bound, its port
/// read, and only then does it listen; it takes a number of connections and ends.
mod calls {
    use super::*;

    type Function = fn(&[i64]) -> Option<i64>;

    #[socket_server(tcp)]
    struct Calls {
        functions: HashMap<&'static str, Function>,
        answered: AtomicU64,
    }

    impl Calls {
        fn new() -> Self {
            let functions: [(_, Function); 2] = [
                ("add", |numbers| numbers.iter().try_fold(0_i64, |sum, number| sum.checked_add(*number))),
                ("div", |numbers| if let [a, b] = numbers { a.checked_div(*b) } else { None }),
            ];
            Self { functions: functions.into(), answered: AtomicU64::new(0) }
        }

        fn dispatch(&self, call: &str) -> Result<i64, String> {
            self.answered.fetch_add(1, SeqCst);
            let mut words = call.split_whitespace();
            let name = words.next().unwrap_or_default();
            let function = self.functions.get(name).ok_or(format!("no function `{name}`"))?;
            let numbers: Result<Vec<i64>, _> = words.map(str::parse).collect();
            function(&numbers.map_err(|error| error.to_string())?).ok_or(format!("`{call}` has no value"))
        }
    }

    /// One for each connection; it counts, as a handler that is kept alive can.
    #[derive(Default)]
    struct Caller {
        calls: u64,
    }

    #[handler(Calls)]
    impl Caller {
        fn handle(&mut self, server: &Calls, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
            while let Some(call) = input.next_line()? {
                self.calls += 1;
                match server.dispatch(call) {
                    Ok(value) => writeln!(output, "{} {value}", self.calls)?,
                    Err(fault) => writeln!(output, "{} fault: {fault}", self.calls)?,
                }
            }
            Ok(())
        }
    }

    #[test]
    fn a_server_of_calls_is_bound_in_two_steps_and_takes_so_many_requests() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a port");
        let port = socket.local_addr().expect("an address").as_socket().expect("an Internet address").port();
        let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect_err("nobody listens yet");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        socket.listen(5).expect("a listener");

        let server = Calls::new().bind(socket).expect("a server");
        assert_eq!(server.local_address().port(), Some(port));
        let address = server.local_address().clone();
        let serving = thread::spawn(move || {
            let taken = (0..2).all(|_| server.handle_request().expect("a request"));
            (taken, server.service().answered.load(SeqCst))
        });
        let talk = |calls: &str| {
            let mut client = TcpStream::connect(&address).expect("a connection");
            client.set_read_timeout(Some(PATIENCE)).expect("a socket");
            client.write_all(calls.as_bytes()).expect("room for the calls");
            client.shutdown(std::net::Shutdown::Write).expect("a connection");
            io::read_to_string(client).expect("replies")
        };
        assert_eq!(
            talk("add 2 3\ndiv 1 0\nsub 1 1\nadd two\n"),
            "1 5\n2 fault: `div 1 0` has no value\n3 fault: no function `sub`\n4 fault: invalid digit found in string\n"
        );
        assert_eq!(talk("div 10 5\n"), "1 2\n");
        assert_eq!(serving.join().expect("no panic"), (true, 5));
        assert!(TcpStream::connect(&address).is_err(), "the server is gone");
    }
}

/// As python-osc: what is in a packet decides, before a thread is given to it, whether it is handled.
mod osc {
    use super::*;

    type Method = fn(i32) -> i32;

    #[socket_server(udp, threading, hooks)]
    struct Dispatcher {
        methods: HashMap<&'static str, Method>,
        calls: Sender<(String, i32)>,
    }

    impl Hooks for Dispatcher {
        fn verify_request(&self, packet: &Datagram) -> bool {
            let payload = packet.payload();
            payload.starts_with(b"/") && payload.chunks_exact(4).remainder().is_empty()
        }
    }

    #[handler]
    impl Dispatcher {
        fn handle(&self, payload: &[u8], packet: &mut Writer) -> Result<(), String> {
            let (address, argument) = decode(payload).ok_or("not a message with one integer")?;
            let method = self.methods.get(address).ok_or_else(|| format!("no method {address}"))?;
            let value = method(argument);
            self.calls.send((address.to_owned(), value)).expect("the test reads the calls");
            packet.write_all(&encode(address, value)).map_err(|error| error.to_string())
        }
    }

    /// An OSC message: a padded address, the padded type tag of one integer, the integer.
    fn encode(address: &str, argument: i32) -> Vec<u8> {
        let mut message = Vec::new();
        for text in [address, ",i"] {
            message.extend_from_slice(text.as_bytes());
            let padding = 4 - text.len() % 4;
            message.resize(message.len() + padding, 0);
        }
        message.extend_from_slice(&argument.to_be_bytes());
        message
    }

    fn decode(message: &[u8]) -> Option<(&str, i32)> {
        let end = message.iter().position(|byte| *byte == 0)?;
        let address = std::str::from_utf8(&message[..end]).ok()?;
        let rest = message.get(end / 4 * 4 + 4..)?.strip_prefix(b",i\0\0")?;
        Some((address, i32::from_be_bytes(rest.try_into().ok()?)))
    }

    #[test]
    fn a_packet_is_verified_by_its_content_before_it_is_handled() {
        let (calls, called) = channel();
        let methods: [(_, Method); 2] = [("/double", |number| 2 * number), ("/negate", |number| -number)];
        let server = Dispatcher { methods: methods.into(), calls }.bind("127.0.0.1:0").expect("a server");
        let running = server.start().expect("a thread for it");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        for nonsense in [&b""[..], b"/odd", b"hello, world", b"/five"] {
            client.send_to(nonsense, running.local_address()).expect("room for a packet");
        }
        // `/odd` alone looks like a message; the handler finds out.
        wait_until("the nonsense is dealt with", || running.stats().refused == 3 && running.stats().failed == 1);
        let reply = ask_packet(running.local_address(), &encode("/double", 21)).expect("a reply");
        assert_eq!(decode(&reply), Some(("/double", 42)));
        let reply = ask_packet(running.local_address(), &encode("/negate", 7)).expect("a reply");
        assert_eq!(decode(&reply), Some(("/negate", -7)));
        running.shutdown().expect("a server that ends well");
        let calls: Vec<_> = called.iter().collect();
        assert_eq!(calls, [("/double".to_owned(), 42), ("/negate".to_owned(), -7)]);
    }
}

/// As dnslib: one handler over both transports; on TCP queries and answers have their length in front.
mod names {
    use super::*;

    /// What the two servers share.
    #[derive(Default)]
    struct Resolver {
        addresses: HashMap<&'static str, Ipv4Addr>,
        queries: AtomicU64,
    }

    impl Resolver {
        /// The handler: a packet is one query, a connection has as many as come.
        fn handle(&self, input: &mut Reader, output: &mut Writer, transport: &str) -> io::Result<()> {
            if transport == "udp" {
                let mut query = Vec::new();
                input.read_to_end(&mut query)?;
                return output.write_all(&self.answer(&query)?);
            }
            while !input.fill_buf()?.is_empty() {
                let answer = self.answer(&read_message(input)?)?;
                write_message(output, &answer)?;
            }
            Ok(())
        }

        /// A query is two bytes of its own choice and a name; the answer the same two bytes and an address, or none.
        fn answer(&self, query: &[u8]) -> io::Result<Vec<u8>> {
            self.queries.fetch_add(1, SeqCst);
            let (id, name) = query.split_first_chunk::<2>().ok_or(io::ErrorKind::InvalidData)?;
            let address = std::str::from_utf8(name).ok().and_then(|name| self.addresses.get(name));
            let address = address.map_or(Vec::new(), |address| address.octets().to_vec());
            Ok([&id[..], &address].concat())
        }
    }

    macro_rules! resolvers {
        ($($server:ident: $transport:ident;)*) => {$(
            #[socket_server($transport, threading)]
            struct $server(Arc<Resolver>);

            #[handler]
            impl $server {
                fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                    self.0.handle(input, output, Self::TRANSPORT)
                }
            }
        )*};
    }

    resolvers! {
        OverUdp: udp;
        OverTcp: tcp;
    }

    fn read_message(input: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        input.read_exact(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        input.read_exact(&mut message)?;
        Ok(message)
    }

    fn write_message(output: &mut impl Write, message: &[u8]) -> io::Result<()> {
        let length = u16::try_from(message.len()).map_err(io::Error::other)?;
        output.write_all(&length.to_be_bytes())?;
        output.write_all(message)
    }

    #[test]
    fn one_handler_answers_over_tcp_and_udp() {
        let addresses = [("one.test", Ipv4Addr::new(192, 0, 2, 1)), ("two.test", Ipv4Addr::new(192, 0, 2, 2))];
        let resolver = Arc::new(Resolver { addresses: addresses.into(), ..Resolver::default() });
        let udp = OverUdp(Arc::clone(&resolver)).bind("127.0.0.1:0").expect("a server").start().expect("a thread");
        let tcp = OverTcp(Arc::clone(&resolver)).bind("127.0.0.1:0").expect("a server").start().expect("a thread");

        let queries: [(&[u8], &[u8]); 3] = [
            (b"\x00\x07one.test", b"\x00\x07\xc0\x00\x02\x01"),
            (b"ab", b"ab"),
            (b"\xff\xfftwo.test", b"\xff\xff\xc0\x00\x02\x02"),
        ];
        for (query, answer) in queries {
            assert_eq!(ask_packet(udp.local_address(), query).expect("an answer"), answer);
        }
        // All queries first, then all answers, over one connection.
        let mut client = connect(tcp.local_address()).expect("a connection");
        for (query, _) in queries {
            write_message(&mut client, query).expect("room for a query");
        }
        for (_, answer) in queries {
            assert_eq!(read_message(&mut client).expect("an answer"), answer);
        }
        // Over neither is a query without its two bytes answered.
        write_message(&mut client, b"a").expect("room for a query");
        assert_eq!(client.read(&mut [0]).expect("the end, and no reset"), 0);
        UdpSocket::bind("127.0.0.1:0")
            .expect("a socket")
            .send_to(b"a", udp.local_address())
            .expect("room for a packet");
        wait_until("both have failed", || udp.stats().failed == 1 && tcp.stats().failed == 1);
        assert_eq!(resolver.queries.load(SeqCst), 8);
    }
}
