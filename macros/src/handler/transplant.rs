//! A type written in the user's block, for use in the impl that is generated beside it.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Type};

use crate::crate_path::moved_to;

/// How types are rewritten for the one method that they come from.
pub(crate) struct Transplant<'a> {
    self_type: &'a Type,
    /// Those of the block and of the method. They have no meaning outside, so each becomes `'_`.
    lifetimes: Vec<String>,
}

impl<'a> Transplant<'a> {
    pub(crate) fn new(self_type: &'a Type, generics: [&Generics; 2]) -> Self {
        let lifetimes = generics.into_iter().flat_map(Generics::lifetimes);
        Self { self_type, lifetimes: lifetimes.map(|parameter| parameter.lifetime.ident.to_string()).collect() }
    }

    pub(crate) fn apply(&self, ty: &Type) -> TokenStream {
        self.rewrite(ty.to_token_stream())
    }

    /// Tokens, not syntax: so `Self` and lifetimes are found wherever a type may have them, be it in a macro.
    fn rewrite(&self, tokens: TokenStream) -> TokenStream {
        let mut rewritten = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        let mut after_apostrophe = false;
        while let Some(token) = tokens.next() {
            let before = std::mem::replace(&mut after_apostrophe, is_punct(&token, '\''));
            match token {
                TokenTree::Ident(name) if before && self.lifetimes.iter().any(|lifetime| name == lifetime) => {
                    rewritten.extend(moved_to(name.span(), quote!(_)));
                }
                TokenTree::Ident(name) if name == "Self" => {
                    let self_type = self.self_type;
                    // `Self::Error` needs the brackets, as `Option<u8>::Error` would.
                    let is_prefix = tokens.peek().is_some_and(|next| is_punct(next, ':'));
                    let own = if is_prefix { quote!(<#self_type>) } else { quote!(#self_type) };
                    rewritten.extend(moved_to(name.span(), own));
                }
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.rewrite(group.stream()));
                    inner.set_span(group.span());
                    rewritten.extend([TokenTree::Group(inner)]);
                }
                token => rewritten.extend([token]),
            }
        }
        rewritten
    }
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::{Generics, Type, parse_quote};

    use super::Transplant;

    #[test]
    fn types_mean_the_same_outside() {
        let self_type: Type = parse_quote!(Conn<S>);
        let (block, method): (Generics, Generics) = (parse_quote!(<'b, S>), parse_quote!(<'a>));
        let transplant = Transplant::new(&self_type, [&block, &method]);
        for (written, expected) in [
            ("&'a mut Reader", "&'_ mut Reader"),
            ("io::Result<Self>", "io::Result<Conn<S>>"),
            ("Result<(), Self::Error>", "Result<(), <Conn<S>>::Error>"),
            ("&'static [u8; Self::N]", "&'static [u8; <Conn<S>>::N]"),
            ("Box<dyn for<'c> Fn(&'c u8, &'b u8)>", "Box<dyn for<'c> Fn(&'c u8, &'_ u8)>"),
        ] {
            let written: Type = syn::parse_str(written).unwrap();
            let expected: Type = syn::parse_str(expected).unwrap();
            let applied = transplant.apply(&written).to_string();
            assert_eq!(applied, expected.to_token_stream().to_string());
        }
    }
}
