//! A server that goes wrong as its script says, and writes down what happened.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use socketserver::{Address, Connection, HandlerError, Hooks, handler, socket_server};

/// What goes wrong in which hook, and what happened in which order.
#[derive(Debug, Default)]
pub struct Script {
    faults: Vec<(&'static str, Fault)>,
    trace: Mutex<Vec<String>>,
}

/// How a hook goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It says no: an error, or `false`.
    Refuses,
    /// It panics.
    Panics,
    /// It panics the first time only.
    PanicsOnce,
}

impl Script {
    /// With these hooks going wrong, and no others.
    pub fn new(faults: &[(&'static str, Fault)]) -> Arc<Self> {
        Arc::new(Self { faults: faults.to_vec(), trace: Mutex::default() })
    }

    /// The hooks that were called so far, and the failures that were told.
    pub fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a hook was called.
    pub fn calls(&self, hook: &str) -> usize {
        self.trace().iter().filter(|call| *call == hook).count()
    }

    fn step(&self, hook: &'static str) -> Result<(), String> {
        self.note(hook.to_owned());
        match self.faults.iter().find(|(name, _)| *name == hook) {
            Some((_, Fault::Refuses)) => Err(format!("{hook} refuses")),
            Some((_, Fault::Panics)) => panic!("{hook} panics"),
            Some((_, Fault::PanicsOnce)) if self.calls(hook) == 1 => panic!("{hook} panics"),
            _ => Ok(()),
        }
    }

    fn note(&self, what: String) {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

/// Answers one line with the same, and has every hook that a server can have.
#[socket_server(tcp, threading, hooks)]
#[derive(Debug)]
pub struct Scripted(pub Arc<Script>);

impl Hooks for Scripted {
    fn verify_request(&self, _: &Connection) -> bool {
        self.0.step("verify_request").is_ok()
    }

    fn handle_error(&self, error: &HandlerError, peer: &Address) {
        assert!(peer.socket_addr().is_some_and(|peer| peer.ip().is_loopback()));
        self.0.note(error.to_string());
        let _ = self.0.step("handle_error");
    }

    fn handle_timeout(&self) {
        let _ = self.0.step("handle_timeout");
    }

    fn service_actions(&self) {
        let _ = self.0.step("service_actions");
    }

    fn accept_error(&self, error: &io::Error) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        let _ = self.0.step("accept_error");
    }
}

struct Session(Arc<Script>);

#[handler(Scripted)]
impl Session {
    fn setup(server: &Scripted) -> Result<Self, String> {
        server.0.step("setup")?;
        Ok(Self(Arc::clone(&server.0)))
    }

    fn handle(&mut self, connection: &mut Connection) -> io::Result<()> {
        self.0.step("handle").map_err(io::Error::other)?;
        let mut line = connection.reader().next_line()?.unwrap_or_default().to_owned();
        line.push('\n');
        connection.write_all(line.as_bytes())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.0.step("finish")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.step("drop");
    }
}
