//! Whole expansions, compared with the files in `snapshots/`: what they look like, and that they stay thin.
//!
//! `BLESS=1 cargo test -p socketserver-macros` writes the files; read the difference.

use std::{env, fs};

use proc_macro2::TokenStream;
use quote::quote;

/// An item with an attribute of ours, as rustc hands it over.
enum Input {
    SocketServer(TokenStream, TokenStream),
    Handler(TokenStream, TokenStream),
}

fn check(name: &str, longest: usize, inputs: impl IntoIterator<Item = Input>) {
    let expanded = inputs.into_iter().map(|input| {
        let expanded = match input {
            Input::SocketServer(arguments, item) => crate::socket_server::expand(arguments, &item),
            Input::Handler(arguments, item) => crate::handler::expand(arguments, &item),
        };
        prettyplease::unparse(&syn::parse2(expanded).unwrap())
    });
    let expanded: Vec<_> = expanded.collect();
    for item in &expanded {
        assert!(item.lines().count() <= longest, "{name} has grown to {} lines:\n{item}", item.lines().count());
    }
    let expanded = expanded.join("\n");
    let file = format!("{}/src/snapshots/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("BLESS").is_some() {
        fs::write(&file, &expanded).unwrap();
    }
    let blessed = fs::read_to_string(&file).unwrap_or_default();
    assert!(blessed == expanded, "{name} differs from {file}:\n{expanded}");
}

#[test]
fn upper() {
    let server = quote! {
        /// Sends every line back in upper case.
        struct Upper;
    };
    check("upper", 24, [Input::SocketServer(quote!(tcp, threading), server)]);
    let handler = quote! {
        impl Upper {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {}
        }
    };
    check("upper_handler", 60, [Input::Handler(quote!(), handler)]);
}

#[test]
fn commands() {
    let handler = quote! {
        impl Session {
            /// Stores VALUE under KEY.
            #[command]
            fn set(&mut self, key: String, value: Rest) -> &'static str {}

            #[cfg(unix)]
            #[command("get", "FETCH")]
            fn get(&self, store: &Store, key: &str, output: &mut Writer) -> io::Result<()> {}

            #[otherwise]
            fn unknown(&self, line: &str) -> String {}

            #[on_error]
            fn refused(&self, error: &CommandError) {}
        }
    };
    check("commands", 230, [Input::Handler(quote!(Store, frame = Delimited<0>), handler)]);
}

#[test]
fn message() {
    let handler = quote! {
        impl Store {
            #[message]
            fn message(&self, body: &[u8]) -> Vec<u8> {}
        }
    };
    check("message", 66, [Input::Handler(quote!(), handler)]);
}

#[test]
fn chat() {
    let server = quote! {
        #[derive(Default)]
        pub struct Chat { members: Mutex<HashMap<String, Writer>> }
    };
    let handler = quote! {
        impl Member {
            fn setup(chat: &Chat, input: &mut Reader, output: &mut Writer) -> io::Result<Self> {}
            fn handle(&mut self, chat: &Chat, input: &mut Reader) -> io::Result<()> {}
            fn finish(&mut self, chat: &Chat) {}
            fn shout(&self, text: &str) -> String {}
        }
    };
    let inputs =
        [Input::SocketServer(quote!(tcp, threading, max_threads = 512), server), Input::Handler(quote!(Chat), handler)];
    check("chat", 60, inputs);
}

#[test]
fn generic() {
    let server = quote! {
        pub struct Kv<S>(S) where S: Store;
    };
    let handler = quote! {
        impl<'a, S: Store> Conn<S> {
            fn setup(&mut self) {}
            fn handle(&mut self, kv: &'a Kv<S>, line: Line) -> io::Result<()> {}
            #[cfg(unix)]
            fn finish(&self) {}
        }
    };
    let inputs =
        [Input::SocketServer(quote!(unix_stream, forking, hooks), server), Input::Handler(quote!(Kv<S>), handler)];
    check("generic", 60, inputs);
}

#[test]
fn options_and_crate_path() {
    let server = quote! {
        struct Clock;
    };
    let handler = quote! {
        impl Clock {
            fn setup(&self) {}
            fn handle(&self, packet: &mut Datagram) -> io::Result<()> {}
            fn finish(&self) -> Result<(), Gone> {}
        }
    };
    let arguments = quote!(udp, max_packet_size = 1 << 9, timeout = Duration::from_secs(5), crate = net::socketserver);
    let inputs = [Input::SocketServer(arguments, server), Input::Handler(quote!(crate = net::socketserver), handler)];
    check("options_and_crate_path", 60, inputs);
}
