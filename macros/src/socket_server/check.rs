//! The meaning: which of the twelve servers it is, and what it is told.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Error, Expr, Ident, Lit};

use super::parse::{Argument, Value};
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::options::{CRATE, HOOKS, MIX_INS, OPTIONS, ServerOption, TRANSPORTS, listed, words};
use crate::python;
use crate::suggest::closest;

pub(crate) struct Composition<'a> {
    /// If nothing says which, there is an error.
    pub(crate) transport: Option<&'static str>,
    pub(crate) mix_in: &'static str,
    /// Where it is written, if it is.
    pub(crate) mix_in_span: Option<Span>,
    pub(crate) options: Vec<(&'a Ident, &'a Expr)>,
    pub(crate) user_writes_hooks: bool,
    pub(crate) crate_path: CratePath,
}

impl<'a> Composition<'a> {
    pub(crate) fn check(arguments: &'a [Argument], errors: &mut Errors) -> Self {
        // What was not understood may be the word that is missed.
        let mut in_doubt = !errors.is_empty();
        let mut transport = Choice::new("transport", TRANSPORTS);
        let mut mix_in = Choice::new("mix-in", MIX_INS);
        let mut options = Vec::new();
        let mut user_writes_hooks = false;
        let mut crate_path = CratePath::default();

        for (index, Argument { word, value }) in arguments.iter().enumerate() {
            let name = word.unraw().to_string();
            if arguments[..index].iter().any(|earlier| earlier.word == *word) {
                errors.at(word, format!("`{name}` is given twice\n= help: leave out one of the two"));
            } else if let Some(choice) = [&mut transport, &mut mix_in].into_iter().find(|choice| choice.knows(&name)) {
                choice.take(word, &name, errors);
                refuse_value(word, value, errors);
            } else if let Some(option) = OPTIONS.iter().find(|option| option.name == name) {
                options.push((option, word, value));
            } else if name == HOOKS {
                user_writes_hooks = true;
                refuse_value(word, value, errors);
            } else if name == CRATE {
                match value {
                    Value::Expr(path) => crate_path.set(path, errors),
                    _ => errors.at(word, "`crate` needs a value\n= help: for example `crate = ::socketserver`"),
                }
            } else {
                let meant = explain(word, &name, errors);
                in_doubt |= meant.is_empty() || matches!(value, Value::None);
                for meant in meant.split(", ") {
                    transport.guess(meant);
                    mix_in.guess(meant);
                    user_writes_hooks |= meant == HOOKS;
                }
            }
        }

        if transport.taken.is_empty() && !in_doubt {
            let span = arguments.first().map_or_else(Span::call_site, |first| first.word.span());
            let transports = listed(TRANSPORTS, "or");
            let example = "`#[socket_server(tcp, threading)]`";
            errors.push(Error::new(
                span,
                format!("which transport?\n= help: write one of {transports}, as in {example}"),
            ));
        }
        for (option, ..) in options.iter().filter(|(option, ..)| option.transports != TRANSPORTS) {
            transport.guess(option.transports[0]);
        }
        let options = options.into_iter().filter_map(|(option, word, value)| {
            check_fit(option, word, &transport, &mix_in, in_doubt, errors)?;
            Some((word, check_value(option, word, value, errors)?))
        });
        let options = options.collect();
        Self {
            transport: transport.word(),
            mix_in: mix_in.word().unwrap_or(MIX_INS[0]),
            mix_in_span: mix_in.span,
            options,
            user_writes_hooks,
            crate_path,
        }
    }
}

/// One word out of a few.
struct Choice {
    of: &'static str,
    words: &'static [&'static str],
    taken: Vec<&'static str>,
    guess: Option<&'static str>,
    /// Of the first that was taken.
    span: Option<Span>,
}

impl Choice {
    fn new(of: &'static str, words: &'static [&'static str]) -> Self {
        Self { of, words, taken: Vec::new(), guess: None, span: None }
    }

    fn find(&self, name: &str) -> Option<&'static str> {
        self.words.iter().copied().find(|word| *word == name)
    }

    fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn take(&mut self, word: &Ident, name: &str, errors: &mut Errors) {
        if let Some(first) = self.taken.first() {
            errors.at(
                word,
                format!(
                    "a server has one {}, and it is already `{first}`\n= help: for both, mark a struct for each",
                    self.of
                ),
            );
        }
        self.taken.extend(self.find(name));
        self.span.get_or_insert(word.span());
    }

    /// What a wrong word was to be: it keeps the handler and the uses of the server free of errors of their own.
    fn guess(&mut self, name: &str) {
        self.guess = self.guess.or(self.find(name));
    }

    fn word(&self) -> Option<&'static str> {
        self.taken.first().copied().or(self.guess)
    }
}

/// Says what is wrong with an unknown word, and returns what it was probably to be.
fn explain(word: &Ident, name: &str, errors: &mut Errors) -> &'static str {
    if name == "frame" {
        errors.at(word, "`frame` goes to the handler\n= help: write `#[handler(frame = ..)]`");
        ""
    } else if let Some(foreign) = python::translate(name) {
        let here = match foreign.ours {
            "" => format!("there is no `{name}` here"),
            ours => format!("`{name}` is `{ours}` here"),
        };
        errors.at(word, format!("{here}\n= help: {}", foreign.note));
        foreign.ours
    } else if let Some(meant) = closest(name, words()) {
        errors.at(word, format!("unknown argument `{name}`\n= help: did you mean `{meant}`?"));
        meant
    } else {
        let (transports, mix_ins) = (listed(TRANSPORTS, "or"), listed(MIX_INS, "or"));
        let options = listed(OPTIONS.iter().map(|option| &option.name).chain([&HOOKS, &CRATE]), "and");
        let help = format!("a transport is {transports}; a mix-in is {mix_ins}; the options are {options}");
        errors.at(word, format!("unknown argument `{name}`\n= help: {help}"));
        ""
    }
}

fn refuse_value(word: &Ident, value: &Value, errors: &mut Errors) {
    match value {
        Value::None => {}
        Value::Unfinished => errors.at(word, takes_no_value(word)),
        Value::Expr(value) => errors.at(value, takes_no_value(word)),
    }
}

fn takes_no_value(word: &Ident) -> String {
    format!("`{word}` takes no value\n= help: write `{word}` alone")
}

/// Whether the option is for such a server, where that is known for sure.
fn check_fit(
    option: &ServerOption,
    word: &Ident,
    transport: &Choice,
    mix_in: &Choice,
    in_doubt: bool,
    errors: &mut Errors,
) -> Option<()> {
    let transport = match transport.taken.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let mix_in = match mix_in.taken.as_slice() {
        [only] => Some(*only),
        [] if !in_doubt => Some(MIX_INS[0]),
        _ => None,
    };
    for (fitting, chosen) in [(option.transports, transport), (option.mix_ins, mix_in)] {
        match chosen {
            Some(chosen) if !fitting.contains(&chosen) => {
                let fitting = listed(fitting, "and");
                errors.at(
                    word,
                    format!("`{}` is for {fitting}; this server is `{chosen}`\n= help: leave it out", option.name),
                );
                return None;
            }
            _ => {}
        }
    }
    Some(())
}

fn check_value<'a>(option: &ServerOption, word: &Ident, value: &'a Value, errors: &mut Errors) -> Option<&'a Expr> {
    let ServerOption { name, example, .. } = option;
    match value {
        Value::Expr(value) if option.at_least_one && is_zero(value) => {
            errors.at(value, format!("`{name}` must be at least 1\n= help: leave it out for the default"));
            None
        }
        Value::Expr(value) => Some(value),
        Value::None | Value::Unfinished => {
            errors.at(word, format!("`{name}` needs a value\n= help: for example `{name} = {example}`"));
            None
        }
    }
}

fn is_zero(value: &Expr) -> bool {
    match value {
        Expr::Lit(literal) => matches!(&literal.lit, Lit::Int(number) if number.base10_digits() == "0"),
        Expr::Group(group) => is_zero(&group.expr),
        Expr::Paren(paren) => is_zero(&paren.expr),
        _ => false,
    }
}
