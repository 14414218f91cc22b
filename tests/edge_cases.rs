//! `EDGE-CASES.md` is true: every case of its lists is there, and every test that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One row of a list: its number, and what it says where the case is tested.
struct Case<'a> {
    number: usize,
    proof: &'a str,
}

fn document() -> String {
    fs::read_to_string(root().join("tests/EDGE-CASES.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The rows of the tables under one heading: `| 7 | what may happen | where it is tested |`.
fn cases<'a>(document: &'a str, heading: &str) -> Vec<Case<'a>> {
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let row = |line: &'a str| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
        let number = cells.next()?.parse().ok()?;
        let proof = cells.next_back()?;
        Some(Case { number, proof })
    };
    section.lines().filter_map(row).collect()
}

/// The tests that a row names: `file::test`, in backticks.
fn tests<'a>(case: &Case<'a>) -> Vec<(&'a str, &'a str)> {
    let quoted = case.proof.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once("::")).collect()
}

/// Whether the file has such a test: in the list of a binary without harness, else marked as one. A function that only
/// has the name is none, and neither is a test in a file that no target builds.
fn exists(file: &str, test: &str) -> bool {
    let path = if file.contains('/') { format!("{file}.rs") } else { format!("tests/{file}.rs") };
    let source: String = fs::read_to_string(root().join(&path)).unwrap_or_default().split_whitespace().collect();
    let is_listed = source.contains(&format!("(\"{test}\","));
    let is_marked = source.contains(&format!("#[test]fn{test}("));
    let Some(name) = path.strip_prefix("tests/") else { return is_marked };
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml")).unwrap();
    let target = manifest.split("[[test]]").find(|target| target.contains(&format!("path = \"{name}\"")));
    target.is_some_and(|target| if target.contains("harness = false") { is_listed } else { is_marked })
}

#[test]
fn every_number_of_both_lists_is_there_once() {
    let document = document();
    for (heading, last) in [("Faults", 45), ("Pains", 53)] {
        let numbers: Vec<_> = cases(&document, heading).iter().map(|case| case.number).collect();
        assert!(numbers.iter().copied().eq(1..=last), "{heading}: {numbers:?}");
    }
}

#[test]
fn every_case_names_tests_that_exist_or_says_why_not() {
    let document = document();
    let mut missing = BTreeSet::new();
    for heading in ["Faults", "Pains"] {
        for case in cases(&document, heading) {
            let tests = tests(&case);
            let is_explained = case.proof.strip_prefix("not applicable: ").is_some_and(|why| why.len() > 10);
            assert!(!tests.is_empty() || is_explained, "{heading} {}: `{}`", case.number, case.proof);
            missing.extend(tests.into_iter().filter(|(file, test)| !exists(file, test)));
        }
    }
    assert!(missing.is_empty(), "tests that do not exist: {missing:?}");
}
