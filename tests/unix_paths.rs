//! Paths of Unix-domain sockets: whose they are before the server, during it, and after.

use std::env;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net as unix;
use std::path::Path;
use std::process;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use socketserver::{Datagram, Reader, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, wait_until};

#[socket_server(unix_stream, threading)]
struct Stream;

#[handler]
impl Stream {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            writeln!(output, "{line}")?;
        }
        Ok(())
    }
}

#[socket_server(unix_datagram)]
struct Packets;

#[handler]
impl Packets {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        packet.reply(packet.payload())
    }
}

/// Starts a stream server there, is served, and shuts it down.
fn is_served_by_stream(path: &Path) -> io::Result<()> {
    let server = Stream.bind(path)?.start()?;
    assert!(fs::symlink_metadata(path)?.file_type().is_socket());
    assert_eq!(ask(server.local_address(), "hello")?, "hello");
    server.shutdown()
}

/// The same with a server of packets.
fn is_served_by_packets(path: &Path) -> io::Result<()> {
    let server = Packets.bind(path)?.start()?;
    assert!(fs::symlink_metadata(path)?.file_type().is_socket());
    assert_eq!(ask_packet(server.local_address(), b"hello")?, b"hello");
    server.shutdown()
}

#[test]
fn a_path_that_a_dead_server_left_is_replaced() {
    let leave: [fn(&Path); 2] =
        [|path| drop(unix::UnixListener::bind(path).unwrap()), |path| drop(unix::UnixDatagram::bind(path).unwrap())];
    for leave in leave {
        for serve in [is_served_by_stream, is_served_by_packets] {
            let place = Place::new();
            leave(&place.path("server"));
            assert!(place.path("server").exists());
            serve(&place.path("server")).unwrap();
            assert!(!place.path("server").exists());
        }
    }
}

#[test]
fn a_path_that_is_bound_anew_just_then_is_left_to_its_new_server() {
    let place = Place::new();
    let path = place.path("server");
    let server = Stream.bind(&path).unwrap();
    // What another process holds while it starts a server there.
    let directory = File::open(place.directory()).unwrap();
    directory.lock().unwrap();
    let name = place.directory().canonicalize().unwrap();
    let opened = || {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
        descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).filter(|to| *to == name).count()
    };
    thread::scope(|scope| {
        scope.spawn(|| drop(server));
        wait_until("the path is taken away, or the other one waited for", || opened() == 2 || !path.exists());
        assert!(path.exists(), "it was taken away from under the other one");
        fs::remove_file(&path).unwrap();
        let _other = unix::UnixListener::bind(&path).unwrap();
        directory.unlock().unwrap();
    });
    assert!(path.exists());
}

#[test]
fn a_live_server_is_left_alone() {
    let place = Place::new();
    let stream = Stream.bind(place.path("stream")).unwrap().start().unwrap();
    is_refused(&place.path("stream"));
    assert_eq!(ask(stream.local_address(), "hello").unwrap(), "hello");

    let packets = Packets.bind(place.path("packets")).unwrap().start().unwrap();
    is_refused(&place.path("packets"));
    assert_eq!(ask_packet(packets.local_address(), b"hello").unwrap(), b"hello");
}

