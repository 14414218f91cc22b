//! Where the generated code finds the runtime, and where on the page its tokens stand.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::{Expr, Path};

use crate::errors::Errors;

/// The path of the runtime crate.
#[derive(Default)]
pub(crate) enum CratePath {
    /// `::socketserver`.
    #[default]
    Own,
    /// What `crate = path` says.
    Given(Path),
}

impl CratePath {
    /// Takes the value of `crate = path`.
    pub(crate) fn set(&mut self, value: &Expr, errors: &mut Errors) {
        match path(value) {
            Some(path) => *self = Self::Given(path.clone()),
            None => errors.at(value, "`crate` is the path of this crate\n= help: for example `crate = ::socketserver`"),
        }
    }

    /// The path, for code whose errors are to point at `span`. One that was given stays where it is: it may be what
    /// is wrong.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        match self {
            Self::Own => quote_spanned!(span=> ::socketserver),
            Self::Given(path) => path.to_token_stream(),
        }
    }
}

fn path(value: &Expr) -> Option<&Path> {
    match value {
        Expr::Path(value) if value.qself.is_none() => Some(&value.path),
        // A `$path` of a `macro_rules!`.
        Expr::Group(group) => path(&group.expr),
        _ => None,
    }
}

/// The place of the user's tokens, with the names of the generated code.
pub(crate) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The same tokens, located at `span`. They keep meaning what they meant.
///
/// One token that is left behind, be it a `<`, and rustc underlines the whole attribute.
pub(crate) fn moved_to(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), moved_to(span, group.stream())).into();
        }
        token.set_span(token.span().located_at(span));
        token
    });
    moved.collect()
}
