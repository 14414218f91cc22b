//! A session with rust-analyzer, as an editor has it: what it knows of a server, while it is typed and when it is done.

mod client;

use std::env;
use std::error::Error;
use std::fs;
use std::process::{Command, ExitCode};

use client::{Editor, Program};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A server that is its own handler. The cursor is at `$0`, once `BODY` and `USE` are replaced.
const SERVER: &str = "\
use socketserver::{Reader, Writer, handler, socket_server};

/// Says everything louder.
#[socket_server(tcp, threading, max_threads = 8)]
struct Upper {
    greeting: u8,
}

#[handler]
impl Upper {
    fn handle(&self, input: &mut Reader, output: &mut Writer) {
        BODY
    }

    /// A helper of the handler.
    fn shout(&self) -> u8 {
        self.greeting
    }
}

fn serve(upper: Upper) {
    USE
}
";

/// A server with a session for each connection.
const SESSION: &str = "\
use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp, threading)]
struct Chat {
    members: u8,
}

struct Member {
    nick: u8,
}

#[handler(Chat)]
impl Member {
    fn setup(chat: &Chat) -> Self {
        Member { nick: chat.members }
    }

    fn handle(&mut self, chat: &Chat, input: &mut Reader) {
        BODY
    }
}

fn serve(chat: Chat) {
    USE
}
";

/// A server of commands.
const COMMANDS: &str = "\
use socketserver::{Writer, handler, socket_server};

#[socket_server(tcp, threading)]
struct Counter {
    start: u64,
}

#[handler]
impl Counter {
    #[command]
    fn add(&self, number: u64, output: &mut Writer) -> u64 {
        BODY
    }
}

fn serve(counter: Counter) {
    USE
}
";

