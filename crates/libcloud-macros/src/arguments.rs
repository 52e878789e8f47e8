//! `#[arguments]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Fields, Ident, ItemStruct, LitStr, Result, Token, Type};

use crate::extensions::documentation;

struct Attributes {
    drivers: Vec<LitStr>,
}

impl Parse for Attributes {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self { drivers: Vec::new() });
        }
        let name: Ident = input.parse()?;
        if name != "drivers" {
            return Err(Error::new(name.span(), "expected `drivers = [\"…\"]`"));
        }
        input.parse::<Token![=]>()?;
        let list;
        syn::bracketed!(list in input);
        let drivers = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
        Ok(Self { drivers: drivers.into_iter().collect() })
    }
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Attributes { drivers } = syn::parse2(attribute)?;
    let mut item: ItemStruct = syn::parse2(item)?;
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new_spanned(&item, "#[arguments] goes on a struct with named fields"));
    };
    let (mut specs, mut renamed) = (vec![], vec![]);
    for field in &mut fields.named {
        let Some(ident) = &field.ident else { continue };
        let name = ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
        let doc = documentation(&field.attrs);
        let mut kept = Vec::new();
        for attribute in std::mem::take(&mut field.attrs) {
            if attribute.path().is_ident("renamed") {
                let old: LitStr = attribute.parse_args()?;
                renamed.push(quote!((#old, #name)));
            } else {
                kept.push(attribute);
            }
        }
        field.attrs = kept;
        let ty = words(&field.ty);
        if is_option(&field.ty) {
            field.attrs.push(syn::parse_quote!(#[serde(skip_serializing_if = "Option::is_none")]));
        }
        specs.push(quote! {
            ::libcloud_common::ArgSpec { name: #name, ty: #ty, required: false, doc: #doc }
        });
    }
    let ident = &item.ident;
    Ok(quote! {
        #[derive(::libcloud_common::serde::Serialize, ::libcloud_common::serde::Deserialize)]
        #[serde(crate = "::libcloud_common::serde", default)]
        #item

        impl ::libcloud_common::Arguments for #ident {
            const FIELDS: &'static [::libcloud_common::ArgSpec] = &[#(#specs),*];
            const RENAMED: &'static [(&'static str, &'static str)] = &[#(#renamed),*];
            const DRIVERS: &'static [&'static str] = &[#(#drivers),*];
        }
    })
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// What a field takes, in words.
fn words(ty: &Type) -> String {
    let Type::Path(path) = ty else {
        return "value".into();
    };
    let Some(last) = path.path.segments.last() else {
        return "value".into();
    };
    let inner = match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().rev().find_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(words(ty)),
                _ => None,
            })
        }
        _ => None,
    };
    match (last.ident.to_string().as_str(), inner) {
        ("Option", Some(inner)) => inner,
        ("Vec", Some(inner)) => format!("list of {inner}"),
        ("BTreeMap" | "HashMap", Some(inner)) => format!("map of {inner}"),
        ("Map", _) => "map".into(),
        ("String" | "Secret", _) => "string".into(),
        ("bool", _) => "boolean".into(),
        ("u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" | "usize", _) => "integer".into(),
        ("f32" | "f64", _) => "number".into(),
        ("Value", _) => "any".into(),
        (other, _) => other.chars().fold(String::new(), |mut words, letter| {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
            words
        }),
    }
}
