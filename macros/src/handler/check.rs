//! The meaning: which methods of the block are hooks, and for which server.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::{FnArg, Generics, Ident, Pat, ReturnType, Type};

use super::arguments::Arguments;
use super::block::{Block, Method};
use super::cfg::conditions;
use super::roles::Roles;
use super::signature::bare;
use super::{near_miss, signature};
use crate::crate_path::CratePath;
use crate::errors::Errors;

pub(crate) const HOOKS: [&str; 3] = ["setup", "handle", "finish"];

pub(crate) struct Handler<'a> {
    pub(crate) block: &'a Block,
    pub(crate) crate_path: &'a CratePath,
    pub(crate) server: &'a Type,
    pub(crate) form: Form,
    pub(crate) setup: Vec<Hook<'a>>,
    pub(crate) handle: Vec<Hook<'a>>,
    pub(crate) finish: Vec<Hook<'a>>,
    pub(crate) roles: Roles<'a>,
    /// What a message is; a line, if it is not given.
    pub(crate) frame: Option<&'a Type>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// `#[handler] impl Server`: all requests share the one `&self`.
    Shared,
    /// `#[handler(Server)] impl Session`: each request has its own.
    Session,
}

/// A method that the server calls. There may be several of a name, under different `#[cfg]`s.
pub(crate) struct Hook<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) cfg: Option<TokenStream>,
    pub(crate) has_receiver: bool,
    /// An attribute says what it is for, so its name does not.
    pub(crate) has_role: bool,
    pub(crate) arguments: Vec<Argument<'a>>,
    pub(crate) output: Option<&'a Type>,
}

pub(crate) struct Argument<'a> {
    /// What it is called when it is missing.
    pub(crate) name: String,
    pub(crate) ty: &'a Type,
}

impl<'a> Handler<'a> {
    pub(crate) fn check(block: &'a Block, arguments: &'a Arguments, errors: &mut Errors) -> Self {
        let form = if arguments.server.is_some() { Form::Session } else { Form::Shared };
        let hooks = |name: &str| -> Vec<_> {
            let methods = block.methods.iter().filter(|method| method.signature.ident == name);
            methods.map(Hook::new).collect()
        };
        let handler = Self {
            block,
            crate_path: &arguments.crate_path,
            server: arguments.server.as_ref().unwrap_or(&block.self_type),
            form,
            setup: hooks("setup"),
            handle: hooks("handle"),
            finish: hooks("finish"),
            roles: Roles::check(block, form, errors),
            frame: arguments.frame.as_ref(),
        };
        if let Some(of_trait) = &block.of_trait {
            errors.at(
                of_trait,
                "`#[handler]` goes on an inherent `impl` block, and writes the trait impl itself\n\
                 = help: a `Handler` written by hand has no attribute",
            );
            return handler;
        }
        handler.check_handle(errors);
        for method in &block.methods {
            if method.has_role() || HOOKS.iter().any(|hook| method.signature.ident == hook) {
                signature::check(method, form, errors);
            }
        }
        handler
    }
}

impl Handler<'_> {
    /// Something handles the request, and one thing only.
    fn check_handle(&self, errors: &mut Errors) {
        let meant = near_miss::check(&self.block.methods, errors);
        let has_roles = self.block.methods.iter().any(Method::has_role);
        match self.handle.first() {
            None if !self.block.is_broken && !has_roles && !meant.contains(&"handle") => {
                errors.at(&self.block.self_type, missing_handle(self.block, self.form));
            }
            Some(handle) if self.roles.handle() && !handle.has_role => errors.at(
                handle.name,
                "`handle` takes the whole request, and here the messages are taken one by one\n\
                 = help: leave out `handle`, or its `#[command]`s and `#[message]`",
            ),
            _ => {}
        }
        if let Some(frame) = self.frame.filter(|_| !self.block.is_broken && !has_roles) {
            errors.at(
                frame,
                "a frame is what a `#[message]` or a `#[command]` comes in, and there is none here\n\
                 = help: mark a method with `#[message]`, or give the frame to `Reader::next_message` in `handle`",
            );
        }
    }
}

impl<'a> Hook<'a> {
    pub(crate) fn new(method: &'a Method) -> Self {
        let signature = &method.signature;
        let arguments = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(argument) => Some(Argument { name: name_of(&argument.pat), ty: &argument.ty }),
        });
        Self {
            name: &signature.ident,
            generics: &signature.generics,
            cfg: conditions(method.attributes.iter().map(|attribute| &attribute.meta)),
            has_receiver: signature.receiver().is_some(),
            has_role: method.has_role(),
            arguments: arguments.collect(),
            output: match &signature.output {
                ReturnType::Default => None,
                ReturnType::Type(_, ty) => Some(ty),
            },
        }
    }

    /// Whether it is the method of this name, whatever `#[cfg]` says.
    pub(crate) fn is_always(&self, name: &Ident) -> bool {
        self.cfg.is_none() && self.name == name
    }

    pub(crate) fn returns_never(&self) -> bool {
        self.output.is_some_and(|ty| matches!(bare(ty), Type::Never(_)))
    }
}

/// As it is shown: without the underscore of one that is not used.
fn name_of(pattern: &Pat) -> String {
    match pattern {
        Pat::Ident(pattern) => pattern.ident.unraw().to_string().trim_start_matches('_').to_owned(),
        _ => "argument".to_owned(),
    }
}

fn missing_handle(block: &Block, form: Form) -> String {
    let receiver = match form {
        Form::Shared => "&self",
        Form::Session => "&mut self",
    };
    let help = if block.has_macro {
        "what a macro writes inside the block is not seen by `#[handler]`".to_owned()
    } else {
        format!("add `fn handle({receiver}, input: &mut Reader, output: &mut Writer) -> std::io::Result<()> {{ .. }}`")
    };
    format!("a handler needs a `handle` method\n= help: {help}")
}