fn main() -> ExitCode {
    let server = env::args().nth(1).unwrap_or_else(|| "rust-analyzer".into());
    let works = Command::new(&server).arg("--version").output().is_ok_and(|output| output.status.success());
    if !works {
        println!("skipped: there is no rust-analyzer at `{server}`; give its path as the argument");
        return ExitCode::SUCCESS;
    }
    match session(&server) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            println!("{failures} failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("the session broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

fn session(server: &str) -> Result<usize> {
    let program = Program::create()?;
    let mut editor = Editor::start(server, &program)?;
    let mut checks = Checks::default();
    completion(&mut editor, &mut checks)?;
    hover(&mut editor, &mut checks)?;
    definition(&mut editor, &mut checks)?;
    half_typed(&mut editor, &mut checks)?;
    diagnostics(&mut editor, &mut checks)?;
    Ok(checks.failures)
}

#[derive(Default)]
struct Checks {
    failures: usize,
}

impl Checks {
    fn check(&mut self, what: &str, holds: bool, seen: &str) {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
        if !holds {
            println!("       {}", seen.replace('\n', "\n       "));
            self.failures += 1;
        }
    }
}

fn whole(program: &str, body: &str, usage: &str) -> String {
    program.replace("BODY", body).replace("USE", usage)
}

fn completion(editor: &mut Editor, checks: &mut Checks) -> Result<()> {
    for (what, text, expected) in [
        ("methods of the server, in a hook's body", whole(SERVER, "self.$0", ""), "shout"),
        ("methods of an argument, in a hook's body", whole(SERVER, "input.$0", ""), "next_line"),
        ("methods of an argument, half typed", whole(SERVER, "let line = output.try_$0", ""), "try_clone"),
        ("arguments, in a hook's body", whole(SERVER, "inp$0", ""), "input"),
        ("the type of an argument", whole(SERVER, "", "").replace("&mut Reader,", "&mut Rea$0,"), "Reader"),
        ("fields of the session, in a hook's body", whole(SESSION, "self.$0", ""), "nick"),
        ("the server, in a session's hook", whole(SESSION, "chat.$0", ""), "members"),
        ("an argument, in a session's hook", whole(SESSION, "input.$0", ""), "next_line"),
        ("the server of a session", whole(SESSION, "", "").replace("#[handler(Chat)]", "#[handler(Cha$0)]"), "Chat"),
        ("fields of the server, in a command's body", whole(COMMANDS, "self.$0", ""), "start"),
        ("an argument, in a command's body", whole(COMMANDS, "output.$0", ""), "try_clone"),
        ("what the attribute adds", whole(SERVER, "", "upper.$0"), "bind"),
        ("the builder that it adds", whole(SERVER, "", "upper.$0"), "builder"),
        ("the constants that it adds", whole(SERVER, "", "Upper::$0"), "TRANSPORT"),
        ("the options of the builder", whole(SERVER, "", "upper.builder().$0"), "max_threads"),
        ("the methods of what is bound", whole(SERVER, "", "upper.bind(\"\").unwrap().$0"), "serve_forever"),
        ("an option's value", whole(SERVER, "", "").replace("= 8", "= usize::MA$0"), "MAX"),
    ] {
        let labels = editor.completions(&text)?;
        let holds = labels.iter().any(|label| label.starts_with(expected));
        checks.check(&format!("completion: {what}"), holds, &labels.join(" "));
    }
    Ok(())
}

fn hover(editor: &mut Editor, checks: &mut Checks) -> Result<()> {
    for (what, text, expected) in [
        ("an argument, in a hook's body", whole(SERVER, "in$0put.next_line();", ""), "input: &mut Reader"),
        (
            "an argument, where it is declared",
            whole(SERVER, "", "").replace("input:", "inp$0ut:"),
            "input: &mut Reader",
        ),
        (
            "the type of an argument",
            whole(SERVER, "", "").replace("&mut Reader,", "&mut Rea$0der,"),
            "pub struct Reader",
        ),
        ("a method of an argument", whole(SERVER, "input.next_li$0ne();", ""), "fn next_line"),
        ("a helper", whole(SERVER, "self.sho$0ut();", ""), "A helper of the handler."),
        ("the server, in a session's hook", whole(SESSION, "ch$0at;", ""), "chat: &Chat"),
        ("the struct", whole(SERVER, "", "").replace("struct Upper", "struct Up$0per"), "Says everything louder."),
        ("`bind`", whole(SERVER, "", "upper.bi$0nd(\"\");"), "Binds the address"),
        ("`builder`", whole(SERVER, "", "upper.buil$0der();"), "Starts from the options"),
        ("a constant", whole(SERVER, "", "Upper::MIX_$0IN;"), "Who processes them"),
        (
            "the attribute",
            whole(SERVER, "", "").replace("#[socket_server(", "#[socket_ser$0ver("),
            "Makes a struct a server",
        ),
    ] {
        let seen = editor.hover(&text)?;
        checks.check(&format!("hover: {what}"), seen.contains(expected), &seen);
    }
    Ok(())
}

fn definition(editor: &mut Editor, checks: &mut Checks) -> Result<()> {
    for (what, text, expected) in [
        ("an argument", whole(SERVER, "in$0put.next_line();", ""), "fn handle(&self, input"),
        ("a method of an argument", whole(SERVER, "input.next_li$0ne();", ""), "reader.rs"),
        ("the type of an argument", whole(SERVER, "", "").replace("&mut Reader,", "&mut Rea$0der,"), "reader.rs"),
        ("a helper", whole(SERVER, "self.sho$0ut();", ""), "fn shout(&self)"),
        ("a field, in a hook's body", whole(SERVER, "self.gree$0ting;", ""), "greeting: u8"),
        ("a field of the session", whole(SESSION, "self.ni$0ck;", ""), "nick: u8"),
        ("a field of the server, in a session's hook", whole(SESSION, "chat.mem$0bers;", ""), "members: u8"),
        ("the server of a session", whole(SESSION, "", "").replace("(Chat)", "(Ch$0at)"), "struct Chat"),
        ("an argument of a command", whole(COMMANDS, "num$0ber", ""), "fn add(&self, number"),
        ("`bind` leads to the struct", whole(SERVER, "", "upper.bi$0nd(\"\");"), "struct Upper"),
        ("`builder` leads to the struct", whole(SERVER, "", "upper.buil$0der();"), "struct Upper"),
        ("`serve_forever`", whole(SERVER, "", "upper.bind(\"\").unwrap().serve_fo$0rever();"), "server.rs"),
        ("an option of the attribute", whole(SERVER, "", "").replace("max_threads", "max_thr$0eads"), "options.rs"),
    ] {
        let seen = editor.definition(&text)?;
        checks.check(&format!("definition: {what}"), seen.contains(expected), &seen);
    }
    Ok(())
}

/// The item and its methods are still known.
fn half_typed(editor: &mut Editor, checks: &mut Checks) -> Result<()> {
    let server = || whole(SERVER, "", "upper.$0");
    let (attribute, arguments) = ("max_threads = 8", "input: &mut Reader, output: &mut Writer");
    for (what, text) in [
        ("a body", whole(SERVER, "let line = input.", "upper.$0")),
        ("a body without its end", whole(SERVER, "if let Some(line) = input.next_line(", "upper.$0")),
        ("an attribute's value", server().replace(attribute, "max_threads = ")),
        ("an attribute's word", server().replace(attribute, "max_thr")),
        ("an attribute's path", server().replace(attribute, "timeout = Duration::")),
        ("an attribute's comma", server().replace(attribute, "")),
        ("an attribute with nothing in it", server().replace("(tcp, threading, max_threads = 8)", "()")),
        ("an attribute's transport", server().replace("tcp, threading, max_threads = 8", "tc")),
        ("an argument without its type", server().replace(arguments, "input: ")),
        ("an argument's reference", server().replace(arguments, "input: &mut ")),
        ("an argument's name", server().replace(arguments, "input")),
        ("an argument after a comma", server().replace(arguments, "input: &mut Reader, ")),
        ("an argument's path", server().replace(arguments, "input: &mut socketserver::")),
        ("an argument list without its end", server().replace("output: &mut Writer)", "")),
        ("a return type", server().replace("&mut Writer) {", "&mut Writer) -> std::io::Result< {")),
        ("the argument of `#[handler]`", server().replace("#[handler]", "#[handler(crate = )]")),
    ] {
        let labels = editor.completions(&text)?;
        let unknown: Vec<_> = ["bind", "builder", "shout", "handle"]
            .into_iter()
            .filter(|name| !labels.iter().any(|label| label.starts_with(name)))
            .collect();
        let seen = format!("unknown: {}; known: {}", unknown.join(" "), labels.join(" "));
        checks.check(&format!("half typed: {what}"), unknown.is_empty(), &seen);
    }
    let session = || whole(SESSION, "self.$0", "");
    let command = || whole(COMMANDS, "number", "counter.$0");
    for (what, text, expected) in [
        ("the server of a session", session().replace("(Chat)", "(Cha)"), "nick"),
        ("a session's `setup`", session().replace("setup(chat: &Chat)", "setup(chat: &)"), "nick"),
        ("a session's `handle`", session().replace("input: &mut Reader", "input: "), "nick"),
        ("a command's word", command().replace("#[command]", "#[comm]"), "bind"),
        ("a command's name", command().replace("#[command]", "#[command()]"), "bind"),
        ("a command's argument", command().replace("number: u64", "number: "), "add"),
        ("a command's body", whole(COMMANDS, "self.", "counter.$0"), "bind"),
    ] {
        let labels = editor.completions(&text)?;
        let holds = labels.iter().any(|label| label.starts_with(expected));
        checks.check(&format!("half typed: {what}"), holds, &labels.join(" "));
    }
    Ok(())
}

/// Of what is right none, of a mistake its own.
fn diagnostics(editor: &mut Editor, checks: &mut Checks) -> Result<()> {
    let body = "let _ = (input.next_line(), output.try_clone(), self.shout());";
    let finished = whole(SERVER, body, "let _ = upper.bind(\"127.0.0.1:0\");");
    let session = whole(SESSION, "let _ = (self.nick, input.next_line(), chat);", "let _ = chat.builder();");
    let commands = whole(COMMANDS, "number + self.start", "let _ = counter.bind(\"127.0.0.1:0\");");
    let none = [("a server", &finished), ("a session", &session), ("commands", &commands)];
    let mut none: Vec<_> = none.map(|(what, text)| (what.to_owned(), text.clone())).into();
    for example in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"))? {
        let path = example?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            none.push((
                format!("the example {}", path.file_name().unwrap_or_default().to_string_lossy()),
                fs::read_to_string(path)?,
            ));
        }
    }
    none.sort();
    for (what, text) in none {
        let seen = editor.diagnostics(&text)?;
        checks.check(&format!("diagnostics: none on {what}"), seen.is_empty(), &seen.join("\n"));
    }
    for (what, text, expected) in [
        ("a word of the attribute", finished.replace("threading", "threadign"), "did you mean `threading`?"),
        ("a value of the attribute", finished.replace("= 8", "= "), "`max_threads` needs a value"),
        ("a hook", finished.replace("fn handle", "fn hanlde"), "did you mean `handle`?"),
        ("a receiver", finished.replace("handle(&self", "handle(&mut self"), "all requests share the server"),
        ("a hook's body", finished.replace("let _ = (", "let _: u8 = (true, "), "expected u8, found (bool"),
        ("a half typed argument list", finished.replace("input: &mut Reader,", "input: ,"), "expected type"),
    ] {
        let seen = editor.diagnostics(&text)?;
        let one = seen.len() == 1 && seen[0].contains(expected);
        checks.check(&format!("diagnostics: one for a mistake in {what}"), one, &seen.join("\n"));
    }
    Ok(())
}
