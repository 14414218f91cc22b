//! TCP whose accept(2) fails as a script says.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use socketserver::{Address, Connection, Endpoint, Listener, Options, StreamTransport, Tcp, Transport};

/// The errors still to come, for each listener by its port: `get_request` knows nothing else of its server.
static SCRIPTS: Mutex<Option<HashMap<u16, VecDeque<i32>>>> = Mutex::new(None);

pub(crate) struct Flaky;

impl Transport for Flaky {
    type Request = Connection;
    const NAME: &'static str = "flaky";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        match next_error(listener.local_address()) {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => Tcp::get_request(listener),
        }
    }
}

impl StreamTransport for Flaky {}

/// A free port of this host.
pub(crate) struct Anywhere;

impl Endpoint<Flaky> for Anywhere {
    fn open(self, options: &Options) -> io::Result<Listener> {
        Endpoint::<Tcp, _>::open("127.0.0.1:0", options)
    }
}

/// The next attempts of the server to take a request fail, each with one of `errors`.
pub(crate) fn fail(server: &Address, errors: &[i32]) {
    scripts().get_or_insert_default().entry(port(server)).or_default().extend(errors);
}

fn next_error(server: &Address) -> Option<i32> {
    scripts().as_mut()?.get_mut(&port(server))?.pop_front()
}

fn scripts() -> MutexGuard<'static, Option<HashMap<u16, VecDeque<i32>>>> {
    SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn port(server: &Address) -> u16 {
    server.port().expect("a port")
}
