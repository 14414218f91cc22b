//! What the signature of a hook may not be. Types are left to the traits: by its tokens alone, a type can only be
//! seen to be asked for twice.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{
    FnArg, GenericArgument, Generics, Ident, Lifetime, PathArguments, Receiver, ReceiverKind, ReturnType, Safety,
    Signature, Type,
};

use super::block::Method;
use super::check::Form;
use crate::errors::Errors;

pub(crate) fn check(method: &Method, form: Form, errors: &mut Errors) {
    let Signature { ident: name, asyncness, safety, generics, .. } = &method.signature;
    if let Some(asyncness) = asyncness {
        errors.at(
            asyncness,
            format!("`{name}` cannot be `async`\n= help: a plain `fn` may block: it has its thread or process"),
        );
    }
    if let Safety::Unsafe(safety) = safety {
        errors.at(
            safety,
            format!("`{name}` cannot be `unsafe`: it is the server that calls it\n= help: write a plain `fn`"),
        );
    }
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        errors.at(
            &generics.params,
            format!(
                "`{name}` is called by the server, so it cannot be generic\n\
                 = help: what is left open belongs to the server's type: `impl<T> Server<T>`"
            ),
        );
    }
    check_receiver(&method.signature, form, errors);
    check_arguments(method, errors);
    if let ReturnType::Type(_, ty) = &method.signature.output {
        if has_impl_trait(ty) {
            errors.at(
                ty,
                format!(
                    "`{name}` is called by the server, so what it returns needs a named type\n\
                     = help: for example `std::io::Result<()>`"
                ),
            );
        }
    }
}

fn check_receiver(signature: &Signature, form: Form, errors: &mut Errors) {
    let name = &signature.ident;
    let right = match form {
        Form::Shared => "`&self`",
        Form::Session => "`&mut self` or `&self`",
    };
    match (signature.receiver(), form) {
        (None, Form::Session) if name == "setup" => {}
        (None, Form::Shared) if name == "setup" => errors.at(
            name,
            "`setup` needs a receiver: `&self`\n\
             = help: a `setup` that makes a value for each request is for `#[handler(Server)] impl Session`",
        ),
        (None, _) => errors.at(name, format!("`{name}` needs a receiver\n= help: write {right}")),
        (Some(Receiver { kind: ReceiverKind::Reference(_, _, Some(_)), .. }), Form::Shared) => errors.at(
            signature.receiver(),
            "all requests share the server, so it cannot be `&mut self`\n\
             = help: write `&self`; what a request has of its own goes in a type for `#[handler(Server)] impl Session`",
        ),
        (Some(Receiver { kind: ReceiverKind::Reference(..), .. }), _) => {}
        (Some(receiver), _) => errors.at(receiver, format!("`{name}` borrows its `self`\n= help: write {right}")),
    }
}

fn check_arguments(method: &Method, errors: &mut Errors) {
    let signature = &method.signature;
    let name = &signature.ident;
    let mut taken = Vec::new();
    for input in &signature.inputs {
        let attributes = match input {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(argument) => &argument.attrs,
        };
        for cfg in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
            errors
                .at(cfg, format!("`#[cfg]` on a parameter of `{name}` is not supported\n= help: put it on the method"));
        }
        let FnArg::Typed(argument) = input else { continue };
        if has_impl_trait(&argument.ty) {
            errors.at(
                &argument.ty,
                format!(
                    "`{name}` is called by the server, so its arguments need named types\n\
                     = help: for example `&mut Reader` and `&mut Writer`"
                ),
            );
        }
        if method.has_role() && is_of_words(&argument.ty) {
            if let Some(lifetime) = longer_lifetime(&argument.ty, &signature.generics) {
                errors.at(
                    lifetime,
                    format!("`{name}` has its message for one call only\n= help: write `'_` for `{lifetime}`"),
                );
            }
        }
        let part = Part::of(&argument.ty).filter(|part| part.0 != Part::TEXT || method.has_role());
        if let Some(part) = part {
            if let Some(lifetime) = longer_lifetime(&argument.ty, &signature.generics) {
                let part = part.0;
                errors.at(
                    lifetime,
                    format!("`{name}` has its `{part}` for one call only\n= help: leave out `{lifetime}`"),
                );
            }
            // Of a message there may be several.
            if method.has_role() && Part::OF_A_MESSAGE.contains(&part.0) {
                continue;
            }
            if let Some(problem) = taken.iter().find_map(|earlier| part.conflict(*earlier, name)) {
                errors.at(&argument.ty, problem);
            }
            taken.push(part);
        }
    }
}

