//! `#[extensions]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, ImplItem, Item, Pat, Path, PathArguments, ReceiverKind,
    Result, ReturnType, Signature, Token, TraitItem, Type,
};

struct Attributes {
    table: Ident,
    on: Option<Path>,
}

impl Parse for Attributes {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let table = input.parse()?;
        let mut on = None;
        if input.parse::<Option<Token![,]>>()?.is_some() {
            let name: Ident = input.parse()?;
            if name != "on" {
                return Err(Error::new(name.span(), "expected `on = Trait`"));
            }
            input.parse::<Token![=]>()?;
            on = Some(input.parse()?);
        }
        Ok(Self { table, on })
    }
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Attributes { table, on } = syn::parse2(attribute)?;
    match syn::parse2(item)? {
        Item::Impl(block) => {
            let ty = &block.self_ty;
            let mut entries = Vec::new();
            for item in &block.items {
                if let ImplItem::Fn(function) = item
                    && function.sig.ident.to_string().starts_with("ex_")
                {
                    entries.push(entry(&function.attrs, &function.sig, &quote!(#ty))?);
                }
            }
            // The span of the table's name makes the compiler point at it when it is not listed.
            let constant = quote_spanned! {table.span()=>
                impl #ty {
                    pub(crate) const #table: &'static [::libcloud_common::dispatch::Method<#ty>] = &[#(#entries),*];
                }
            };
            Ok(quote! { #block #constant })
        }
        Item::Trait(mut definition) => {
            let name = &definition.ident;
            let visibility = &definition.vis;
            let target = on.as_ref().map_or_else(|| quote!(dyn #name), |on| quote!(dyn #on));
            let mut entries = Vec::new();
            for item in &mut definition.items {
                let TraitItem::Fn(function) = item else { continue };
                let mark = take_mark(&mut function.attrs)?;
                let wanted = if on.is_some() { mark == Mark::Include } else { mark != Mark::Skip };
                let is_method = matches!(function.sig.inputs.first(), Some(FnArg::Receiver(receiver)) if matches!(receiver.kind, ReceiverKind::Reference(..)));
                if wanted && is_method {
                    entries.push(entry(&function.attrs, &function.sig, &target)?);
                }
            }
            let doc = format!("The methods of [`{name}`] that can be called by name.");
            Ok(quote! {
                #definition
                #[doc = #doc]
                #visibility const #table: &[::libcloud_common::dispatch::Method<#target>] = &[#(#entries),*];
            })
        }
        other => Err(Error::new_spanned(other, "#[extensions] goes on an impl block or a trait")),
    }
}

#[derive(PartialEq)]
enum Mark {
    None,
    Include,
    Skip,
}

/// Takes `#[by_name]` or `#[by_name(skip)]` off a method.
fn take_mark(attributes: &mut Vec<Attribute>) -> Result<Mark> {
    let Some(at) = attributes.iter().position(|attribute| attribute.path().is_ident("by_name")) else {
        return Ok(Mark::None);
    };
    let attribute = attributes.remove(at);
    match &attribute.meta {
        syn::Meta::Path(_) => Ok(Mark::Include),
        syn::Meta::List(list) if list.tokens.to_string() == "skip" => Ok(Mark::Skip),
        other => Err(Error::new_spanned(other, "expected `#[by_name]` or `#[by_name(skip)]`")),
    }
}

pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else {
            return None;
        };
        pair.path.is_ident("doc").then(|| text.value().trim().to_owned())
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn entry(attributes: &[Attribute], signature: &Signature, ty: &TokenStream) -> Result<TokenStream> {
    let function = &signature.ident;
    let name = function.to_string();
    let name = name.strip_suffix("_with").unwrap_or(&name);
    let doc = documentation(attributes);
    let (mut describes, mut takes, mut passes, mut variables) = (vec![], vec![], vec![], vec![]);
    for (position, input) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = input else { continue };
        let Pat::Ident(pattern) = &*argument.pat else {
            return Err(Error::new_spanned(&argument.pat, "an argument that is called by name needs a name"));
        };
        let argument_name = pattern.ident.to_string();
        let argument_name = argument_name.trim_start_matches('_').trim_end_matches('_').to_owned();
        let variable = format_ident!("a{position}");
        let (owned, pass) = owned(&argument.ty, &variable);
        describes.push(quote! {
            <#owned as ::libcloud_common::dispatch::Arg>::describe(#argument_name, "", &mut specs);
        });
        takes.push(quote! {
            let #variable = <#owned as ::libcloud_common::dispatch::Arg>::take(&mut args, #argument_name)?;
        });
        passes.push(pass);
        variables.push(variable);
    }
    let call = quote!(driver.#function(#(#passes),*));
    let body = if signature.asyncness.is_some() {
        quote!(::libcloud_common::dispatch::to_json(#call.await?))
    } else if returns(signature, "BoxStream") {
        quote!(::libcloud_common::dispatch::collect(#call).await)
    } else if returns(signature, "Result") {
        quote!(::libcloud_common::dispatch::to_json(#call?))
    } else {
        quote!(::libcloud_common::dispatch::to_json(#call))
    };
    Ok(quote!({
        fn specs() -> ::std::vec::Vec<::libcloud_common::dispatch::ArgSpec> {
            #[allow(unused_mut)]
            let mut specs = ::std::vec::Vec::new();
            #(#describes)*
            specs
        }
        #[allow(unused_mut, clippy::let_unit_value)]
        fn call<'a>(
            driver: &'a (#ty),
            mut args: ::libcloud_common::dispatch::Args,
        ) -> ::libcloud_common::BoxFuture<'a, ::libcloud_common::Result<::libcloud_common::Value>> {
            let decoded = (move || {
                #(#takes)*
                args.finish()?;
                ::libcloud_common::Result::Ok((#(#variables,)*))
            })();
            match decoded {
                Err(error) => ::libcloud_common::dispatch::failed(error),
                Ok((#(#variables,)*)) => ::std::boxed::Box::pin(async move { #body }),
            }
        }
        ::libcloud_common::dispatch::Method { name: #name, doc: #doc, args: specs, call }
    }))
}

fn returns(signature: &Signature, name: &str) -> bool {
    match &signature.output {
        ReturnType::Type(_, ty) => {
            matches!(&**ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
        }
        ReturnType::Default => false,
    }
}

/// The type in which an argument is kept while it is decoded, and how it is passed on:
/// `&str` as `String`, `&[T]` as `Vec<T>`, `&T` as `T`, `Option<&T>` as `Option<T>`, anything else as it is.
fn owned(ty: &Type, variable: &Ident) -> (TokenStream, TokenStream) {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => {
                (quote!(::std::string::String), quote!(#variable.as_str()))
            }
            Type::Path(path) if path.path.is_ident("Path") => {
                (quote!(::std::path::PathBuf), quote!(#variable.as_path()))
            }
            Type::Slice(slice) => {
                let element = &slice.elem;
                (quote!(::std::vec::Vec<#element>), quote!(#variable.as_slice()))
            }
            element => (quote!(#element), quote!(&#variable)),
        },
        Type::Path(path) => {
            if let Some(last) = path.path.segments.last()
                && last.ident == "Option"
                && let PathArguments::AngleBracketed(arguments) = &last.arguments
                && let Some(GenericArgument::Type(Type::Reference(reference))) = arguments.args.first()
            {
                return match &*reference.elem {
                    Type::Path(path) if path.path.is_ident("str") => {
                        (quote!(::std::option::Option<::std::string::String>), quote!(#variable.as_deref()))
                    }
                    Type::Slice(slice) => {
                        let element = &slice.elem;
                        (
                            quote!(::std::option::Option<::std::vec::Vec<#element>>),
                            quote!(#variable.as_deref()),
                        )
                    }
                    element => (quote!(::std::option::Option<#element>), quote!(#variable.as_ref())),
                };
            }
            (quote!(#ty), quote!(#variable))
        }
        _ => (quote!(#ty), quote!(#variable)),
    }
}
