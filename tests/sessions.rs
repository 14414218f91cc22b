//! A state for each request: `#[handler(Server)] impl Session`.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use socketserver::{Address, HandlerError, Hooks, Reader, Writer, handler, socket_server};
use support::{Conversation, ask, ask_packet, connect, wait_until};

/// Public, while its sessions are not.
#[socket_server(tcp, threading)]
#[derive(Debug, Default)]
pub struct Counter {
    sessions: AtomicUsize,
}

/// Not `Send`: it never leaves its thread.
struct Count {
    number: usize,
    lines: Rc<Cell<usize>>,
}

#[handler(Counter)]
impl Count {
    fn setup(counter: &Counter) -> Self {
        Self { number: counter.sessions.fetch_add(1, SeqCst) + 1, lines: Rc::default() }
    }

    fn handle(&mut self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while input.next_line()?.is_some() {
            let text = self.next();
            writeln!(output, "{text}")?;
        }
        Ok(())
    }

    /// No hook: left alone.
    fn next(&self) -> String {
        let lines = Rc::clone(&self.lines);
        lines.set(lines.get() + 1);
        format!("session {}, line {}", self.number, self.lines.get())
    }
}

#[test]
fn each_connection_has_a_fresh_session_and_all_share_the_server() {
    let running = Counter::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut first = Conversation::with(running.local_address());
    assert_eq!(first.ask("a"), "session 1, line 1");
    let mut second = Conversation::with(running.local_address());
    assert_eq!(second.ask("a"), "session 2, line 1");
    assert_eq!(first.ask("b"), "session 1, line 2");
    assert_eq!(second.ask("b"), "session 2, line 2");
    assert_eq!(running.service().sessions.load(SeqCst), 2);
}

/// The sum of the packets' lines: each packet is a request, and has a session.
#[socket_server(udp)]
struct Sums;

#[derive(Default)]
struct Sum(i64);

#[handler(Sums)]
impl Sum {
    fn handle(&mut self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            self.0 += line.parse::<i64>().map_err(io::Error::other)?;
        }
        write!(output, "{}", self.0)
    }
}

#[test]
fn without_setup_a_session_begins_with_its_default() {
    let running = Sums.bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"1\n2\n3").unwrap(), b"6");
    assert_eq!(ask_packet(running.local_address(), b"4").unwrap(), b"4");
}

#[socket_server(tcp)]
struct Greeter;

#[derive(Default)]
struct Guest {
    name: String,
    visits: u32,
}

#[handler(Greeter)]
impl Guest {
    fn setup(&mut self, input: &mut Reader) -> io::Result<()> {
        input.next_line()?.unwrap_or("nobody").clone_into(&mut self.name);
        self.visits += 1;
        Ok(())
    }

    fn handle(&mut self, output: &mut Writer) -> io::Result<()> {
        self.visits += 1;
        writeln!(output, "hello, {}", self.name)
    }

    fn finish(&mut self, output: &mut Writer) -> io::Result<()> {
        writeln!(output, "goodbye after {} hooks", self.visits)
    }
}

#[test]
fn setup_with_a_receiver_is_given_a_default_session() {
    let running = Greeter.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = connect(running.local_address()).unwrap();
    client.write_all(b"world\n").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello, world\ngoodbye after 2 hooks\n");
}

/// Lets in who knows the password.
#[socket_server(tcp, hooks)]
#[derive(Default)]
struct Doorman {
    turned_away: Mutex<Vec<String>>,
}

impl Hooks for Doorman {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.turned_away.lock().unwrap().push(error.to_string());
    }
}

struct Visitor(String);

#[handler(Doorman)]
impl Visitor {
    fn setup(input: &mut Reader, _doorman: &Doorman) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let password = input.next_line()?.ok_or("no password")?;
        if password == "swordfish" { Ok(Visitor(password.to_owned())) } else { Err("wrong password".into()) }
    }

    fn handle(&mut self, output: &mut Writer) -> io::Result<()> {
        writeln!(output, "{} it is", self.0)
    }
}

#[test]
fn a_constructor_can_fail() {
    let running = Doorman::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask(running.local_address(), "swordfish").unwrap(), "swordfish it is");
    assert_eq!(ask(running.local_address(), "perch").unwrap(), "");
    assert_eq!(*running.service().turned_away.lock().unwrap(), ["`setup` failed: wrong password"]);
}

/// A store that the server is generic over.
trait Store: Send + Sync + 'static {
    fn get(&self, key: &str) -> Option<String>;
    fn set(&self, key: &str, value: &str);
}

