//! Compiles the programs of `own`, `rustc` and `pass`. `README.md` says how to add one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release whose messages are in `rustc/`.
const PINNED: &str = "1.95.0";

/// What the macros themselves say, which no compiler changes.
#[test]
fn own_messages() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("own/*/*.rs");
}

/// One mistake is one error, and a correct use of the server below it does not add another.
#[test]
fn each_mistake_has_one_error() {
    let cases: Vec<_> = ["own", "rustc"].into_iter().flat_map(cases).collect();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    for case in cases {
        let source = fs::read_to_string(&case).unwrap();
        let name = case.file_stem().unwrap().to_str().unwrap();
        let is_used = source.contains(".serve_forever()");
        assert!(is_used || NOTHING_TO_SERVE.contains(&name), "{} uses no server", case.display());
        assert_eq!(errors(&case).len(), mistakes(&source), "{}", case.display());
    }
}

/// Mistakes that leave no server.
const NOTHING_TO_SERVE: &[&str] = &["not_an_impl", "not_a_struct", "not_a_server", "not_a_server_of_a_session"];

/// Each message of ours says what is right.
#[test]
fn each_mistake_has_an_answer() {
    for case in cases("own") {
        for error in errors(&case) {
            assert!(error.contains("= help: "), "{} gives no answer:\n{error}", case.display());
        }
    }
}

fn errors(case: &Path) -> Vec<String> {
    let messages = fs::read_to_string(case.with_extension("stderr"));
    let messages = messages.unwrap_or_else(|_| panic!("{} is not blessed yet", case.display()));
    messages.split("\n\n").filter(|message| message.starts_with("error")).map(ToOwned::to_owned).collect()
}

/// What the first line says: `#![allow(unused)] // 2 mistakes`, or `// 2 errors: why`; else it is one.
fn mistakes(source: &str) -> usize {
    let comment = source.lines().next().and_then(|line| line.split_once("// "));
    comment
        .map_or(1, |(_, comment)| comment.split(' ').next().and_then(|number| number.parse().ok()).expect("a number"))
}

/// The cases of a folder, in a folder for each subject.
fn cases(folder: &str) -> Vec<PathBuf> {
    let folders = ["handler", "messages", "socket_server"].map(|subject| Path::new(folder).join(subject));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// What rustc says of the traits behind them, in the words of one release.
#[test]
fn compiler_messages() {
    let version = rustc_version();
    if !version.starts_with(&format!("rustc {PINNED} ")) {
        eprintln!("skipped: these messages are compared with those of rustc {PINNED}, and this is {}", version.trim());
        return;
    }
    let tests = trybuild::TestCases::new();
    tests.compile_fail("rustc/*/*.rs");
}

/// What must compile.
#[test]
fn pass() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs").stdout;
    String::from_utf8_lossy(&version).into_owned()
}
