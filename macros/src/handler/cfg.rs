//! Whether a method is there at all: rustc strips its `#[cfg]`s only once the attribute has seen it.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Meta, Token};

/// What the attributes demand, all of them.
pub(crate) fn conditions<'a>(attributes: impl IntoIterator<Item = &'a Meta>) -> Option<TokenStream> {
    let conditions: Vec<_> = attributes.into_iter().filter_map(condition).collect();
    match conditions.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(quote!(all(#(#several),*))),
    }
}

/// That of one attribute: a `#[cfg]`, or a `#[cfg_attr]` that has one in it.
fn condition(attribute: &Meta) -> Option<TokenStream> {
    if let Some((predicate, attributes)) = conditional(attribute) {
        let conditions = conditions(&attributes)?;
        return Some(quote!(any(not(#predicate), #conditions)));
    }
    attribute.require_list().ok().filter(|cfg| cfg.path.is_ident("cfg")).map(|cfg| cfg.tokens.clone())
}

/// What a `#[cfg_attr]` asks, and the attributes in it.
pub(crate) fn conditional(attribute: &Meta) -> Option<(TokenStream, Punctuated<Meta, Token![,]>)> {
    let list = attribute.require_list().ok().filter(|list| list.path.is_ident("cfg_attr"))?;
    let mut tokens = list.tokens.clone().into_iter();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let predicate = tokens.by_ref().take_while(|token| !is_comma(token)).collect();
    let attributes = Punctuated::parse_terminated.parse2(tokens.collect()).ok()?;
    Some((predicate, attributes))
}
