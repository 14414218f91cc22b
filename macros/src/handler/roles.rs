//! What the attributes on methods say: which method is a command, which gets messages, which answers errors.

use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token};

use super::block::{Block, Method};
use super::cfg::conditional;
use super::check::{Form, HOOKS, Hook};
use crate::errors::Errors;
use crate::suggest::closest;

const ATTRIBUTES: [&str; 4] = ["command", "message", "otherwise", "on_error"];

/// What a server has already; a session has not.
const OF_THE_SERVER: [&str; 2] = ["bind", "builder"];

/// The runtime compares no more of a name.
const LONGEST_NAME: usize = 64;
const TOO_LONG: &str = "the name of a command has at most 64 bytes";

/// The methods with a role, each a list because of `#[cfg]`.
#[derive(Default)]
pub(crate) struct Roles<'a> {
    pub(crate) commands: Vec<Command<'a>>,
    pub(crate) message: Vec<Hook<'a>>,
    pub(crate) otherwise: Vec<Hook<'a>>,
    pub(crate) on_error: Vec<Hook<'a>>,
}

pub(crate) struct Command<'a> {
    pub(crate) hook: Hook<'a>,
    /// In lower case.
    pub(crate) names: Vec<LitStr>,
    /// The first paragraph of its documentation.
    pub(crate) text: String,
}

impl<'a> Roles<'a> {
    pub(crate) fn check(block: &'a Block, form: Form, errors: &mut Errors) -> Self {
        let mut roles = Self::default();
        for stray in &block.strays {
            let example = "`#[command] fn get(&self, key: &str) -> Option<String> { .. }`";
            errors.at(stray, format!("only a method can be called for a message\n= help: for example {example}"));
        }
        for method in &block.methods {
            roles.add(method, form, errors);
        }
        roles.check_names(errors);
        roles.check_company(errors);
        roles
    }

    /// Whether they handle the request, so that there is no `handle`.
    pub(crate) fn handle(&self) -> bool {
        !self.commands.is_empty() || !self.message.is_empty()
    }

    fn add(&mut self, method: &'a Method, form: Form, errors: &mut Errors) {
        let mut earlier = None;
        for attribute in &method.attributes {
            let Some(role) = role(attribute, errors) else { continue };
            let hook = Hook::new(method);
            if let Some(earlier) = earlier {
                let message = if earlier == role {
                    format!("`#[{role}]` is here twice\n= help: leave out one of the two")
                } else {
                    format!("`#[{earlier}]` and `#[{role}]` on one method\n= help: write a method for each")
                };
                errors.at(attribute, message);
                continue;
            }
            earlier = Some(role);
            if HOOKS.iter().any(|name| hook.name == name) {
                errors.at(
                    hook.name,
                    format!(
                        "`{}` is a hook, and cannot be marked `#[{role}]`\n= help: {}",
                        hook.name,
                        rename(role, &hook)
                    ),
                );
            }
            if form == Form::Shared && OF_THE_SERVER.iter().any(|name| hook.name == name) {
                errors.at(
                    hook.name,
                    format!(
                        "`{}` is a method that `#[socket_server]` gives the server\n= help: {}",
                        hook.name,
                        rename(role, &hook)
                    ),
                );
            }
            match role {
                // Two of a name without `#[cfg]` are rustc's to refuse.
                "command"
                    if hook.cfg.is_none() && self.commands.iter().any(|earlier| earlier.hook.is_always(hook.name)) =>
                {
                    continue;
                }
                "command" => {
                    let names = names(attribute, &hook, errors);
                    self.commands.push(Command { hook, names, text: first_paragraph(&method.attributes) });
                    continue;
                }
                "message" => self.message.push(hook),
                "otherwise" => self.otherwise.push(hook),
                _ => self.on_error.push(hook),
            }
            if !matches!(attribute.meta, Meta::Path(_)) {
                errors.at(attribute, format!("`#[{role}]` takes no argument\n= help: write `#[{role}]`"));
            }
        }
    }

    fn check_names(&self, errors: &mut Errors) {
        let mut seen: Vec<(String, bool)> = Vec::new();
        for command in &self.commands {
            for name in &command.names {
                let text = name.value();
                let conditional = command.hook.cfg.is_some();
                if seen.iter().any(|(earlier, either)| *earlier == text && !(*either && conditional)) {
                    errors.at(
                        name,
                        format!("there is a command `{text}` already; letter case makes no difference\n= help: give it another name, as in `#[command(\"other\")]`"),
                    );
                }
                seen.push((text, conditional));
            }
        }
    }

    fn check_company(&self, errors: &mut Errors) {
        for (role, hooks) in [("message", &self.message), ("otherwise", &self.otherwise), ("on_error", &self.on_error)]
        {
            for again in hooks.iter().filter(|hook| hook.cfg.is_none()).skip(1) {
                errors.at(again.name, format!("a handler has one `#[{role}]`\n= help: leave out all but one"));
            }
        }
        match (self.commands.first(), self.message.first()) {
            (Some(_), Some(message)) => errors.at(
                message.name,
                "a message is either a command or taken whole: there are `#[command]`s here\n\
                 = help: `#[otherwise]` takes the messages that are no command",
            ),
            (None, None) => {
                if let Some(alone) = self.on_error.first().filter(|_| self.otherwise.is_empty()) {
                    errors.at(
                        alone.name,
                        "`#[on_error]` answers the errors of `#[command]`s or a `#[message]`, and there are none\n\
                         = help: mark the methods with `#[command]`, or return the error from `handle`",
                    );
                }
            }
            _ => {}
        }
        if let Some(alone) = self.otherwise.first().filter(|_| self.commands.is_empty()) {
            errors.at(
                alone.name,
                "`#[otherwise]` takes what is no `#[command]`, and there are none\n= help: `#[message]` takes all messages",
            );
        }
    }
}

