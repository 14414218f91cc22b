//! The syntax: the attribute's arguments, and as much of the item as the impls need.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, Expr, Generics, Ident, Result, Token, Visibility, token};

use crate::errors::{Errors, is_named};
use crate::options::{OPTIONS, words};

/// `tcp`, or `max_threads = 512`.
pub(crate) struct Argument {
    pub(crate) word: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    Expr(Expr),
    /// One was begun: `max_threads =`, or meant: `max_threads(512)`.
    Unfinished,
}

impl Argument {
    /// Understands as many as it can: what is half typed must not cost the others, nor the item.
    pub(crate) fn parse_all(tokens: TokenStream, errors: &mut Errors) -> Vec<Self> {
        let parser = |input: ParseStream<'_>| {
            let mut arguments = Vec::new();
            while !input.is_empty() {
                match Self::parse(input) {
                    Ok(argument) => arguments.push(argument),
                    Err(error) => {
                        errors.push(error);
                        skip_to_comma(input)?;
                    }
                }
                if input.is_empty() {
                    break;
                }
                if let Err(error) = input.parse::<Token![,]>() {
                    errors.push(Error::new(error.span(), "expected `,`\n= help: there is one between two arguments"));
                    if !word_follows(input) {
                        skip_to_comma(input)?;
                        input.parse::<Option<Token![,]>>()?;
                    }
                }
            }
            Ok(arguments)
        };
        parser.parse2(tokens).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        })
    }

    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let word = input.call(Ident::parse_any).map_err(|error| {
            Error::new(error.span(), "expected a word\n= help: such as `tcp`, `threading` or `max_threads = 512`")
        })?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if at_end(input) { Value::Unfinished } else { Value::Expr(Self::value(&word, input)?) }
        } else if input.peek(token::Paren) || input.peek(Token![:]) {
            skip_to_comma(input)?;
            Value::Unfinished
        } else {
            Value::None
        };
        Ok(Self { word, value })
    }

    fn value(word: &Ident, input: ParseStream<'_>) -> Result<Expr> {
        // Where an expression breaks off, syn has only the end of the attribute to point at.
        input.parse().map_err(|error| {
            let example = OPTIONS.iter().find(|option| word == option.name).map_or("..", |option| option.example);
            let help = format!("a value is any Rust expression, for example `{word} = {example}`");
            Error::new(word.span(), format!("the value of `{word}` is not an expression: {error}\n= help: {help}"))
        })
    }
}

/// Whether one of our words stands here, whose comma was forgotten.
fn word_follows(input: ParseStream<'_>) -> bool {
    let word = input.fork().call(Ident::parse_any);
    word.is_ok_and(|word| words().any(|known| word == known))
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    while !at_end(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The name of the struct and its generics. Its fields are nobody's business here.
pub(crate) struct Header {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
}

impl Header {
    /// An enum has one too: its mistake is reported, and its impls are written so that there is no other.
    pub(crate) fn parse(item: &TokenStream, errors: &mut Errors) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            input.parse::<Visibility>()?;
            let keyword = input.call(Ident::parse_any)?;
            if let Some(again) = attributes.iter().find(|attribute| is_named(attribute, "socket_server")) {
                errors.at(again, "`#[socket_server]` is here twice\n= help: for both, mark a struct for each");
                input.parse::<TokenStream>()?;
                return Ok(None);
            }
            if keyword != "struct" {
                errors.at(&keyword, wrong_item(&keyword));
            }
            let header = if keyword == "struct" || keyword == "enum" || keyword == "union" {
                let ident = input.parse()?;
                let mut generics: Generics = input.parse()?;
                // Those of a tuple struct precede its `where`.
                if input.peek(token::Paren) {
                    input.parse::<TokenTree>()?;
                }
                generics.where_clause = input.parse()?;
                Some(Self { ident, generics })
            } else {
                None
            };
            input.parse::<TokenStream>()?;
            Ok(header)
        };
        parser.parse2(item.clone()).unwrap_or_else(|error| {
            errors.push(error);
            None
        })
    }
}

fn wrong_item(keyword: &Ident) -> String {
    let help = match keyword.to_string().as_str() {
        "enum" | "union" => "give the struct a field of this type",
        "impl" => "the attribute of the handler's `impl` block is `#[handler]`",
        _ => "what handles the requests is the `fn handle(..)` of an `impl` block marked `#[handler]`",
    };
    format!("`#[socket_server]` goes on the struct that holds the server's shared state\n= help: {help}")
}
