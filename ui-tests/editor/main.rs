//! A session with rust-analyzer, as an editor has it: what it knows of a server, while it is typed and when it is done.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The cursor is at `$0`.
const HANDLER: &str = "\
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
    let mut failures = 0;
    let mut check = |what: &str, holds: bool, seen: &str| {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
        if !holds {
            println!("       {seen}");
            failures += 1;
        }
    };

    let whole = |body: &str, usage: &str| HANDLER.replace("BODY", body).replace("USE", usage);

    // Completion.
    for (what, text, expected) in [
        ("methods of the server, in a hook's body", whole("self.$0", ""), "shout"),
        ("methods of an argument, in a hook's body", whole("input.$0", ""), "next_line"),
        ("methods of an argument, half typed", whole("let line = output.try_$0", ""), "try_clone"),
        ("arguments, in a hook's body", whole("inp$0", ""), "input"),
        ("what the attribute adds", whole("", "upper.$0"), "bind"),
        ("the builder that it adds", whole("", "upper.$0"), "builder"),
        ("the constants that it adds", whole("", "Upper::$0"), "TRANSPORT"),
        ("the options of the builder", whole("", "upper.builder().$0"), "max_threads"),
        ("the methods of what is bound", whole("", "upper.bind(\"\").unwrap().$0"), "serve_forever"),
    ] {
        let labels = editor.completions(&text)?;
        check(
            &format!("completion: {what}"),
            labels.iter().any(|label| label.starts_with(expected)),
            &labels.join(" "),
        );
    }

    // Hover and definition.
    for (what, text, expected) in [
        ("an argument", whole("in$0put.next_line();", ""), "Reader"),
        ("a method of an argument", whole("input.next_li$0ne();", ""), "line"),
        ("a helper", whole("self.sho$0ut();", ""), "A helper of the handler."),
        ("`bind`", whole("", "upper.bi$0nd(\"\");"), "Binds the address"),
        ("`builder`", whole("", "upper.buil$0der();"), "Starts from the options"),
        ("a constant", whole("", "Upper::MIX_$0IN;"), "Who processes them"),
    ] {
        let seen = editor.hover(&text)?;
        check(&format!("hover: {what}"), seen.contains(expected), &seen);
    }
    for (what, text, expected) in [
        ("an argument", whole("in$0put.next_line();", ""), "main.rs"),
        ("a method of an argument", whole("input.next_li$0ne();", ""), "reader.rs"),
        ("the type of an argument", whole("", "").replace("&mut Reader,", "&mut Rea$0der,"), "reader.rs"),
        ("a helper", whole("self.sho$0ut();", ""), "main.rs"),
        ("`bind` leads to the struct", whole("", "upper.bi$0nd(\"\");"), "main.rs"),
        ("an option of the attribute", whole("", "").replace("max_threads = 8", "max_thr$0eads = 8"), "options.rs"),
    ] {
        let seen = editor.definition(&text)?;
        check(&format!("definition: {what}"), seen.contains(expected), &seen);
    }

    // Half typed: the item and its methods are still known.
    let attribute = "max_threads = 8";
    let arguments = "input: &mut Reader, output: &mut Writer";
    for (what, text) in [
        ("a body", whole("let line = input.", "upper.$0")),
        ("a body without its end", whole("if let Some(line) = input.next_line(", "upper.$0")),
        ("an attribute's value", whole("", "upper.$0").replace(attribute, "max_threads = ")),
        ("an attribute's word", whole("", "upper.$0").replace(attribute, "max_thr")),
        ("an attribute's path", whole("", "upper.$0").replace(attribute, "timeout = Duration::")),
        ("an argument without its type", whole("", "upper.$0").replace(arguments, "input: ")),
        ("an argument's reference", whole("", "upper.$0").replace(arguments, "input: &mut ")),
        ("an argument's name", whole("", "upper.$0").replace(arguments, "input")),
        ("the argument of `#[handler]`", whole("", "upper.$0").replace("#[handler]", "#[handler(crate = )]")),
    ] {
        let labels = editor.completions(&text)?;
        let known =
            ["bind", "builder", "shout", "handle"].map(|name| labels.iter().any(|label| label.starts_with(name)));
        check(&format!("half typed: {what}"), known == [true; 4], &labels.join(" "));
    }

    // Diagnostics.
    let finished = whole("let _ = (input.next_line(), output.try_clone());", "let _ = upper.bind(\"127.0.0.1:0\");");
    let seen = editor.diagnostics(&finished)?;
    check("diagnostics: none on a finished program", seen.is_empty(), &seen.join("\n       "));
    let seen = editor.diagnostics(&finished.replace("threading", "threadign"))?;
    let [only] = seen.as_slice() else {
        check("diagnostics: one for one mistake", false, &seen.join("\n       "));
        return Ok(failures);
    };
    check("diagnostics: one for one mistake", only.contains("did you mean `threading`?"), only);
    for example in ["upper", "chat", "time"] {
        let text = fs::read_to_string(format!("{}/../examples/{example}.rs", env!("CARGO_MANIFEST_DIR")))?;
        let seen = editor.diagnostics(&text)?;
        check(&format!("diagnostics: none on the example `{example}`"), seen.is_empty(), &seen.join("\n       "));
    }
    Ok(failures)
}

/// A package that depends on the runtime, for as long as this lives.
struct Program(PathBuf);