/// The role that the attribute gives; one that only looks like it is reported.
fn role(attribute: &Attribute, errors: &mut Errors) -> Option<&'static str> {
    if let Some((_, conditional)) = conditional(&attribute.meta) {
        for role in conditional.iter().filter(|role| is_role(role)) {
            errors.at(
                role.path(),
                "no role can stand in a `#[cfg_attr]`: `#[handler]` does not know whether it holds\n\
                 = help: write two methods, the one with a role under `#[cfg(..)]`, the other under `#[cfg(not(..))]`",
            );
        }
    }
    let name = word(attribute.path())?;
    let word = name.to_string();
    let meant = meant(&word)?;
    if attribute.path().get_ident().is_none() {
        errors.at(
            attribute.path(),
            format!("`#[{meant}]` has no path: it is `#[handler]` that reads it\n= help: write `#[{meant}]`"),
        );
        return None;
    }
    if word == meant {
        return Some(meant);
    }
    errors.at(name, format!("`#[{word}]` is no attribute of a handler's method\n= help: did you mean `#[{meant}]`?"));
    None
}

/// Whether an attribute gives a role, or must have been meant to.
pub(crate) fn is_role(attribute: &Meta) -> bool {
    word(attribute.path()).is_some_and(|word| meant(&word.to_string()).is_some())
        || conditional(attribute).is_some_and(|(_, attributes)| attributes.iter().any(is_role))
}

/// The word of an attribute, also behind our own path. Any other path, as in `#[errors::context]`, is another's.
fn word(path: &Path) -> Option<&Ident> {
    let is_ours = path.segments.len() == 2 && path.segments[0].ident == "socketserver";
    if is_ours { path.segments.last().map(|word| &word.ident) } else { path.get_ident() }
}

/// The attribute that the word is, or must have been meant to be.
fn meant(word: &str) -> Option<&'static str> {
    match word {
        "cmd" | "commands" => Some("command"),
        "messages" | "on_message" => Some("message"),
        "error" | "onerror" | "errors" => Some("on_error"),
        "default" | "fallback" | "unknown" => Some("otherwise"),
        _ => closest(word, ATTRIBUTES),
    }
}

fn names(attribute: &Attribute, hook: &Hook<'_>, errors: &mut Errors) -> Vec<LitStr> {
    let own = || LitStr::new(&without_raw(&hook.name.to_string()).to_ascii_lowercase(), hook.name.span());
    let list = match &attribute.meta {
        Meta::Path(_) => {
            if own().value().len() > LONGEST_NAME {
                errors.at(hook.name, format!("{TOO_LONG}\n= help: give it a shorter one, as in `#[command(\"get\")]`"));
            }
            return vec![own()];
        }
        Meta::List(list) => list,
        Meta::NameValue(pair) => {
            errors.at(
                &pair.value,
                "the names of a command stand in parentheses\n= help: for example `#[command(\"get\")]`",
            );
            return vec![own()];
        }
    };
    let parsed = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    let expressions = match parsed {
        Ok(expressions) if !expressions.is_empty() => expressions,
        Ok(_) => {
            errors.at(list, "a command needs a name\n= help: `#[command]` alone takes the method's");
            return vec![own()];
        }
        Err(error) => {
            errors.push(error);
            return vec![own()];
        }
    };
    expressions.iter().filter_map(|expression| name(expression, errors)).collect()
}

fn name(expression: &Expr, errors: &mut Errors) -> Option<LitStr> {
    let Some(name) = text(expression) else {
        errors
            .at(expression, "the name of a command is a string\n= help: for example `#[command(\"get\", \"fetch\")]`");
        return None;
    };
    let text = name.value();
    let problem = if text.is_empty() {
        "the name of a command has at least one letter"
    } else if text.chars().any(char::is_whitespace) {
        "the name of a command is one word: a space would end it"
    } else if text.len() > LONGEST_NAME {
        TOO_LONG
    } else {
        return Some(LitStr::new(&text.to_ascii_lowercase(), name.span()));
    };
    errors.at(name, format!("{problem}\n= help: for example `#[command(\"get\", \"fetch\")]`"));
    None
}

fn rename(role: &str, hook: &Hook<'_>) -> String {
    let name = without_raw(&hook.name.to_string()).to_owned();
    if role == "command" {
        format!("give the method another name: `#[command(\"{name}\")] fn do_{name}(..)`")
    } else {
        "give the method another name".to_owned()
    }
}

fn without_raw(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The lines of the documentation up to an empty one, as one.
fn first_paragraph(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
        _ => None,
    });
    let lines = lines.map(|line| line.value().trim().to_owned());
    let text: Vec<_> = lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect();
    text.join(" ")
}

/// The string that is written there, or that a `macro_rules!` was given.
fn text(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}
