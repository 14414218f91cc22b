//! The mode of a socket's path, under umasks of all kinds: a process of its own, which has only one umask.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use socketserver::{handler, socket_server};
use support::Place;

#[socket_server(unix_stream)]
struct Stream;

#[handler]
impl Stream {
    fn handle(&self) {}
}

#[socket_server(unix_datagram)]
struct Packets;

#[handler]
impl Packets {
    fn handle(&self) {}
}

/// By the attribute.
#[socket_server(unix_stream, socket_mode = 0o620)]
struct Fixed;

#[handler]
impl Fixed {
    fn handle(&self) {}
}

const UMASKS: [libc::mode_t; 4] = [0, 0o022, 0o077, 0o777];

fn main() -> ExitCode {
    support::run(
        &[
            ("the_mode_is_exact_under_any_umask", the_mode_is_exact_under_any_umask),
            ("without_a_mode_it_is_what_the_umask_leaves", without_a_mode_it_is_what_the_umask_leaves),
            ("the_mode_is_never_wider_not_for_a_moment", the_mode_is_never_wider_not_for_a_moment),
        ],
        &[],
    )
}

fn the_mode_is_exact_under_any_umask() {
    for mask in UMASKS {
        let place = Place::new();
        set_umask(mask);
        for mode in [0o600, 0o660, 0o666, 0o777, 0o000] {
            let path = place.path("server");
            let stream = Stream.builder().socket_mode(mode).bind(&path).unwrap();
            assert_eq!(mode_of(&path).unwrap(), mode, "umask {mask:o}");
            drop(stream);
            let packets = Packets.builder().socket_mode(mode).bind(&path).unwrap();
            assert_eq!(mode_of(&path).unwrap(), mode, "umask {mask:o}");
            drop(packets);
        }
        let _fixed = Fixed.bind(place.path("fixed")).unwrap();
        assert_eq!(mode_of(&place.path("fixed")).unwrap(), 0o620);
        set_umask(0o022);
    }
}

fn without_a_mode_it_is_what_the_umask_leaves() {
    for mask in UMASKS {
        let place = Place::new();
        set_umask(mask);
        let _stream = Stream.bind(place.path("stream")).unwrap();
        let _packets = Packets.bind(place.path("packets")).unwrap();
        set_umask(0o022);
        for name in ["stream", "packets"] {
            assert_eq!(mode_of(&place.path(name)).unwrap(), 0o777 & !mask);
        }
    }
}

fn the_mode_is_never_wider_not_for_a_moment() {
    let place = Place::new();
    let path = place.path("server");
    let done = AtomicBool::new(false);
    set_umask(0);
    let (widest, looks) = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut widest, mut looks) = (0, 0);
            while !done.load(SeqCst) {
                if let Ok(mode) = mode_of(&path) {
                    widest |= mode;
                    looks += 1;
                }
            }
            (widest, looks)
        });
        for _ in 0..500 {
            drop(Stream.builder().socket_mode(0o600).bind(&path).unwrap());
            drop(Packets.builder().socket_mode(0o600).bind(&path).unwrap());
        }
        done.store(true, SeqCst);
        watcher.join().unwrap()
    });
    set_umask(0o022);
    assert!(looks > 0);
    assert_eq!(widest, 0o600);
}

fn mode_of(path: &Path) -> io::Result<u32> {
    Ok(fs::symlink_metadata(path)?.mode() & 0o7777)
}

fn set_umask(mask: libc::mode_t) {
    // SAFETY: umask(2) takes any number and cannot fail.
    #[allow(unsafe_code, reason = "std cannot set it")]
    unsafe {
        libc::umask(mask);
    }
}
