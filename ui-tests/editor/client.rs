//! A package to edit, and an editor's end of the Language Server Protocol.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::Result;

/// A package that depends on the runtime, for as long as this lives.
pub(crate) struct Program(PathBuf);

impl Program {
    pub(crate) fn create() -> Result<Self> {
        let folder = env::temp_dir().join(format!("socketserver-editor-{}", std::process::id()));
        fs::create_dir_all(folder.join("src"))?;
        let program = Self(folder);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let manifest = format!(
            "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\nsocketserver = {{ path = \"{}\", features = [\"signals\"] }}\n\n[workspace]\n",
            workspace.join("runtime").display()
        );
        fs::write(program.0.join("Cargo.toml"), manifest)?;
        fs::copy(workspace.join("Cargo.lock"), program.0.join("Cargo.lock"))?;
        fs::write(program.file(), "fn main() {}\n")?;
        // The modules of the examples, where those look for them.
        for folder in fs::read_dir(workspace.join("examples"))? {
            let folder = folder?;
            if folder.file_type()?.is_dir() {
                let copy = program.0.join("src").join(folder.file_name());
                fs::create_dir(&copy)?;
                for module in fs::read_dir(folder.path())? {
                    let module = module?;
                    fs::copy(module.path(), copy.join(module.file_name()))?;
                }
            }
        }
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
pub(crate) struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    file: String,
    version: u32,
    requests: u64,
}

impl Editor {
    /// Returns when the package is loaded, and its macros are built.
    pub(crate) fn start(server: &str, program: &Program) -> Result<Self> {
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

    pub(crate) fn completions(&mut self, text: &str) -> Result<Vec<String>> {
        let answer = self.ask("textDocument/completion", text)?;
        let items = answer["items"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        Ok(items.iter().filter_map(|item| Some(item["label"].as_str()?.to_owned())).collect())
    }

    pub(crate) fn hover(&mut self, text: &str) -> Result<String> {
        let answer = self.ask("textDocument/hover", text)?;
        Ok(answer["contents"]["value"].as_str().unwrap_or_default().to_owned())
    }

    /// Where it is defined: the line itself if that is in the text, else the file.
    pub(crate) fn definition(&mut self, text: &str) -> Result<String> {
        let answer = self.ask("textDocument/definition", text)?;
        let places = answer.as_array().cloned().unwrap_or_else(|| vec![answer]);
        let place = |place: &Value| {
            let uri = place["uri"].as_str()?;
            let line = usize::try_from(place["range"]["start"]["line"].as_u64()?).ok()?;
            let own = (uri == self.file).then(|| text.lines().nth(line)).flatten();
            Some(own.unwrap_or(uri).replace("$0", ""))
        };
        Ok(places.iter().filter_map(place).collect::<Vec<_>>().join("\n"))
    }

    pub(crate) fn diagnostics(&mut self, text: &str) -> Result<Vec<String>> {
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