impl Store for Mutex<HashMap<String, String>> {
    fn get(&self, key: &str) -> Option<String> {
        self.lock().unwrap().get(key).cloned()
    }

    fn set(&self, key: &str, value: &str) {
        self.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
}

/// Forgets what it is told.
struct Void;

impl Store for Void {
    fn get(&self, _: &str) -> Option<String> {
        None
    }

    fn set(&self, _: &str, _: &str) {}
}

#[socket_server(tcp, threading)]
struct Kv<S: Store> {
    store: S,
}

struct Conn<S: Store> {
    last: Option<Rc<str>>,
    kind: std::marker::PhantomData<S>,
}

#[handler(Kv<S>)]
impl<S: Store> Conn<S> {
    #[allow(clippy::unnecessary_wraps, reason = "a constructor may say so")]
    fn setup() -> Result<Self, Infallible> {
        Ok(Self { last: None, kind: std::marker::PhantomData })
    }

    fn handle(&mut self, output: &mut Writer, kv: &Kv<S>, input: &mut Reader) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            match line.split_once('=') {
                Some((key, value)) => {
                    kv.store.set(key, value);
                    self.last = Some(key.into());
                    writeln!(output, "ok")?;
                }
                None if line == "last" => writeln!(output, "{}", self.last.as_deref().unwrap_or("none"))?,
                None => writeln!(output, "{}", kv.store.get(line).unwrap_or_default())?,
            }
        }
        Ok(())
    }
}

/// The first form, generic too, over a constant and with a `where` clause.
#[socket_server(udp, threading)]
struct Repeat<T, const N: usize>(T)
where
    T: AsRef<str> + Send + Sync + 'static;

#[handler]
impl<T, const N: usize> Repeat<T, N>
where
    T: AsRef<str> + Send + Sync + 'static,
{
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        write!(output, "{}", self.0.as_ref().repeat(N))
    }
}

#[test]
fn servers_and_sessions_may_be_generic() {
    let running = Kv { store: Mutex::new(HashMap::new()) }.bind("127.0.0.1:0").unwrap().start().unwrap();
    let (mut one, mut other) =
        (Conversation::with(running.local_address()), Conversation::with(running.local_address()));
    assert_eq!(one.ask("colour=green"), "ok");
    assert_eq!(other.ask("colour"), "green");
    assert_eq!((one.ask("last"), other.ask("last")), ("colour".into(), "none".into()));

    let running = Kv { store: Void }.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = Conversation::with(running.local_address());
    assert_eq!((client.ask("colour=green"), client.ask("colour")), ("ok".into(), String::new()));

    let running = Repeat::<_, 3>("ab".to_owned()).bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"").unwrap(), b"ababab");
}

/// Every line goes to all members.
#[socket_server(tcp, threading)]
#[derive(Default)]
struct Chat {
    members: Mutex<HashMap<String, Writer>>,
}

struct Member {
    nick: String,
}

#[handler(Chat)]
impl Member {
    fn setup(chat: &Chat, input: &mut Reader, output: &mut Writer) -> io::Result<Self> {
        let nick = input.next_line()?.ok_or(io::ErrorKind::UnexpectedEof)?.to_owned();
        writeln!(output, "welcome")?;
        output.flush()?;
        chat.members.lock().unwrap().insert(nick.clone(), output.try_clone()?);
        Ok(Self { nick })
    }

    fn handle(&mut self, chat: &Chat, input: &mut Reader) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            let line = self.shout(line);
            for member in chat.members.lock().unwrap().values_mut() {
                writeln!(member, "{line}")?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, chat: &Chat) {
        chat.members.lock().unwrap().remove(&self.nick);
    }

    fn shout(&self, text: &str) -> String {
        format!("{}: {}", self.nick, text.to_uppercase())
    }
}

#[test]
fn what_one_member_says_all_members_hear() {
    let running = Chat::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    let (mut ann, mut bob) = (Conversation::with(running.local_address()), Conversation::with(running.local_address()));
    assert_eq!((ann.ask("ann"), bob.ask("bob")), ("welcome".into(), "welcome".into()));
    wait_until("both are members", || running.service().members.lock().unwrap().len() == 2);
    assert_eq!(ann.ask("hello"), "ann: HELLO");
    assert_eq!(bob.line(), "ann: HELLO");
    drop(bob);
    wait_until("bob has left", || running.service().members.lock().unwrap().len() == 1);
    assert_eq!(ann.ask("anybody?"), "ann: ANYBODY?");
    drop(ann);
    wait_until("nobody is left", || running.service().members.lock().unwrap().is_empty());
    assert_eq!(running.stats().failed, 0);
}
