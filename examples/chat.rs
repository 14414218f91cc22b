//! A chat room: a session for each member, and one list of members that all sessions share.
//!
//! ```text
//! cargo run --example chat                 # on 127.0.0.1:9999
//! cargo run --example chat 0.0.0.0:7000    # or wherever you say
//!
//! nc 127.0.0.1 9999                        # once for each member
//! ```
//!
//! The server asks for a nick; then every line goes to all the others. `/who` lists the members, `/quit` leaves.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{Close, CommandError, Reader, Writer, handler, socket_server};

/// The room. A member that takes nothing for a second is put out: the others would have to wait for it.
#[socket_server(tcp, threading, max_threads = 512, max_line = 1_024, write_timeout = Duration::from_secs(1))]
#[derive(Default)]
struct Chat {
    members: Mutex<BTreeMap<String, Writer>>,
}

impl Chat {
    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Writer>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `nick` a member, unless there is one of that name.
    fn join(&self, nick: &str, output: &Writer) -> io::Result<bool> {
        let mut members = self.members();
        if members.contains_key(nick) {
            return Ok(false);
        }
        members.insert(nick.to_owned(), output.try_clone()?);
        Ok(true)
    }

    /// Tells everybody but `nick`.
    fn tell_others(&self, nick: &str, text: &str) {
        for (_, other) in self.members().iter_mut().filter(|(other, _)| *other != nick) {
            if writeln!(other, "{text}").is_err() {
                // Slow or gone. Its own session sees the end of the input now, and takes it off the list.
                let _ = SockRef::from(&*other).shutdown(Shutdown::Both);
            }
        }
    }

    fn who(&self) -> String {
        self.members().keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// One member, from the choice of a nick until it leaves.
struct Member {
    nick: String,
}

#[handler(Chat)]
impl Member {
    fn setup(chat: &Chat, input: &mut Reader, output: &mut Writer) -> io::Result<Self> {
        loop {
            write!(output, "your nick? ")?;
            // One that leaves before it has a nick is no error to report.
            let line = input.next_line()?.ok_or(io::ErrorKind::ConnectionAborted)?;
            let nick = line.trim();
            if !is_nick(nick) {
                writeln!(output, "* a nick has 1 to 20 letters and digits")?;
            } else if chat.join(nick, output)? {
                // One that is gone already has its session too, whose `finish` takes it off the list.
                let _ = writeln!(output, "* welcome, {nick}; here are {}; there is /who and /quit", chat.who());
                chat.tell_others(nick, &format!("* {nick} joins"));
                return Ok(Self { nick: nick.to_owned() });
            } else {
                writeln!(output, "* {nick} is taken")?;
            }
        }
    }

    #[command("/who")]
    fn who(&self, chat: &Chat) -> String {
        format!("* {}", chat.who())
    }

    #[command("/quit")]
    fn quit(&self) -> Close {
        Close(())
    }

    #[otherwise]
    fn text(&self, chat: &Chat, line: &str, output: &mut Writer) -> io::Result<()> {
        match line.trim() {
            "" => {}
            text if text.starts_with('/') => writeln!(output, "* there is /who and /quit")?,
            text => chat.tell_others(&self.nick, &self.say(text)),
        }
        Ok(())
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        format!("* {error}")
    }

    fn finish(&mut self, chat: &Chat) {
        chat.members().remove(&self.nick);
        chat.tell_others(&self.nick, &format!("* {} leaves", self.nick));
    }

    /// Without what could play with the terminals of the others.
    fn say(&self, text: &str) -> String {
        // Some that are no control characters end a line too, or have what follows shown from right to left.
        let plays = |character: &char| {
            character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let text: String = text.chars().filter(|character| !plays(character)).collect();
        format!("<{}> {text}", self.nick)
    }
}

fn is_nick(text: &str) -> bool {
    (1..=20).contains(&text.chars().count()) && text.chars().all(char::is_alphanumeric)
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());
    let server = Chat::default().bind(address)?;
    server.shutdown_on_signals()?;

    println!("listening on {}", server.local_address());
    if let Some(address) = server.local_address().socket_addr() {
        println!("try it, more than once: nc {} {}", address.ip(), address.port());
    }
    println!("Ctrl-C drains and ends");
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
