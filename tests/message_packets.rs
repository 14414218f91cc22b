//! Packets as messages: what a frame promises of its messages holds for them too.

use socketserver::{
    CommandError, CommandErrorKind, Delimited, Fixed, Frame, LengthPrefixed, Line, MessageOptions, handler,
    socket_server,
};
use support::ask_packet;

fn decoded<F: Frame>(packet: &[u8]) -> Result<Vec<u8>, String> {
    let mut options = MessageOptions::default();
    options.max_line = 4;
    F::new(&options).decode_packet(packet).map(<[u8]>::to_vec).map_err(|error| {
        assert_ne!(error.passes_over(), None);
        error.to_string()
    })
}

#[test]
fn a_packet_is_one_message_of_no_more_than_its_frame_allows() {
    for packet in [&b"1234"[..], b"1234\n", b"1234\r\n"] {
        assert_eq!(decoded::<Line>(packet).unwrap(), b"1234");
    }
    assert_eq!(decoded::<Line>(b"1\n2\n").unwrap(), b"1\n2");
    assert_eq!(decoded::<Line>(b"12345\r\n").unwrap_err(), "the line is longer than 4 bytes (`max_line`)");
    assert_eq!(decoded::<Delimited<0>>(b"1234\0").unwrap(), b"1234");
    assert_eq!(decoded::<Delimited<0>>(b"12345").unwrap_err(), "the line is longer than 4 bytes (`max_line`)");
    assert_eq!(decoded::<LengthPrefixed<u8, 4>>(b"1234").unwrap(), b"1234");
    assert_eq!(decoded::<LengthPrefixed<u8, 4>>(b"12345").unwrap_err(), "a message of 5 bytes: 4 are allowed");
    assert_eq!(decoded::<Fixed<4>>(b"1234").unwrap(), b"1234");
    assert_eq!(decoded::<Fixed<4>>(b"123").unwrap_err(), "a packet of 3 bytes where each message has 4");
    assert_eq!(decoded::<Fixed<4>>(b"").unwrap_err(), "a packet of 0 bytes where each message has 4");
    let mut packet = Vec::new();
    let refused = Fixed::<4>::new(&MessageOptions::default()).encode_packet(b"12345", &mut packet);
    assert_eq!(refused.unwrap_err().to_string(), "a message of 5 bytes where each has 4");
}

macro_rules! echoes {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, max_line = 8, max_packet_size = 12)]
        struct $name;

        #[handler]
        impl $name {
            #[command]
            fn echo(&self, word: &str) -> String {
                word.to_owned()
            }

            #[on_error]
            fn refused(&self, error: &CommandError) -> String {
                assert_eq!(error.kind(), CommandErrorKind::Frame);
                error.to_string()
            }
        }
    )*};
}

echoes! {
    Udp: udp;
    UnixDatagram: unix_datagram;
}

#[test]
fn a_packet_that_is_too_long_is_refused_and_never_cut() {
    let place = support::Place::new();
    let udp = Udp.bind("127.0.0.1:0").unwrap().start().unwrap();
    let unix = UnixDatagram.bind(place.path("server")).unwrap().start().unwrap();
    for address in [udp.local_address(), unix.local_address()] {
        let ask = |packet: &str| String::from_utf8(ask_packet(address, packet.as_bytes()).unwrap()).unwrap();
        assert_eq!(ask("echo 123"), "123\n");
        assert_eq!(ask("echo 1234"), "the line is longer than 8 bytes (`max_line`)\n");
        assert_eq!(ask("echo 123\r\n  "), "the line is longer than 8 bytes (`max_line`)\n");
        assert_eq!(ask("echo 123\r\n   "), "the packet is longer than 12 bytes (`max_packet_size`)\n");
        assert_eq!(ask("echo 123\n"), "123\n");
    }
    assert_eq!((udp.stats().failed, unix.stats().failed), (0, 0));
    udp.shutdown().unwrap();
    unix.shutdown().unwrap();
}