impl Program {
    fn create() -> Result<Self> {
        let folder = env::temp_dir().join(format!("socketserver-editor-{}", std::process::id()));
        fs::create_dir_all(folder.join("src"))?;
        let program = Self(folder);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let manifest = format!(
            "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\nsocketserver.path = \"{}\"\n\n[workspace]\n",
            workspace.join("runtime").display()
        );
        fs::write(program.0.join("Cargo.toml"), manifest)?;
        fs::copy(workspace.join("Cargo.lock"), program.0.join("Cargo.lock"))?;
        fs::write(program.file(), "fn main() {}\n")?;
        Ok(program)
    }

    fn file(&self) -> PathBuf {
        self.0.join("src/main.rs")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The client's end of the Language Server Protocol: JSON-RPC over the server's standard streams.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    file: String,
    version: u32,
    requests: u64,
}

impl Editor {
    /// Returns when the package is loaded, and its macros are built.
    fn start(server: &str, program: &Program) -> Result<Self> {
        let mut server =
            Command::new(server).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(&program.0).spawn()?;
        let (input, output) = (server.stdin.take(), server.stdout.take());
        let mut editor = Self {
            server,
            input: input.ok_or("no standard input")?,
            output: BufReader::new(output.ok_or("no standard output")?),
            file: format!("file://{}", program.file().display()),
            version: 0,
            requests: 0,
        };
        let parameters = json!({
            "processId": null,
            "rootUri": format!("file://{}", program.0.display()),
            "capabilities": {
                "experimental": { "serverStatusNotification": true },
                "textDocument": {
                    "hover": { "contentFormat": ["markdown"] },
                    "diagnostic": {},
                },
            },
            "initializationOptions": {
                "cargo": { "buildScripts": { "enable": true } },
                "procMacro": { "enable": true },
                "checkOnSave": false,
            },
        });
        editor.request("initialize", &parameters)?;
        editor.notify("initialized", &json!({}))?;
        editor.notify(
            "textDocument/didOpen",
            &json!({ "textDocument": { "uri": editor.file, "languageId": "rust", "version": 0, "text": "" } }),
        )?;
        loop {
            let message = editor.receive()?;
            if message["method"] == "experimental/serverStatus" && message["params"]["quiescent"] == true {
                let health = &message["params"];
                println!("rust-analyzer is ready: {} {}", health["health"], health["message"]);
                return Ok(editor);
            }
        }
    }

    fn completions(&mut self, text: &str) -> Result<Vec<String>> {
        let answer = self.ask("textDocument/completion", text)?;
        let items = answer["items"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        Ok(items.iter().filter_map(|item| Some(item["label"].as_str()?.to_owned())).collect())
    }

    fn hover(&mut self, text: &str) -> Result<String> {
        let answer = self.ask("textDocument/hover", text)?;
        Ok(answer["contents"]["value"].as_str().unwrap_or_default().to_owned())
    }

    /// The files where it is defined.
    fn definition(&mut self, text: &str) -> Result<String> {
        Ok(self.ask("textDocument/definition", text)?.to_string())
    }

    fn diagnostics(&mut self, text: &str) -> Result<Vec<String>> {
        self.change(text)?;
        let answer = self.request("textDocument/diagnostic", &json!({ "textDocument": { "uri": self.file } }))?;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let line = |item: &Value| item["range"]["start"]["line"].as_u64().map_or(0, |line| line + 1);
        // Hints, such as on code that a `#[cfg]` leaves out, are no errors.
        let errors = items.iter().filter(|item| item["severity"].as_u64() <= Some(2));
        Ok(errors.map(|item| format!("line {}: {} ({})", line(item), item["message"], item["code"])).collect())
    }

    /// Asks about the place of the cursor.
    fn ask(&mut self, method: &str, text: &str) -> Result<Value> {
        let (before, after) = text.split_once("$0").ok_or("no cursor")?;
        self.change(&format!("{before}{after}"))?;
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().map_or(0, str::len);
        let position = json!({ "line": line, "character": character });
        self.request(method, &json!({ "textDocument": { "uri": self.file }, "position": position }))
    }

    fn change(&mut self, text: &str) -> Result<()> {
        self.version += 1;
        let document = json!({ "uri": self.file, "version": self.version });
        let changes = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", &changes)
    }

    fn request(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        loop {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }))?;
            let answer = loop {
                let message = self.receive()?;
                if message["id"] == id && message["method"].is_null() {
                    break message;
                }
            };
            // The server was not done with the last change: ask again.
            let again = [-32801, -32802].map(Some).contains(&answer["error"]["code"].as_i64());
            if !again {
                let failure = answer["error"]["message"].as_str().map(ToOwned::to_owned);
                return failure.map_or_else(|| Ok(answer["result"].clone()), |failure| Err(failure.into()));
            }
        }
    }

    fn notify(&mut self, method: &str, parameters: &Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": parameters }))
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let message = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{message}", message.len())?;
        Ok(self.input.flush()?)
    }

    /// The next message. What the server asks of its client is answered with nothing.
    fn receive(&mut self) -> Result<Value> {
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.output.read_line(&mut header)? == 0 {
                return Err("rust-analyzer has ended".into());
            }
            match header.trim_end().strip_prefix("Content-Length: ") {
                Some(value) => length = value.parse()?,
                None if header.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut message = vec![0; length];
        self.output.read_exact(&mut message)?;
        let message: Value = serde_json::from_slice(&message)?;
        if !message["method"].is_null() && !message["id"].is_null() {
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }))?;
        }
        Ok(message)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
