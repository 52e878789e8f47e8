//! What the four service crates are written with.

use crate::{BoxStream, Error, Result, once};

/// `Err(NotSupported)` as a stream.
#[doc(hidden)]
pub fn refuse<T: Send + 'static>(method: &'static str) -> BoxStream<'static, Result<T>> {
    once(async move { Err(Error::not_supported(method)) })
}

/// In a service trait: forwards to the wrapped driver, or refuses. `forward!(self.reboot_node_with(node, options))`
#[macro_export]
macro_rules! forward {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self.inner() {
            Some(inner) => inner.$method($($argument),*).await,
            None => Err($crate::Error::not_supported(stringify!($method).trim_end_matches("_with"))),
        }
    };
}

/// The same for a method that gives a stream.
#[macro_export]
macro_rules! forward_stream {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self.inner() {
            Some(inner) => inner.$method($($argument),*),
            None => $crate::refuse(stringify!($method).trim_end_matches("_with")),
        }
    };
}

/// What every resource has: an extra to read typed, and its id alone as an argument of a call by name. The type needs
/// `from_id` and a field `extra`.
#[macro_export]
macro_rules! resources {
    ($($ty:ident, $name:literal;)*) => { $(
        $crate::resource!($ty, $name);

        impl $ty {
            /// What only this provider tells, as the driver's own struct.
            pub fn extra_as<T: $crate::ExtraFields>(&self) -> $crate::Result<T> {
                self.extra.read()
            }

            /// The same with this extra.
            pub fn with_extra(mut self, extra: $crate::Extra) -> Self {
                self.extra = extra;
                self
            }
        }
    )* };
}

/// Defines a handle: the resource, its driver, and a way from the driver to it.
///
/// `handle! { /// A node with its driver. NodeHandle(Node), dyn ComputeDriver, node }`
#[macro_export]
macro_rules! handle {
    ($(#[$meta:meta])* $name:ident($ty:ident), dyn $driver:ident, $method:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            driver: ::std::sync::Arc<dyn $driver>,
            resource: $ty,
        }

        impl $name {
            /// Pairs a resource with its driver. Nothing is asked of the provider.
            pub fn new(driver: ::std::sync::Arc<dyn $driver>, resource: $ty) -> Self {
                Self { driver, resource }
            }

            /// The driver.
            pub fn driver(&self) -> &::std::sync::Arc<dyn $driver> {
                &self.driver
            }

            /// The resource alone.
            pub fn into_inner(self) -> $ty {
                self.resource
            }
        }

        impl ::std::ops::Deref for $name {
            type Target = $ty;

            fn deref(&self) -> &$ty {
                &self.resource
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.resource.fmt(f)
            }
        }

        impl dyn $driver {
            /// The resource with this driver.
            pub fn $method(self: &::std::sync::Arc<Self>, resource: $ty) -> $name {
                $name::new(::std::sync::Arc::clone(self), resource)
            }
        }
    };
}

/// Defines an options struct whose arguments are all optional: a field and a setter for each, the time limit and the
/// extension arguments, and how it is taken out of a call by name. Needs `Ex` and `Duration` in scope.
///
/// ```
/// use std::time::Duration;
/// use libcloud_common::{Ex, optional_arguments};
///
/// optional_arguments! {
///     /// Arguments of `attach_volume`.
///     AttachVolume("attach_volume") {
///         /// What the node is to call it: `/dev/sdb`.
///         device: String = "what the node is to call it", device(&str) str::to_owned;
///     }
/// }
/// let options = AttachVolume::new().device("/dev/sdb").timeout(Duration::from_secs(60));
/// assert_eq!(options.device.as_deref(), Some("/dev/sdb"));
/// ```
#[macro_export]
macro_rules! optional_arguments {
    (
        $(#[$meta:meta])*
        $name:ident($text:literal) {
            $($(#[$field_meta:meta])* $field:ident : $ty:ty = $doc:literal, $set:ident($arg:ty) $into:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: Option<$ty>,)*
            /// The longest that the whole call may take.
            pub timeout: Option<Duration>,
            /// Extension arguments.
            pub ex: Ex,
        }

        impl $name {
            /// No optional arguments.
            pub fn new() -> Self {
                Self::default()
            }

            $($(#[$field_meta])*
            pub fn $set(mut self, value: $arg) -> Self {
                let convert: fn($arg) -> $ty = $into;
                self.$field = Some(convert(value));
                self
            })*
        }

        $crate::call_options!($name);
        $crate::options_arg!($name, $text { $($field: Option<$ty> = $doc,)* });
    };
}

/// In a service crate: calls by name on any driver, and the way back from `dyn` to a driver's own type.
#[macro_export]
macro_rules! calls_by_name {
    ($(#[$meta:meta])* dyn $driver:ident, $tables:expr) => {
        impl dyn $driver {
            /// Calls any method by its name: of the base API, of the `Ext` trait, or an extension of this driver.
            ///
            $(#[$meta])*
            /// # Errors
            /// `InvalidArgument` for an unknown name or argument (the message says what was probably meant, or what
            /// there is) and for a missing or wrong argument; otherwise what the method answers.
            pub async fn call(&self, name: &str, args: $crate::Value) -> $crate::Result<$crate::Value> {
                $crate::dispatch::call(self, $tables, name, args).await
            }

            /// Every method that `call` reaches.
            pub fn methods(&self) -> ::std::vec::Vec<$crate::MethodInfo> {
                $crate::dispatch::methods(self, $tables)
            }

            /// The driver as its own type, for its typed extensions.
            pub fn downcast_ref<T: $driver>(&self) -> ::std::option::Option<&T> {
                (self as &dyn ::std::any::Any).downcast_ref()
            }
        }
    };
}
