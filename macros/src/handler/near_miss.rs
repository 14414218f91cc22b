//! Methods that were to be hooks, but are spelt so that nobody would ever call them.

use proc_macro2::{TokenStream, TokenTree};
use syn::Ident;

use super::block::Method;
use super::check::HOOKS;
use crate::errors::Errors;
use crate::suggest::distance;

/// Reports them, and returns the hooks that were meant.
///
/// A method is a near miss if all of this holds: the hook that it resembles is not in the block; no other method of
/// the block names it, for then it is a helper in use; and it is one edit away from the hook (two from `handle`,
/// without which the block is wrong anyway), or Python's or another framework's word for it.
pub(crate) fn check(methods: &[Method], errors: &mut Errors) -> Vec<&'static str> {
    let is_there = |hook: &str| methods.iter().any(|method| method.signature.ident == hook);
    let mut meant = Vec::new();
    for method in methods.iter().filter(|method| !method.has_role()) {
        let name = &method.signature.ident;
        let hook = HOOKS.into_iter().find(|hook| !is_there(hook) && resembles(&name.to_string(), hook));
        let Some(hook) = hook.filter(|_| !is_called(name, methods)) else { continue };
        errors.at(
            name,
            format!(
                "`{name}` is not called by the server; did you mean `{hook}`?\n\
                 = help: if it is a helper, move it to an `impl` block without `#[handler]`"
            ),
        );
        meant.push(hook);
    }
    meant
}

fn resembles(name: &str, hook: &str) -> bool {
    let synonyms: &[&str] = match hook {
        "finish" => &["teardown", "tear_down", "tearDown"],
        _ => &[],
    };
    let near = if hook == "handle" { 2 } else { 1 };
    synonyms.contains(&name) || distance(name.strip_prefix("on_").unwrap_or(name), hook) <= near
}

fn is_called(name: &Ident, methods: &[Method]) -> bool {
    methods.iter().any(|method| method.signature.ident != *name && mentions(method.body.clone(), name))
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::resembles;

    #[test]
    fn only_what_nobody_writes_on_purpose_resembles_a_hook() {
        for (name, hook) in [
            ("hanlde", "handle"),
            ("handel", "handle"),
            ("Handle", "handle"),
            ("handler", "handle"),
            ("on_handle", "handle"),
            ("set_up", "setup"),
            ("setUp", "setup"),
            ("setpu", "setup"),
            ("on_setup", "setup"),
            ("finnish", "finish"),
            ("on_finish", "finish"),
            ("teardown", "finish"),
            ("tearDown", "finish"),
        ] {
            assert!(resembles(name, hook), "{name}");
        }
        for (name, hook) in [
            ("shout", "setup"),
            ("step", "setup"),
            ("reset", "setup"),
            ("set", "setup"),
            ("setting", "setup"),
            ("finished", "finish"),
            ("refresh", "finish"),
            ("fetch", "finish"),
            ("flush", "finish"),
            ("find", "finish"),
            ("candle", "setup"),
            ("handshake", "handle"),
            ("send", "handle"),
            ("on_line", "handle"),
        ] {
            assert!(!resembles(name, hook), "{name}");
        }
    }
}