#[test]
fn a_live_server_with_a_full_queue_is_left_alone() {
    let place = Place::new();
    let path = place.path("busy");
    let address = SockAddr::unix(&path).unwrap();
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let busy = socket();
    busy.bind(&address).unwrap();
    busy.listen(0).unwrap();
    let clients: Vec<_> = std::iter::repeat_with(|| {
        let client = socket();
        client.set_nonblocking(true).unwrap();
        client.connect(&address).map(|()| client)
    })
    .map_while(Result::ok)
    .collect();
    assert!(!clients.is_empty());
    is_refused(&path);
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let place = Place::new();
    let file = place.path("file");
    fs::write(&file, "precious").unwrap();
    is_refused(&file);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");

    fs::create_dir(place.path("directory")).unwrap();
    is_refused(&place.path("directory"));

    symlink(&file, place.path("link to a file")).unwrap();
    is_refused(&place.path("link to a file"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");

    symlink(place.path("nothing"), place.path("dangling")).unwrap();
    is_refused(&place.path("dangling"));
    assert!(fs::symlink_metadata(place.path("nothing")).is_err());

    drop(unix::UnixListener::bind(place.path("stale")).unwrap());
    symlink(place.path("stale"), place.path("link to a stale socket")).unwrap();
    is_refused(&place.path("link to a stale socket"));
    assert!(place.path("stale").exists());
}

/// Neither server can be bound there, each says where, and neither changes what is there.
#[test]
fn what_is_no_directory_is_not_opened() {
    let place = Place::new();
    let fifo = place.path("fifo");
    let name = CString::new(fifo.as_os_str().as_bytes()).unwrap();
    // SAFETY: it is a C string, which mkfifo(3) only reads.
    #[allow(unsafe_code, reason = "std cannot make one")]
    let made = unsafe { libc::mkfifo(name.as_ptr(), 0o600) };
    assert_eq!(made, 0, "{}", io::Error::last_os_error());
    let (tell, told) = channel();
    thread::spawn(move || tell.send(Stream.bind(fifo.join("server")).map(drop)));
    let error = told.recv_timeout(Duration::from_secs(20)).expect("nothing waits for the other end").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
}

fn is_refused(path: &Path) {
    let state = || {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.dev(), metadata.ino(), metadata.mode(), metadata.nlink(), fs::read_link(path).ok())
    };
    let before = state();
    for error in [Stream.bind(path).unwrap_err(), Packets.bind(path).unwrap_err()] {
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(state(), before);
    }
}

#[test]
fn the_path_goes_with_the_server() {
    let place = Place::new();
    drop(Stream.bind(place.path("dropped")).unwrap());
    drop(Packets.bind(place.path("dropped")).unwrap());
    drop(Stream.bind(place.path("dropped")).unwrap().start().unwrap());
    drop(Packets.bind(place.path("dropped")).unwrap().start().unwrap());
    is_served_by_stream(&place.path("served")).unwrap();
    is_served_by_packets(&place.path("served")).unwrap();
    assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0);
}

/// No other test of this process has a path that is relative.
#[test]
fn a_relative_path_goes_with_the_server_from_wherever_that_is_dropped() {
    let place = Place::new();
    let before = env::current_dir().unwrap();
    env::set_current_dir(place.directory()).unwrap();
    let (stream, packets) = (Stream.bind("stream").unwrap(), Packets.bind("./packets").unwrap());
    env::set_current_dir(before).unwrap();
    assert!(place.path("stream").exists() && place.path("packets").exists());
    drop((stream, packets));
    assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0);
}

#[test]
fn the_path_goes_with_the_server_although_a_request_is_left_behind() {
    /// Is busy until the test lets it go.
    #[socket_server(unix_stream, threading, block_on_close = false)]
    struct Busy(Mutex<Receiver<()>>);

    #[handler]
    impl Busy {
        fn handle(&self, output: &mut Writer) -> io::Result<()> {
            let _ = self.0.lock().unwrap().recv();
            writeln!(output, "done")
        }
    }

    let place = Place::new();
    let (go_on, goes_on) = channel();
    let running = Busy(Mutex::new(goes_on)).bind(place.path("server")).unwrap().start().unwrap();
    let client = unix::UnixStream::connect(place.path("server")).unwrap();
    wait_until("it is served", || running.stats().active == 1);
    running.shutdown().unwrap();
    assert!(!place.path("server").exists());
    drop(go_on);
    assert_eq!(io::read_to_string(client).unwrap(), "done\n");
}

