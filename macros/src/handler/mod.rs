//! `#[handler] impl Upper { fn handle(&self, ..) { .. } }`

mod arguments;
mod block;
mod cfg;
mod check;
mod dispatch;
mod expand;
mod near_miss;
mod roles;
mod signature;
mod strip;
mod transplant;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use arguments::Arguments;
use block::Block;
use check::Handler;

/// The block is given back whatever is wrong, with an impl that keeps the uses of the server free of errors.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = Arguments::parse(arguments, &mut errors);
    let block = Block::parse(item, &mut errors);
    // The server calls the hooks with what it has: whether they need all of it is not theirs to choose.
    let unasked = block.is_some().then(|| quote!(#[allow(clippy::needless_pass_by_value, clippy::unused_self)]));
    let generated = match block {
        Some(block) => {
            let handler = Handler::check(&block, &arguments, &mut errors);
            let whole = errors.is_empty() && !block.is_broken;
            Some(if whole { expand::handler(&handler) } else { expand::unfinished(&handler) })
        }
        None => syn::parse2(item.clone()).ok().map(|item| expand::unfinished_struct(&arguments.crate_path, &item)),
    };
    let item = strip::strip(item);
    quote!(#unasked #item #generated #errors)
}
