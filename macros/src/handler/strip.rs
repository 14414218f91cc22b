//! The block without the attributes that only `#[handler]` understands.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use syn::parse::{ParseStream, Parser as _};
use syn::{Meta, Path, Result};

use super::roles::is_role;

/// Removes them, and what must have been meant to be one of them and was reported. On tokens, not syntax, so that a
/// block that cannot be parsed has no second error because of them.
pub(crate) fn strip(item: &TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    if let Some(TokenTree::Group(braces)) = tokens.last_mut() {
        if braces.delimiter() == Delimiter::Brace {
            let mut stripped = Group::new(Delimiter::Brace, without_attributes(braces.stream()));
            stripped.set_span(braces.span());
            *braces = stripped;
        }
    }
    tokens.into_iter().collect()
}

fn without_attributes(body: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_pound = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_pound && tokens.next_if(is_ours).is_some() {
            continue;
        }
        kept.push(match token {
            TokenTree::Group(method) if method.delimiter() == Delimiter::None => without_attributes_of(&method),
            token => token,
        });
    }
    kept.into_iter().collect()
}

/// What a `macro_rules!` was given as an `$item:item`.
fn without_attributes_of(method: &Group) -> TokenTree {
    let mut stripped = Group::new(Delimiter::None, without_attributes(method.stream()));
    stripped.set_span(method.span());
    stripped.into()
}

fn is_ours(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let attribute = syn::parse2(group.stream()).or_else(|_| half_typed.parse2(group.stream()));
    group.delimiter() == Delimiter::Bracket && attribute.is_ok_and(|attribute| is_role(&attribute))
}

/// The word of an attribute, whatever follows it.
fn half_typed(input: ParseStream<'_>) -> Result<Meta> {
    let path = input.call(Path::parse_mod_style)?;
    input.parse::<TokenStream>()?;
    Ok(Meta::Path(path))
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group};
    use quote::quote;

    use super::strip;

    #[test]
    fn an_attribute_of_another_crate_is_kept() {
        let block = quote!(impl Server { #[command("a")] #[errors::context] #[comand = ] #[inline] fn a(&self) {} });
        let stripped = quote!(impl Server { #[errors::context] #[inline] fn a(&self) {} });
        assert_eq!(strip(&block).to_string(), stripped.to_string());
    }

    #[test]
    fn what_a_macro_was_given_is_seen() {
        let given = |tokens| Group::new(Delimiter::None, tokens);
        let attribute = given(quote!(command("a")));
        let block = quote!(impl Server { #[#attribute] fn a(&self) {} });
        assert_eq!(strip(&block).to_string(), quote!(impl Server { fn a(&self) {} }).to_string());
        let method = given(quote!(
            #[message]
            #[inline]
            fn b(&self) {}
        ));
        let block = quote!(impl Server { #method });
        assert_eq!(strip(&block).to_string(), quote!(impl Server { #[inline] fn b(&self) {} }).to_string());
    }
}
