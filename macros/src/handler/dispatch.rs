//! The body of `handle` where there is none: the loop over messages, which calls the methods by their roles.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::check::{Handler, Hook};
use super::expand::{alternatives, session, transplant};
use super::roles::Command;
use crate::crate_path::{at, moved_to};

/// Calls the loop with what is to be done for each message, and for each error.
pub(crate) fn dispatch(handler: &Handler<'_>) -> TokenStream {
    let frame = frame(handler);
    let on_error = on_error(handler);
    let serve = if handler.roles.commands.is_empty() {
        let message = alternatives(&handler.roles.message, |hook| call(handler, hook, &quote!(Whole)), &no_message());
        quote!(__messages::<#frame, Self, _>(__session, __parts, |__session, __message, __turn| #message, #on_error))
    } else {
        let command = command(handler);
        quote! {
            __commands::<#frame, Self, _>(
                __session,
                __parts,
                |__session, __name, __message, __turn| #command,
                #on_error,
            )
        }
    };
    let private = private(handler);
    quote!({
        use #private::{
            Entry as __Entry, Message as __Message, commands as __commands, make as __make, messages as __messages,
            or_lend as __or_lend, order as __order, refuse as __refuse, shape as __shape,
        };
        #serve
    })
}

/// Calls the command of this name.
fn command(handler: &Handler<'_>) -> TokenStream {
    let arms = handler.roles.commands.iter().map(|command| arm(handler, command));
    let help = help(handler);
    let otherwise = alternatives(
        &handler.roles.otherwise,
        |hook| {
            let call = call(handler, hook, &quote!(Whole));
            quote!({ __message.take_whole(); #call })
        },
        &quote!(__message.unknown()),
    );
    quote! {
        match __name {
            #(#arms)*
            b"help" if __turn.has_help() => #help,
            _ => #otherwise,
        }
    }
}

fn arm(handler: &Handler<'_>, command: &Command<'_>) -> TokenStream {
    let cfg = command.hook.cfg.iter();
    let names = command.names.iter().map(|name| {
        let mut bytes = proc_macro2::Literal::byte_string(name.value().as_bytes());
        bytes.set_span(at(name.span()));
        bytes
    });
    let called_by = &command.names;
    let call = call(handler, &command.hook, &quote!(Words));
    quote! {
        #(#[cfg(#cfg)])*
        #(#names)|* => { __turn.begin(__message.called(&[#(#called_by),*])); #call }
    }
}

/// An entry for each command, from its documentation and signature.
fn help(handler: &Handler<'_>) -> TokenStream {
    let entries = handler.roles.commands.iter().map(|command| {
        let Command { hook, names, text } = command;
        let cfg = hook.cfg.iter();
        let types = transplant(handler, hook);
        let arguments = hook.arguments.iter().map(|argument| {
            let name = &argument.name;
            let ty = types.apply(argument.ty);
            quote!(.argument(#name, __shape::<#ty, Self, __Of<Self>, _>()))
        });
        quote! {
            #(#[cfg(#cfg)])*
            { __entries.push(__Entry::new(&[#(#names),*], #text)#(#arguments)*); }
        }
    });
    quote!({ let mut __entries = ::std::vec::Vec::new(); #(#entries)* __turn.help(&__entries, __message) })
}

fn on_error(handler: &Handler<'_>) -> TokenStream {
    let hooks = &handler.roles.on_error;
    if hooks.is_empty() {
        return quote!(__refuse);
    }
    let call = alternatives(
        hooks,
        |hook| {
            let call = call(handler, hook, &quote!(OnError));
            quote!({ let __message = &mut __Message::of_error(__error); #call })
        },
        &quote!(__refuse(__session, __error, __turn)),
    );
    quote!(|__session, __error, __turn| #call)
}

/// Takes the arguments, calls the method, and answers with what it returns.
fn call(handler: &Handler<'_>, hook: &Hook<'_>, order: &TokenStream) -> TokenStream {
    let name = hook.name;
    let types = transplant(handler, hook);
    let mut made = TokenStream::new();
    let mut arguments = Vec::new();
    for (index, argument) in hook.arguments.iter().enumerate() {
        let span = at(argument.ty.span());
        let ty = types.apply(argument.ty);
        let argument_name = &argument.name;
        let local = format_ident!("__argument_{index}", span = span);
        made.extend(quote_spanned! {span=>
            let (#local, __order) = __make::<#ty, Self, __Of<Self>, _, _, _>(__order, #argument_name, __message, __parts)?;
        });
        arguments.push(quote_spanned!(span=> __or_lend::<#ty, Self, __Of<Self>, _>(#local, __parts)?));
    }
    // What no argument has taken is for the peer to hear of; a message that is whole has nothing else.
    let end = (order.to_string() == "Words").then(|| quote!(__message.end()?;));
    let own = moved_to(at(name.span()), session(handler));
    let call = quote_spanned!(at(name.span())=> <#own>::#name(__session, #(#arguments),*));
    let begin = (!hook.arguments.is_empty()).then(|| {
        quote! {
            let __parts = &mut __turn.parts();
            let __order = __order::#order::default();
            #made
        }
    });
    if hook.returns_never() {
        return quote!({ #begin #end #call });
    }
    let span = at(hook.output.map_or_else(|| name.span(), syn::spanned::Spanned::span));
    let output = hook.output.map_or_else(|| quote_spanned!(span=> ()), |ty| types.apply(ty));
    let reply = quote_spanned!(span=> __turn.reply::<#output>(__output));
    quote!({ let __output = { #begin #end #call }; #reply })
}

fn frame(handler: &Handler<'_>) -> TokenStream {
    if let Some(frame) = handler.frame {
        return frame.to_token_stream();
    }
    let span = at(handler.block.self_type.span());
    let crate_path = handler.crate_path.at(span);
    quote_spanned!(span=> #crate_path::Line)
}

fn private(handler: &Handler<'_>) -> TokenStream {
    let crate_path = handler.crate_path.at(at(handler.server.span()));
    quote!(#crate_path::__private)
}

/// Each `#[message]` has a `#[cfg]`, and none holds.
fn no_message() -> TokenStream {
    quote!(::core::compile_error!("no `#[cfg]` leaves a `#[message]`\n= help: write one for all other configurations"))
}