/// What a request has only one of.
#[derive(Clone, Copy, PartialEq)]
struct Part(&'static str);

impl Part {
    const WHOLE: [&'static str; 2] = ["&mut Connection", "&mut Datagram"];
    const PAYLOAD: &'static str = "&[u8]";
    const TEXT: &'static str = "&str";
    const OF_A_MESSAGE: [&'static str; 2] = [Self::PAYLOAD, Self::TEXT];

    fn of(ty: &Type) -> Option<Self> {
        let Type::Reference(reference) = bare(ty) else { return None };
        match (bare(&reference.elem), reference.mutability) {
            (Type::Path(path), Some(_)) => {
                let name = &path.path.segments.last()?.ident;
                let parts = ["&mut Reader", "&mut Writer"].into_iter().chain(Self::WHOLE);
                parts.into_iter().find(|part| name == &part["&mut ".len()..]).map(Self)
            }
            (Type::Path(path), None) => path.path.is_ident("str").then_some(Self(Self::TEXT)),
            (Type::Slice(slice), None) => {
                matches!(bare(&slice.elem), Type::Path(path) if path.path.is_ident("u8")).then_some(Self(Self::PAYLOAD))
            }
            _ => None,
        }
    }

    fn conflict(self, earlier: Self, hook: &Ident) -> Option<String> {
        let (part, earlier) = (self.0, earlier.0);
        if part == earlier {
            (part != Self::PAYLOAD).then(|| {
                format!("`{hook}` already takes a `{part}`, and there is one\n= help: leave out one of the two")
            })
        } else if Self::WHOLE.contains(&earlier) {
            Some(format!(
                "`{hook}` already takes a `{earlier}`, and `{part}` is a part of it\n= help: ask the `{earlier}` for it"
            ))
        } else if Self::WHOLE.contains(&part) {
            Some(format!(
                "`{hook}` already takes a `{earlier}`, which is a part of `{part}`\n= help: ask the `{part}` for it"
            ))
        } else {
            None
        }
    }
}

/// One that is not the method's own: it would outlive the call.
fn longer_lifetime<'a>(argument: &'a Type, generics: &Generics) -> Option<&'a Lifetime> {
    let is_longer =
        |lifetime: &&Lifetime| lifetime.ident != "_" && !generics.lifetimes().any(|own| own.lifetime == **lifetime);
    match bare(argument) {
        Type::Reference(reference) => reference.lifetime.as_ref().filter(is_longer),
        // Any other type has whatever lifetimes its `FromStr` is for.
        Type::Path(path) if is_of_words(argument) => {
            let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Lifetime(lifetime) => Some(lifetime).filter(is_longer),
                GenericArgument::Type(ty) => longer_lifetime(ty, generics),
                _ => None,
            })
        }
        Type::Tuple(tuple) => tuple.elems.iter().find_map(|ty| longer_lifetime(ty, generics)),
        _ => None,
    }
}

/// Whether it is made of what a message lends, if it lends anything.
fn is_of_words(ty: &Type) -> bool {
    const NAMES: [&str; 4] = ["Option", "Vec", "OneOrMore", "Rest"];

    let Type::Path(path) = bare(ty) else { return false };
    path.path.segments.last().is_some_and(|last| NAMES.iter().any(|name| last.ident == name))
}

/// The type without the invisible or needless parentheses around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

fn has_impl_trait(ty: &Type) -> bool {
    fn has_impl(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "impl",
            TokenTree::Group(group) => has_impl(group.stream()),
            _ => false,
        })
    }
    has_impl(ty.to_token_stream())
}
