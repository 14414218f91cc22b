//! The attributes of the crate [`socketserver`](https://docs.rs/socketserver), which re-exports and documents them.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod crate_path;
mod errors;
mod handler;
mod options;
mod python;
#[cfg(test)]
mod snapshots;
mod socket_server;
mod suggest;

/// Makes a struct a server: see `socketserver::socket_server`.
#[proc_macro_attribute]
pub fn socket_server(arguments: TokenStream, item: TokenStream) -> TokenStream {
    socket_server::expand(arguments.into(), &item.into()).into()
}

/// Makes an `impl` block the handler of a server: see `socketserver::handler`.
#[proc_macro_attribute]
pub fn handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(arguments.into(), &item.into()).into()
}
