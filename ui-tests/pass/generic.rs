use socketserver::{Hooks, ShutdownHandle, Writer, handler, socket_server};
use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::marker::PhantomData;

pub trait Store: Default + Send + Sync + 'static {
    type Value: Display;
    type Error: Error + Send + Sync + 'static;

    fn get(&self) -> Result<Self::Value, Self::Error>;
}

#[derive(Default)]
struct Nothing;

impl Store for Nothing {
    type Value = u8;
    type Error = std::convert::Infallible;

    fn get(&self) -> Result<u8, Self::Error> {
        Ok(0)
    }
}

#[socket_server(tcp, threading)]
#[derive(Default)]
pub struct Kv<S> {
    store: S,
}

struct Conn<S> {
    store: PhantomData<S>,
}

#[handler(Kv<S>)]
impl<'a, S> Conn<S>
where
    S: Store,
{
    const GREETING: &'static str = "hello";

    fn setup(output: &mut Writer, _: &'a Kv<S>) -> Result<Self, std::io::Error> {
        writeln!(output, "{}", Self::GREETING)?;
        Ok(Self { store: PhantomData })
    }

    fn handle<'b, 'c>(&'b mut self, kv: &'c Kv<S>, output: &'c mut Writer) -> Result<(), Box<dyn Error + Send + Sync>> {
        writeln!(output, "{}", kv.store.get()?)?;
        Ok(())
    }

    fn finish(&self, _: &ShutdownHandle) -> Result<(), S::Error> {
        Ok(())
    }
}

#[socket_server(udp, forking)]
struct Tuple<const N: usize, T: Clone>([T; N])
where
    T: Send + Sync + 'static;

#[handler]
impl<const N: usize, T: Clone + Send + Sync + 'static> Tuple<N, T> {
    fn handle(&self, bytes @ _: &[u8]) {
        let _ = bytes;
    }
}

/// The bounds are those of the `impl` blocks.
#[socket_server(tcp, hooks)]
struct Hooked<S>(S);

impl<S: Store> Hooks for Hooked<S> {
    fn handle_timeout(&self) {}
}

#[handler]
impl<S: Store> Hooked<S> {
    fn handle(&self) {}
}

fn builders<S: Store>(store: S) {
    drop(Kv { store }.builder());
    drop(Hooked(S::default()).builder());
}

fn main() {
    let _ = builders::<Nothing>;
    assert_eq!(Tuple::<1, u8>::TRANSPORT, "udp");
    assert_eq!(Tuple::<1, u8>::MIX_IN, "forking");
    drop(Tuple([1]).builder());
}
