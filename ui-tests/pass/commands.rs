//! Commands and messages wherever a handler can be, and with whatever its methods can have.

#![deny(warnings)]

use socketserver::{
    Address, Close, CommandError, CommandFrame, Delimited, Fixed, Frame, LengthPrefixed, Line, LittleEndian, Reader, Rest,
    ShutdownHandle, Writer, handler, socket_server,
};
use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::str::FromStr;

#[socket_server(unix_stream, forking, crlf = true, help = !false)]
struct Generic<S>(S);

struct Session<'s, S, const N: usize> {
    texts: [&'s str; N],
    of: PhantomData<S>,
}

#[handler(Generic<S>, frame = Delimited<b';'>)]
impl<'s, S> Session<'s, S, 2>
where
    S: Send + Sync + Clone + ToString + FromStr<Err: std::error::Error + Send + Sync> + 'static,
{
    const LIMIT: usize = 2;

    fn setup(server: &Generic<S>) -> Result<Self, io::Error> {
        let _ = server.0.clone();
        Ok(Self { texts: ["a", "b"], of: PhantomData })
    }

    #[command("text", "TEXTS")]
    fn text<'a>(&'a self, index: usize) -> Option<&'a str> {
        self.texts.get(index.min(Self::LIMIT)).copied()
    }

    #[command]
    fn parsed(&mut self, value: S, server: &Generic<S>, values: Vec<S>) -> (/* nothing */) {
        let _ = (value.to_string(), server, values);
    }

    #[cfg(unix)]
    #[command]
    fn r#loop(&self) -> ! {
        std::process::exit(0)
    }

    #[cfg(not(unix))]
    #[command]
    fn r#loop(&self) {}

    /// Twice, under conditions that exclude each other.
    #[cfg(any())]
    #[command]
    fn twice(&self) {}

    #[cfg(not(any()))]
    #[command]
    fn twice_(&self) -> Close {
        self.helper();
        Close(())
    }

    /// The server has one too.
    #[command]
    fn bind(&self) {}

    #[allow(clippy::unused_self)]
    fn helper(&self) {}

    #[otherwise]
    #[cfg(not(any()))]
    fn unknown(&self, #[allow(unused)] line: Rest<'_>) {}

    #[on_error]
    #[cfg(any())]
    fn refused(&self, error: &Absent) {}

    fn finish(&mut self, _: &Address) {}
}

macro_rules! echo {
    ($name:ident, $frame:ty, $role:ident, $argument:ty) => {
        #[socket_server(udp)]
        struct $name;

        #[handler(frame = $frame)]
        impl $name {
            #[$role]
            fn take(&self, message: $argument, _: &ShutdownHandle) -> $argument {
                message
            }
        }
    };
}

echo!(Text, Line, message, String);
echo!(Word, Line, command, u64);
echo!(Bytes, LengthPrefixed<LittleEndian<u16>, 100>, message, Vec8);
echo!(Four, Fixed<4>, command, char);

/// Made from a word, and borrows nothing of it.
struct Known<'a>(&'a str);

impl FromStr for Known<'static> {
    type Err = String;

    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self("known"))
    }
}

/// A type of the user's own, both read and answered.
struct Vec8(Vec<u8>);

impl FromStr for Vec8 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.into()))
    }
}

impl socketserver::Reply for Vec8 {
    fn reply(self, answer: &mut socketserver::Answer<'_>) -> io::Result<()> {
        answer.message(&self.0)
    }
}

mod inner {
    use super::*;

    #[socket_server(tcp, threading)]
    pub(super) struct Inner;

    /// An alias is as good as what it stands for.
    type Half<'a> = &'a mut Reader;

    #[handler]
    impl Inner {
        #[command]
        pub fn get(&self, input: Half, key: &str, output: &mut Writer) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            let (_, _, _) = (input, key, output);
            Ok(())
        }

        #[command]
        fn known(&self, first: Known<'static>, others: Vec<(Known<'static>, &str)>) -> &'static str {
            others.first().map_or(first.0, |other| other.0.0)
        }

        #[on_error]
        fn on_error(&self, _: &CommandError, _: &mut Writer) {}
    }
}

fn main() {
    fn is_command_frame<F: CommandFrame + Frame + Debug>() {}
    is_command_frame::<LengthPrefixed<u64>>();

    #[socket_server(tcp)]
    struct Local;

    #[handler]
    impl Local {
        #[message]
        fn line(&self, line: &[u8]) -> usize {
            line.len()
        }
    }

    drop(Local.bind("127.0.0.1:0"));
    drop((Text.bind("127.0.0.1:0"), Word.bind("127.0.0.1:0"), Bytes.bind("127.0.0.1:0"), Four.bind("127.0.0.1:0")));
    drop(inner::Inner.bind("127.0.0.1:0"));
    drop(Generic(1_u8).builder());
}
