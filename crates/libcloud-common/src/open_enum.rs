//! Enumerations that a new value of a provider does not break.

/// An enumeration of words with an arm for those that are not known.
///
/// ```
/// libcloud_common::open_enum! {
///     /// What a door does.
///     pub enum Door {
///         /// One can go through.
///         Open = "open",
///         /// One cannot.
///         Closed = "closed",
///     }
///     else "unknown"
/// }
/// assert_eq!(Door::from("open"), Door::Open);
/// assert_eq!(Door::from("ajar"), Door::Unknown("ajar".into()));
/// assert_eq!(Door::Unknown("ajar".into()).as_str(), "unknown");
/// ```
///
/// With `else word` in place of `else "unknown"`, an unknown value is written as it came: for types that are sent
/// back to the provider.
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$arm_meta:meta])* $arm:ident = $word:literal,)* }
        else $unknown:tt
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$arm_meta])* $arm,)*
            /// A value that libcloud does not know, as the provider writes it (empty where it has none).
            Unknown(::std::string::String),
        }

        impl $name {
            /// Every value that is known.
            pub const ALL: &'static [Self] = &[$(Self::$arm),*];

            /// The word for it, in JSON and for people.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$arm => $word,)*
                    Self::Unknown(word) => $crate::open_enum!(@unknown $unknown word),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) {
                    return Self::$arm;
                })*
                if word.eq_ignore_ascii_case("unknown") { Self::Unknown(String::new()) } else { Self::Unknown(word.to_owned()) }
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(word: ::std::string::String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(word: &str) -> ::std::result::Result<Self, Self::Err> {
                Ok(Self::from(word))
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as $crate::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }

        impl $crate::dispatch::Arg for $name {
            const TYPE: &'static str = concat!("one of", $(" ", $word,)*);

            fn from_json(value: $crate::Value) -> ::std::result::Result<Self, ::std::string::String> {
                match value {
                    $crate::Value::String(word) => Ok(Self::from(word)),
                    other => Err($crate::dispatch::expected(Self::TYPE, &other)),
                }
            }
        }
    };
    (@unknown word $word:ident) => { $word.as_str() };
    (@unknown $text:literal $word:ident) => {{
        let _ = $word;
        $text
    }};
}