#[test]
fn the_same_path_serves_ten_times_over() {
    let place = Place::new();
    for _ in 0..10 {
        is_served_by_stream(&place.path("server")).unwrap();
        is_served_by_packets(&place.path("server")).unwrap();
    }
}

#[test]
fn the_path_of_a_successor_stays() {
    let place = Place::new();
    let path = place.path("server");

    let first = Stream.bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let successor = Stream.bind(&path).unwrap().start().unwrap();
    drop(first);
    assert_eq!(ask(successor.local_address(), "hello").unwrap(), "hello");
    drop(successor);
    assert!(!path.exists());

    let first = Packets.bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let successor = Packets.bind(&path).unwrap().start().unwrap();
    drop(first);
    assert_eq!(ask_packet(successor.local_address(), b"hello").unwrap(), b"hello");
    drop(successor);
    assert!(!path.exists());

    let first = Packets.bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    drop(first);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_path_that_is_gone_already_is_no_trouble() {
    let place = Place::new();
    let server = Stream.bind(place.path("server")).unwrap().start().unwrap();
    fs::remove_file(place.path("server")).unwrap();
    server.shutdown().unwrap();
    is_served_by_stream(&place.path("server")).unwrap();
}

#[test]
fn the_path_of_a_socket_that_was_given_stays() {
    let place = Place::new();
    let listener = unix::UnixListener::bind(place.path("stream")).unwrap();
    let server = Stream.bind(listener).unwrap().start().unwrap();
    assert_eq!(ask(server.local_address(), "hello").unwrap(), "hello");
    server.shutdown().unwrap();
    assert!(place.path("stream").exists());

    let socket = unix::UnixDatagram::bind(place.path("packets")).unwrap();
    let server = Packets.bind(socket).unwrap().start().unwrap();
    assert_eq!(ask_packet(server.local_address(), b"hello").unwrap(), b"hello");
    server.shutdown().unwrap();
    assert!(place.path("packets").exists());
}

#[test]
fn a_listener_that_was_given_serves_on_where_it_is_shared() {
    let place = Place::new();
    let listener = unix::UnixListener::bind(place.path("stream")).unwrap();
    for _ in 0..3 {
        let server = Stream.bind(listener.try_clone().unwrap()).unwrap().start().unwrap();
        assert_eq!(ask(server.local_address(), "hello").unwrap(), "hello");
        server.shutdown().unwrap();
    }
}

#[test]
fn an_abstract_name_that_is_taken_is_refused_by_its_name() {
    let name = format!("@socketserver-taken-{}", process::id());
    let stream = Stream.bind(&name).unwrap();
    let error = Stream.bind(&name).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&name), "{error}");
    assert_eq!(stream.local_address().to_string(), name);
    drop(stream);
    is_free_again(&name);

    let packets = Packets.bind(&name).unwrap();
    assert_eq!(Packets.bind(&name).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    drop(packets);
    is_free_again(&name);
}

fn is_free_again(name: &str) {
    drop(Stream.bind(name).unwrap());
    drop(Packets.bind(name).unwrap());
    assert!(!Path::new(name).exists(), "it is no file");
}

#[test]
fn of_two_servers_that_start_at_once_one_is_refused() {
    for round in 0..300 {
        let place = Place::new();
        if round % 2 == 0 {
            drop(unix::UnixListener::bind(place.path("server")).unwrap());
        }
        let start = Barrier::new(2);
        let bind = || {
            start.wait();
            Stream.bind(place.path("server"))
        };
        let servers =
            thread::scope(|scope| [scope.spawn(bind), scope.spawn(bind)].map(|thread| thread.join().unwrap()));
        let bound = servers.iter().filter(|server| server.is_ok()).count();
        assert_eq!(bound, 1, "round {round}: {servers:?}");
        let server = servers.into_iter().find_map(Result::ok).unwrap().start().unwrap();
        assert_eq!(ask(server.local_address(), "hello").unwrap(), "hello");
    }
}
