//! The attribute's arguments: `#[handler(Chat, crate = path)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, Ident, LitStr, Result, Token, Type};

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::options::words;

#[derive(Default)]
pub(crate) struct Arguments {
    /// The server, where the block is not its own.
    pub(crate) server: Option<Type>,
    /// What a message is.
    pub(crate) frame: Option<Type>,
    pub(crate) crate_path: CratePath,
}

impl Arguments {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self::default();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                arguments.parse_one(input, errors)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        arguments
    }

    fn parse_one(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        if input.peek(Ident::peek_any) && input.peek2(Token![=]) {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            if name == "frame" {
                return self.parse_frame(&name, input, errors);
            }
            // Where the value breaks off, syn has only the end of the attribute to point at.
            let value: Expr = input.parse().map_err(|error| {
                Error::new(name.span(), format!("{error}\n= help: for example `crate = ::socketserver`"))
            })?;
            if name == "crate" {
                self.crate_path.set(&value, errors);
            } else {
                refuse(&name, errors);
            }
            return Ok(());
        }
        let server = Self::parse_server(input, errors)?;
        match (word(&server), &self.server) {
            (Some(word), _) => refuse(word, errors),
            (None, Some(_)) => {
                errors.at(&server, "a handler is for one server\n= help: write an `impl` block for each");
            }
            (None, None) => self.server = Some(server),
        }
        Ok(())
    }

    fn parse_frame(&mut self, name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        let frame = input.parse::<Type>().ok().filter(|_| input.is_empty() || input.peek(Token![,]));
        let frame = frame.ok_or_else(|| {
            let example = "for example `frame = LengthPrefixed<u32>`";
            Error::new(name.span(), format!("`frame` is a type: what a message comes in\n= help: {example}"))
        })?;
        if self.frame.is_some() {
            errors.at(&frame, "a handler has one frame\n= help: leave out one of the two");
        } else {
            self.frame = Some(frame);
        }
        Ok(())
    }

    fn parse_server(input: ParseStream<'_>, errors: &mut Errors) -> Result<Type> {
        let example = "as in `#[handler(Chat)]`";
        if let Ok(text) = input.parse::<LitStr>() {
            errors.at(&text, format!("the server is a type, and not a text\n= help: leave out the quotes, {example}"));
            return text.parse();
        }
        let expected =
            |error: Error| Error::new(error.span(), format!("expected the server's type\n= help: {example}"));
        match input.parse().map_err(expected)? {
            Type::Reference(reference) => {
                let ampersand = reference.and_token;
                errors.at(
                    ampersand,
                    format!("the server is a type, and not a reference\n= help: leave out the `&`, {example}"),
                );
                Ok(*reference.elem)
            }
            server => Ok(server),
        }
    }
}

/// A word of the other attribute, or of Rust, taken for a type.
fn word(server: &Type) -> Option<&Ident> {
    let Type::Path(path) = server else { return None };
    path.path.get_ident().filter(|ident| is_own(ident) || words().any(|word| *ident == word))
}

fn is_own(server: &Ident) -> bool {
    server == "Self" || server == "self"
}

fn refuse(name: &Ident, errors: &mut Errors) {
    let message = if is_own(name) {
        "in its own block the server is not named\n= help: write `#[handler]`".to_owned()
    } else if words().any(|word| name == word) {
        format!("`{name}` goes to the struct\n= help: write `#[socket_server(.., {name})]`")
    } else {
        format!(
            "unknown argument `{name}`\n= help: `#[handler]` takes the server's type, as in `#[handler(Chat)]`, `frame` and `crate`"
        )
    };
    errors.at(name, message);
}
