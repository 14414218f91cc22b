//! `#[socket_server(tcp, threading)] struct Upper;`

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use check::Composition;
use parse::{Argument, Header};

/// The item is given back whatever is wrong, and the impls with what was understood: one mistake is one error.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = Argument::parse_all(arguments, &mut errors);
    let composition = Composition::check(&arguments, &mut errors);
    let header = Header::parse(item, &mut errors);
    let generated = header.map(|header| expand::impls(&header, &composition, &mut errors));
    quote!(#item #generated #errors)
}

#[cfg(test)]
mod tests {
    use super::{Argument, Composition, Errors};

    fn messages(arguments: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let arguments = Argument::parse_all(arguments.parse().unwrap(), &mut errors);
        Composition::check(&arguments, &mut errors);
        errors.messages()
    }

    #[test]
    fn what_is_right_is_taken() {
        for right in
            ["tcp", "udp, forking,", "threading, max_threads = f::<A, B>(|a, b| 1), hooks, tcp", "tcp, crate = a::b"]
        {
            assert!(messages(right).is_empty(), "{right}: {:?}", messages(right));
        }
    }

    #[test]
    fn one_mistake_is_one_error() {
        for wrong in [
            "",
            "threading",
            "tpc",
            "tcp, tcp",
            "tcp, udp, max_packet_size = 1",
            "tcp, ThreadingMixIn, max_threads = 5",
            "tcp, max_threads = 5",
            "tcp, max_line = 0",
            "tcp, max_line",
            "tcp, max_line =",
            "tcp, max_line(5)",
            "tcp, max_line = Foo::",
            "tcp, \"threading\"",
            "tcp threading",
            "tcp = 5",
            "transport = tcp",
            "socketserver::Tcp",
            "tcp(5)",
            "tcp, timeout = a b",
            "ThreadingTCPServer, max_threads = 5",
            "tcp, crate",
            "tcp, crate = 5",
            "tcp, hooks, hooks",
            "tcp, max_line : 5",
        ] {
            assert_eq!(messages(wrong).len(), 1, "{wrong}: {:?}", messages(wrong));
        }
    }
}
