//! The syntax of the `impl` block. The bodies of its methods are never parsed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{
    Attribute, Error, FnArg, Generics, ImplItem, ItemImpl, Path, Result, ReturnType, Signature, Token, Type,
    Visibility, braced, token,
};

use super::roles::is_role;
use super::signature::bare;
use crate::errors::{Errors, is_named};

pub(crate) struct Block {
    pub(crate) impl_token: Token![impl],
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    pub(crate) of_trait: Option<Path>,
    pub(crate) methods: Vec<Method>,
    /// An invocation in the block, which may write methods that no attribute can see.
    pub(crate) has_macro: bool,
    /// Attributes of ours on what is no method.
    pub(crate) strays: Vec<Attribute>,
    /// There is a method that is no Rust, or takes or returns what has no size. rustc says so itself.
    pub(crate) is_broken: bool,
}

pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
}

impl Block {
    pub(crate) fn parse(item: &TokenStream, errors: &mut Errors) -> Option<Self> {
        Self::try_parse(item).map_err(|error| errors.push(error)).ok()
    }

    fn try_parse(item: &TokenStream) -> Result<Self> {
        expect_impl.parse2(item.clone())?;
        let mut header: Vec<TokenTree> = item.clone().into_iter().collect();
        let Some(TokenTree::Group(braces)) = header.pop() else {
            return Err(Error::new_spanned(item, "expected the braces of an `impl` block"));
        };
        header.push(Group::new(Delimiter::Brace, TokenStream::new()).into());
        let header: ItemImpl = syn::parse2(header.into_iter().collect())?;
        if let Some(again) = header.attrs.iter().find(|attribute| is_named(attribute, "handler")) {
            // It writes the impl.
            return Err(Error::new_spanned(again, "`#[handler]` is here twice\n= help: leave out one of the two"));
        }
        let mut block = Self {
            impl_token: header.impl_token,
            generics: header.generics,
            self_type: *header.self_ty,
            of_trait: header.trait_.map(|(path, _)| path),
            methods: Vec::new(),
            has_macro: false,
            strays: Vec::new(),
            is_broken: false,
        };
        let parser = |input: ParseStream<'_>| {
            input.call(Attribute::parse_inner)?;
            while !input.is_empty() {
                block.parse_item(input)?;
            }
            Ok(())
        };
        let is_rust = parser.parse2(braces.stream()).is_ok();
        block.is_broken = !is_rust || block.methods.iter().any(Method::has_unsized_values);
        Ok(block)
    }

    fn parse_item(&mut self, input: ParseStream<'_>) -> Result<()> {
        let ahead = input.fork();
        let attributes = ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        if ahead.parse::<Signature>().is_ok() {
            self.methods.push(Method::parse(input)?);
        } else {
            self.strays.extend(attributes.into_iter().filter(has_role));
            self.has_macro |= matches!(input.parse()?, ImplItem::Macro(_));
        }
        Ok(())
    }
}

impl Method {
    /// Whether an attribute gives it a role, or was meant to, so that the server calls it.
    pub(crate) fn has_role(&self) -> bool {
        self.attributes.iter().any(has_role)
    }

    fn has_unsized_values(&self) -> bool {
        let arguments = self.signature.inputs.iter().any(|input| match input {
            FnArg::Receiver(_) => false,
            FnArg::Typed(argument) => is_unsized(&argument.ty),
        });
        arguments || matches!(&self.signature.output, ReturnType::Type(_, ty) if is_unsized(ty))
    }

    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let signature = input.parse()?;
        let body = if input.peek(token::Brace) {
            // Not as a `Group`, which the `$body:block` of a `macro_rules!` is not.
            let body;
            braced!(body in input);
            body.parse()?
        } else {
            input.parse::<Token![;]>()?;
            TokenStream::new()
        };
        Ok(Self { attributes, signature, body })
    }
}

fn has_role(attribute: &Attribute) -> bool {
    is_role(&attribute.meta)
}

fn is_unsized(ty: &Type) -> bool {
    match bare(ty) {
        Type::Slice(_) | Type::TraitObject(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        _ => false,
    }
}

fn expect_impl(input: ParseStream<'_>) -> Result<()> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let found: TokenTree = input.parse()?;
    let is_impl = found.to_string() == "impl" || input.peek(Token![impl]);
    input.parse::<TokenStream>()?;
    if is_impl {
        return Ok(());
    }
    let expected =
        "`#[handler]` goes on an `impl` block\n= help: write `#[handler] impl Server { fn handle(&self, ..) { .. } }`";
    Err(Error::new(found.span(), expected))
}
