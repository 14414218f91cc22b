//! The impls: they name things of the runtime, and decide nothing.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Generics, WhereClause, parse_quote_spanned};

use super::check::Composition;
use super::parse::Header;
use crate::crate_path::{at, moved_to};
use crate::errors::Errors;

pub(crate) fn impls(header: &Header, composition: &Composition<'_>, errors: &mut Errors) -> TokenStream {
    let Header { ident, generics } = header;
    let Composition { transport, mix_in, .. } = composition;
    // Whatever rustc has to say about the impls, it says under the name of the struct.
    let span = at(ident.span());
    let crate_path = composition.crate_path.at(span);
    let mix_in_type = type_named(mix_in);
    let (transport_type, bound_transport) = if let Some(transport) = transport {
        let name = type_named(transport);
        let known = quote_spanned!(span=> #crate_path::#name);
        (known.clone(), known)
    } else {
        // It is said once.
        (errors.take_as_type(), quote_spanned!(span=> #crate_path::__private::TransportOf<Self>))
    };
    let transport = transport.unwrap_or_default();
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let (marker, hooks) = if composition.user_writes_hooks { ("Shared", "Hooks") } else { ("DefaultHooks", "Handler") };
    let (marker, hooks) = (Ident::new(marker, span), Ident::new(hooks, span));
    let shared = quote_spanned!(span=> ::core::marker::Send + ::core::marker::Sync + 'static);
    let where_shared = where_self(generics, &shared, span);
    let request = quote_spanned!(span=> #crate_path::__private::RequestOf<Self>);
    let where_handled = where_self(generics, &quote_spanned!(span=> #crate_path::#hooks<Request = #request>), span);
    // That threads share it is the mix-in's doing.
    let shared = moved_to(at(composition.mix_in_span.unwrap_or(ident.span())), quote!(#ident #type_generics));
    let options = options(composition, &crate_path, span);
    let kind = kind_parameter(header);

    quote_spanned! {span=>
        impl #impl_generics #crate_path::SocketServer for #ident #type_generics #where_clause {
            type Transport = #transport_type;
            type MixIn = #crate_path::#mix_in_type;
            #options
        }
        impl #impl_generics #crate_path::__private::#marker for #shared #where_shared {}
        impl #impl_generics #ident #type_generics #where_handled {
            /// How it gets its requests.
            pub const TRANSPORT: &'static str = #transport;
            /// Who processes them.
            pub const MIX_IN: &'static str = #mix_in;
            /// Binds the address; the server is listening when this returns.
            pub fn bind<#kind>(
                self,
                __address: impl #crate_path::Endpoint<#bound_transport, #kind>,
            ) -> ::std::io::Result<#crate_path::Server<Self>> {
                #crate_path::__private::builder(self).bind(__address)
            }
            /// Starts from the options of the attribute; `bind` follows.
            pub fn builder(self) -> #crate_path::Builder<Self> {
                #crate_path::__private::builder(self)
            }
        }
    }
}

/// The `where` clause of what needs more of the server than its name: on a generic server it asks for that, because the
/// handler's `impl` block may have more bounds than the struct.
///
/// Without parameters there is nothing to wait for, and what is missing is an error here and now. A server may outlive
/// whoever makes it, so it can borrow only what lives for ever.
fn where_self(generics: &Generics, bound: &TokenStream, span: Span) -> Option<WhereClause> {
    let mut clause = generics.where_clause.clone();
    for parameter in generics.lifetimes() {
        let lifetime = &parameter.lifetime;
        let clause = clause.get_or_insert_with(|| parse_quote_spanned!(span=> where));
        clause.predicates.push(parse_quote_spanned!(span=> #lifetime: 'static));
    }
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        let clause = clause.get_or_insert_with(|| parse_quote_spanned!(span=> where));
        clause.predicates.push(parse_quote_spanned!(span=> Self: #bound));
    }
    clause
}

fn options(composition: &Composition<'_>, crate_path: &TokenStream, span: Span) -> Option<TokenStream> {
    let options = &composition.options;
    let setters = options.iter().map(|(name, value)| quote_spanned!(span=> .#name(#value)));
    (!options.is_empty()).then(|| {
        quote_spanned! {span=>
            fn options() -> #crate_path::Options {
                #crate_path::Options::new() #(#setters)*
            }
        }
    })
}

/// The type that a word stands for: `UnixStream` for `unix_stream`.
fn type_named(word: &str) -> Ident {
    let mut name = String::new();
    for part in word.split('_') {
        name.push_str(&part[..1].to_uppercase());
        name.push_str(&part[1..]);
    }
    Ident::new(&name, Span::call_site())
}

/// `Kind`, unless a parameter of the struct is called so.
fn kind_parameter(header: &Header) -> Ident {
    let taken = header.generics.params.iter().any(|parameter| match parameter {
        GenericParam::Type(parameter) => parameter.ident == "Kind",
        GenericParam::Const(parameter) => parameter.ident == "Kind",
        GenericParam::Lifetime(_) => false,
    });
    if taken { format_ident!("__Kind") } else { format_ident!("Kind") }
}
