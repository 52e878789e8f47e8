//! The attributes that make methods callable by name. Users meet them through `libcloud_common`.

use proc_macro::TokenStream;

mod arguments;
mod extensions;

/// Writes a table of the methods of an impl block or trait beside it, and leaves the block as it is.
///
/// On an impl block, `#[extensions(ADDRESSES)]` adds `pub(crate) const ADDRESSES` with every `ex_` method; the
/// driver lists its tables in `Extensions::tables`. A table that is not listed is dead code.
///
/// On a service trait, `#[extensions(COMPUTE_METHODS)]` adds `pub const COMPUTE_METHODS` with every method that
/// takes `&self`, its name without the suffix `_with`; `#[by_name(skip)]` leaves one out. On an extension trait,
/// `#[extensions(COMPUTE_EXT_METHODS, on = ComputeDriver)]` adds those that are marked `#[by_name]`.
#[proc_macro_attribute]
pub fn extensions(attribute: TokenStream, item: TokenStream) -> TokenStream {
    extensions::expand(attribute.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a struct of `Option`, `Vec` and `bool` fields a struct of named arguments: derives `Serialize` and
/// `Deserialize`, describes each field by its type and documentation, and knows the names of the past.
///
/// ```ignore
/// #[arguments(drivers = ["ec2"])]
/// #[derive(Clone, Debug, Default)]
/// pub struct CreateNode {
///     /// The security groups, by name.
///     #[renamed("ex_securitygroup")]
///     pub ex_security_groups: Option<Vec<String>>,
/// }
/// ```
#[proc_macro_attribute]
pub fn arguments(attribute: TokenStream, item: TokenStream) -> TokenStream {
    arguments::expand(attribute.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
