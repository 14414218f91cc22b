//! What a failed bind leaves behind: nothing. A test binary of its own, so that the count is of this test alone.

use socketserver::socket2::Socket;
use socketserver::{handler, socket_server};
use support::{Place, descriptors};

macro_rules! servers {
    ($($name:ident: $word:ident;)*) => {$(
        #[socket_server($word)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self) {}
        }
    )*};
}

servers! {
    Tcp: tcp;
    Udp: udp;
    UnixStream: unix_stream;
    UnixDatagram: unix_datagram;
}

#[test]
fn a_bind_that_fails_leaves_no_descriptor_behind() {
    let place = Place::new();
    let tcp = Tcp.bind("127.0.0.1:0").unwrap();
    let udp = Udp.bind("127.0.0.1:0").unwrap();
    let stream = UnixStream.bind(place.path("stream")).unwrap();
    let packets = UnixDatagram.bind(place.path("packets")).unwrap();
    let before = descriptors();
    for _ in 0..1_024 {
        Tcp.bind(tcp.local_address()).unwrap_err();
        Udp.bind(udp.local_address()).unwrap_err();
        UnixStream.bind(place.path("stream")).unwrap_err();
        UnixDatagram.bind(place.path("packets")).unwrap_err();
        UnixStream.bind(place.directory()).unwrap_err();
        UnixStream.builder().socket_mode(0o600).bind(place.path("nowhere/socket")).unwrap_err();
        Tcp.bind("192.0.2.1:0").unwrap_err();
        Tcp.bind(std::net::UdpSocket::bind("127.0.0.1:0").map(Socket::from).unwrap()).unwrap_err();
    }
    assert_eq!(descriptors(), before);
    drop((tcp, udp, stream, packets));
}
