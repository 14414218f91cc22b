//! One server's share in every request: what all its threads have in common, and the steps that CPython calls
//! `get_request`, `verify_request`, `finish_request`, `shutdown_request` and `close_request`.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::accept::Errors;
use crate::error::{HandlerError, Hook, panic_message};
use crate::hooks::Hooks;
use crate::options::Options;
use crate::report;
use crate::request::{Life, Request};
use crate::shutdown::{SeatGuard, ShutdownHandle};
use crate::stats::{Counters, Stats};
use crate::transport::{Listener, Transport, Waiting};

pub(crate) struct Base<S, T> {
    pub(crate) service: S,
    pub(crate) listener: Listener,
    pub(crate) options: Options,
    pub(crate) counters: Counters,
    transport: PhantomData<fn() -> T>,
}

/// How a wait for a request ended.
pub(crate) enum Next<R> {
    Request(R),
    TimedOut,
    ShuttingDown,
}

/// What one attempt to take a request came to.
pub(crate) enum Attempt<R> {
    Request(R),
    /// There is none just now.
    Nothing,
    /// The next attempt should wait for so long.
    Failed {
        pause: Duration,
    },
}

impl<S, T> Base<S, T> {
    pub(crate) fn new(service: S, listener: Listener, options: Options) -> Self {
        Self { service, listener, options, counters: Counters::default(), transport: PhantomData }
    }

    pub(crate) fn shutdown(&self) -> &ShutdownHandle {
        self.listener.shutdown()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot(self.shutdown().cut())
    }
}

impl<S: Hooks<Request = T::Request>, T: Transport> Base<S, T> {
    /// `get_request`: waits for the next one, however the listener waits.
    ///
    /// An error is one that ends the server: all others are survived here.
    pub(crate) fn next_request(&self, deadline: Option<Instant>) -> io::Result<Next<T::Request>> {
        let mut errors = Errors::none();
        while !self.shutdown().is_shutting_down() {
            match self.try_next_request(&mut errors)? {
                Attempt::Request(request) => return Ok(Next::Request(request)),
                Attempt::Nothing => match self.listener.wait(deadline)? {
                    Waiting::Ready => {}
                    Waiting::TimedOut => return Ok(Next::TimedOut),
                    Waiting::ShuttingDown => break,
                },
                Attempt::Failed { pause } => {
                    if !self.pause(pause, deadline)? {
                        return Ok(Next::TimedOut);
                    }
                }
            }
        }
        Ok(Next::ShuttingDown)
    }

    /// `get_request`, once.
    pub(crate) fn try_next_request(&self, errors: &mut Errors) -> io::Result<Attempt<T::Request>> {
        // Into its place at once: what a guard returns is moved several times.
        let mut got = None;
        guard("get_request", || got = Some(T::get_request(&self.listener)));
        // Taken in the very moment of a shutdown, or what the shutdown of the listener itself looks like.
        if self.shutdown().is_shutting_down() {
            return Ok(Attempt::Nothing);
        }
        let error = match got {
            Some(Ok(request)) => {
                self.counters.accepted();
                return Ok(Attempt::Request(request));
            }
            Some(Err(error)) => error,
            None => io::Error::other("`get_request` panicked"),
        };
        match error.kind() {
            io::ErrorKind::WouldBlock => Ok(Attempt::Nothing),
            io::ErrorKind::Interrupted => Ok(Attempt::Failed { pause: Duration::ZERO }),
            _ => {
                self.counters.accept_error();
                let Some(pause) = errors.pause_after(&error) else { return Err(error) };
                guard("accept_error", || self.service.accept_error(&error));
                Ok(Attempt::Failed { pause })
            }
        }
    }

    /// Pauses after an error, unless and until there is a shutdown, but not beyond the deadline; `false`: it has
    /// passed.
    pub(crate) fn pause(&self, pause: Duration, deadline: Option<Instant>) -> io::Result<bool> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let pause = left.map_or(pause, |left| pause.min(left));
        if !pause.is_zero() {
            self.shutdown().sleep(pause)?;
        }
        Ok(deadline.is_none_or(|deadline| Instant::now() < deadline))
    }

    /// `verify_request`, and `service_actions` after it. A request that does not pass is to be refused.
    pub(crate) fn verify(&self, request: &T::Request) -> bool {
        let verified = guard("verify_request", || self.service.verify_request(request)).unwrap_or(false);
        self.service_actions();
        if !verified {
            self.counters.refused();
        }
        verified
    }

    /// All steps of a request in this thread, from `verify_request` on.
    pub(crate) fn serve(&self, request: T::Request, seat: &SeatGuard) {
        if self.verify(&request) {
            self.process(request, seat);
        } else {
            request.refuse();
        }
    }

    /// `finish_request`, `shutdown_request` and `close_request`.
    ///
    /// In its `seat`, a shutdown finds a connection; packets are left to end.
    pub(crate) fn process(&self, mut request: T::Request, seat: &SeatGuard) {
        if T::Request::IS_CONNECTION {
            seat.set(request.stream());
        }
        let success = self.finish(&mut request);
        if T::Request::IS_CONNECTION {
            seat.set(None);
        }
        request.close();
        self.counters.ended(success);
    }

    /// `finish_request` and `shutdown_request`; whether the handler succeeded.
    pub(crate) fn finish(&self, request: &mut T::Request) -> bool {
        let life = || {
            self.service.finish_request(request, self.shutdown())?;
            request.deliver().map_err(|error| HandlerError::new(Hook::Finish, error))
        };
        let result = catch_unwind(AssertUnwindSafe(life))
            .unwrap_or_else(|payload| Err(HandlerError::panicked(Hook::Handle, payload)));
        let success = result.is_ok();
        if let Err(error) = result {
            guard("handle_error", || self.service.handle_error(&error, request.peer_address()));
            // Its destructor is the user's.
            guard("drop", || drop(error));
        }
        request.shutdown();
        success
    }

    pub(crate) fn service_actions(&self) {
        guard("service_actions", || self.service.service_actions());
    }
}

/// Runs one of the server's hooks. A panic of it is reported and goes no further: nothing that a hook does ends the
/// server.
pub(crate) fn guard<R>(hook: &str, run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|payload| report::error(format_args!("`{hook}` panicked: {}", panic_message(payload))))
        .ok()
}

impl<S, T> fmt::Debug for Base<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("listener", &self.listener).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
