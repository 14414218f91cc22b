//! Transports whose accept(2) or recv(2) fails as a script says.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use socketserver::{Address, Endpoint, Listener, Options, Tcp, Transport};

/// The errors still to come, for each listener by its address: `get_request` knows nothing else of its server.
static SCRIPTS: Mutex<Option<HashMap<String, VecDeque<i32>>>> = Mutex::new(None);

/// A transport that works, once its errors have been.
pub(crate) struct Flaky<T = Tcp>(PhantomData<fn() -> T>);

impl<T: Transport> Transport for Flaky<T> {
    type Request = T::Request;
    const NAME: &'static str = T::NAME;

    fn get_request(listener: &Listener) -> io::Result<T::Request> {
        match next_error(listener.local_address()) {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => T::get_request(listener),
        }
    }
}

/// What the transport itself can be bound to.
pub(crate) struct At<E>(pub(crate) E);

impl<T: Transport, Kind, E: Endpoint<T, Kind>> Endpoint<Flaky<T>, Kind> for At<E> {
    fn open(self, options: &Options) -> io::Result<Listener> {
        let listener = self.0.open(options)?;
        // An earlier server may have had the same port, and have ended before all of its errors had been.
        scripts().get_or_insert_default().remove(&listener.local_address().to_string());
        Ok(listener)
    }
}

/// The next attempts of the server to take a request fail, each with one of `errors`.
pub(crate) fn fail(server: &Address, errors: &[i32]) {
    scripts().get_or_insert_default().entry(server.to_string()).or_default().extend(errors);
}

fn next_error(server: &Address) -> Option<i32> {
    scripts().as_mut()?.get_mut(&server.to_string())?.pop_front()
}

fn scripts() -> MutexGuard<'static, Option<HashMap<String, VecDeque<i32>>>> {
    SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner)
}
