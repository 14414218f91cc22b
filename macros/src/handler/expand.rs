//! The impl of `RequestHandler`: it takes the arguments, calls the hooks and hands over what they return. All else is the
//! runtime's `run`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, ItemStruct, Type, parse_quote_spanned};

use super::check::{Form, Handler, Hook};
use super::dispatch::dispatch;
use super::signature::bare;
use super::transplant::Transplant;
use crate::crate_path::{CratePath, at, moved_to};

pub(crate) fn handler(handler: &Handler<'_>) -> TokenStream {
    let span = at(handler.server.span());
    let crate_path = handler.crate_path.at(span);
    let setup = alternatives(&handler.setup, |hook| setup(handler, hook), &no_setup(handler));
    let handle = if handler.roles.handle() {
        dispatch(handler)
    } else {
        alternatives(&handler.handle, |hook| call(handler, hook, &quote!(__session)), &no_handle(handler))
    };
    let finish = alternatives(
        &handler.finish,
        |hook| call(handler, hook, &quote!(__session)),
        &quote!(::core::result::Result::Ok(())),
    );
    let body = quote_spanned! {span=>
        use #crate_path::__private::{
            Argument as __Arg, Fresh as __Fresh, IntoSession as __IntoSession, Outcome as __Outcome, TransportOf as __Of,
        };
        #crate_path::__private::run(
            self,
            __request,
            __shutdown,
            |__parts| #setup,
            |__session, __parts| #handle,
            |__session, __parts| #finish,
        )
    };
    implementation(handler, &body)
}

/// For a block with mistakes: nothing else is to complain that the server has no handler.
pub(crate) fn unfinished(handler: &Handler<'_>) -> TokenStream {
    let Handler { block, crate_path, server, .. } = handler;
    let of_trait = block.of_trait.as_ref().and_then(|of_trait| of_trait.segments.last());
    if of_trait.is_some_and(|of_trait| of_trait.ident == "Handler") {
        return TokenStream::new();
    }
    unfinished_server(crate_path, &block.generics, *server)
}

/// For an attribute on the server's struct itself.
pub(crate) fn unfinished_struct(crate_path: &CratePath, item: &ItemStruct) -> TokenStream {
    let name = &item.ident;
    let (_, type_generics, _) = item.generics.split_for_impl();
    unfinished_server(crate_path, &item.generics, &quote!(#name #type_generics))
}

fn unfinished_server(crate_path: &CratePath, generics: &Generics, server: &(impl ToTokens + Spanned)) -> TokenStream {
    let span = at(server.span());
    let crate_path = crate_path.at(span);
    let mut generics = generics.clone();
    let perhaps = quote_spanned!(span=> #crate_path::__private::PerhapsServer);
    generics.make_where_clause().predicates.push(parse_quote_spanned!(span=> for<'__a> Self: #perhaps<'__a>));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote_spanned! {span=>
        impl #impl_generics #crate_path::__private::RequestHandler for #server #where_clause {
            type Request = <Self as #perhaps<'static>>::Request;
            fn finish_request(
                &self,
                _: &mut Self::Request,
                _: &#crate_path::ShutdownHandle,
            ) -> ::core::result::Result<(), #crate_path::HandlerError> {
                #crate_path::__private::unfinished(self)
            }
        }
    }
}

fn implementation(handler: &Handler<'_>, body: &TokenStream) -> TokenStream {
    let Handler { block, crate_path, server, .. } = handler;
    // Whatever rustc has to say about the impl, it says under the name of the server.
    let span = at(server.span());
    let crate_path = crate_path.at(span);
    let (impl_generics, _, where_clause) = block.generics.split_for_impl();
    // Where rustc would add a parameter it says so twice with the same words, which is once.
    let impl_token = block.impl_token;
    quote_spanned! {span=>
        #[automatically_derived]
        #impl_token #impl_generics #crate_path::__private::RequestHandler for #server #where_clause {
            type Request = #crate_path::__private::RequestOf<Self>;
            fn finish_request(
                &self,
                __request: &mut #crate_path::__private::RequestOf<Self>,
                __shutdown: &#crate_path::ShutdownHandle,
            ) -> ::core::result::Result<(), #crate_path::HandlerError> {
                #body
            }
        }
    }
}

/// The call of the hook; of the one whose `#[cfg]` holds, where there are such.
pub(crate) fn alternatives(
    hooks: &[Hook<'_>],
    call: impl Fn(&Hook<'_>) -> TokenStream,
    otherwise: &TokenStream,
) -> TokenStream {
    // Two of a name without `#[cfg]` are rustc's to refuse.
    if let Some(always) = hooks.iter().find(|hook| hook.cfg.is_none()) {
        return call(always);
    }
    if hooks.is_empty() {
        return otherwise.clone();
    }
    let conditions: Vec<_> = hooks.iter().map(|hook| &hook.cfg).collect();
    let calls = hooks.iter().map(call);
    quote! {
        {
            #( #[cfg(#conditions)] { #calls } )*
            #[cfg(not(any(#(#conditions),*)))] { #otherwise }
        }
    }
}

fn no_handle(handler: &Handler<'_>) -> TokenStream {
    let span = at(handler.block.self_type.span());
    quote_spanned!(span=> ::core::compile_error!("a handler needs a `handle` method, and no `#[cfg]` leaves one\n= help: write one for all other configurations"))
}

fn no_setup(handler: &Handler<'_>) -> TokenStream {
    let fresh = match handler.form {
        Form::Shared => quote!(self),
        Form::Session => fresh_session(handler),
    };
    quote!(::core::result::Result::Ok(#fresh))
}

fn fresh_session(handler: &Handler<'_>) -> TokenStream {
    let span = at(handler.block.self_type.span());
    let session = session(handler);
    quote_spanned!(span=> <#session as __Fresh>::fresh())
}

fn setup(handler: &Handler<'_>, hook: &Hook<'_>) -> TokenStream {
    if !hook.has_receiver {
        return call(handler, hook, &TokenStream::new());
    }
    let (fresh, receiver, session) = match handler.form {
        Form::Shared => (TokenStream::new(), quote!(self), quote!(self)),
        Form::Session => {
            let fresh = fresh_session(handler);
            (quote!(let mut __session = #fresh;), quote!(&mut __session), quote!(__session))
        }
    };
    let setup = call(handler, hook, &receiver);
    let session = (!hook.returns_never()).then(|| quote!(.map(|()| #session)));
    quote!({ #fresh #setup #session })
}

/// Calls the hook with its arguments, and makes a `Result` of what it returns.
fn call(handler: &Handler<'_>, hook: &Hook<'_>, receiver: &TokenStream) -> TokenStream {
    let name = hook.name;
    let types = transplant(handler, hook);
    let receiver = (!receiver.is_empty()).then(|| moved_to(at(name.span()), quote!(#receiver,)));

    // Where `Self` is no server, it is said once, with the same words under the same tokens.
    let server = quote_spanned!(at(handler.server.span())=> Self, __Of<Self>);

    let mut made_first = TokenStream::new();
    let mut arguments = Vec::new();
    for (index, argument) in hook.arguments.iter().enumerate() {
        let span = at(argument.ty.span());
        let ty = types.apply(argument.ty);
        let ty = quote_spanned!(span=> <#ty as __Arg<'_, #server, _>>);
        if matches!(bare(argument.ty), Type::Reference(_)) {
            arguments.push(quote_spanned!(span=> #ty::take(__parts)?));
        } else {
            // What is not a reference may be made from the request, which must be whole for it: once a part is lent,
            // it is not. But it may be the alias of a reference.
            let made = format_ident!("__argument_{index}", span = span);
            made_first.extend(quote_spanned!(span=> let #made = #ty::make(__parts)?;));
            arguments.push(quote_spanned!(span=> #ty::or_take(#made, __parts)?));
        }
    }

    let own = session(handler);
    let call = quote_spanned!(at(name.span())=> <#own>::#name(#receiver #(#arguments),*));
    let span = at(hook.output.map_or_else(|| name.span(), Spanned::span));
    let output = hook.output.map_or_else(|| quote_spanned!(span=> ()), |ty| types.apply(ty));
    let result = if hook.returns_never() {
        call
    } else if hook.has_receiver {
        quote_spanned!(span=> <#output as __Outcome>::into_result(#call))
    } else {
        quote_spanned!(span=> <#output as __IntoSession<#own>>::into_session(#call))
    };
    if made_first.is_empty() { result } else { quote!({ #made_first #result }) }
}

/// How the types of a method are written outside of it.
pub(crate) fn transplant<'a>(handler: &Handler<'a>, hook: &Hook<'a>) -> Transplant<'a> {
    Transplant::new(&handler.block.self_type, [&handler.block.generics, hook.generics])
}

/// The block's own type, without its lifetimes: in the hooks they are whatever they are.
pub(crate) fn session(handler: &Handler<'_>) -> TokenStream {
    Transplant::new(&handler.block.self_type, [&handler.block.generics; 2]).apply(&handler.block.self_type)
}
