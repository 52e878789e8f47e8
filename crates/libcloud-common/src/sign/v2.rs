//! AWS Signature Version 2: a query parameter `Signature` over method, host, path and all other parameters.
//!
//! AWS itself has moved to [`v4`](super::v4); clouds that copied the EC2 query API ask for this one. Source: [Signature
//! Version 2 signing process](https://docs.aws.amazon.com/general/latest/gr/signature-version-2.html).

use std::fmt;

use crate::{digest, encode};

/// The keyed hash of the signature, sent as `SignatureMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// `HmacSHA256`, which the documentation recommends.
    #[default]
    HmacSha256,
    /// `HmacSHA1`, for clouds that know no other.
    HmacSha1,
}

impl Algorithm {
    /// The value of the parameter `SignatureMethod`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HmacSHA256",
            Self::HmacSha1 => "HmacSHA1",
        }
    }
}

/// Who signs, and how. `Debug` shows no credential.
///
/// ```
/// use libcloud_common::sign::v2::{Algorithm, Signer};
///
/// let signer = Signer {
///     access_key: "AKIAIOSFODNN7EXAMPLE",
///     secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
///     token: None,
///     algorithm: Algorithm::HmacSha256,
/// };
/// let mut params = vec![
///     ("Action".to_owned(), "DescribeJobFlows".to_owned()),
///     ("Version".to_owned(), "2009-03-31".to_owned()),
/// ];
/// signer.sign("GET", "elasticmapreduce.amazonaws.com", "/", "2011-10-03T15:19:30", &mut params);
/// assert_eq!(params.last().unwrap().1, "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=");
/// ```
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The id of the access key.
    pub access_key: &'a str,
    /// The secret key.
    pub secret_key: &'a str,
    /// The token of temporary credentials, sent as `SecurityToken`.
    pub token: Option<&'a str>,
    /// The keyed hash.
    pub algorithm: Algorithm,
}

impl Signer<'_> {
    /// Adds the parameters of the signature to `params`; `Signature` becomes the last one.
    ///
    /// `host` has its port unless it is the standard one, `path` is percent-encoded as it is sent, `timestamp` is in UTC
    /// (`2011-10-03T15:19:30Z`). It does not matter whether the parameters are sent as a query or as a form. Parameters of
    /// an earlier signature are replaced, so that another attempt can sign the same list.
    pub fn sign(
        &self,
        method: &str,
        host: &str,
        path: &str,
        timestamp: &str,
        params: &mut Vec<(String, String)>,
    ) {
        const OWN: [&str; 6] = [
            "AWSAccessKeyId",
            "SecurityToken",
            "Signature",
            "SignatureMethod",
            "SignatureVersion",
            "Timestamp",
        ];
        params.retain(|(name, _)| !OWN.contains(&name.as_str()));
        let mut add = |name: &str, value: &str| params.push((name.to_owned(), value.to_owned()));
        add("AWSAccessKeyId", self.access_key);
        add("SignatureVersion", "2");
        add("SignatureMethod", self.algorithm.as_str());
        add("Timestamp", timestamp);
        if let Some(token) = self.token {
            add("SecurityToken", token);
        }
        let text = string_to_sign(method, host, path, params.iter().map(|(name, value)| (name, value)));
        params.push(("Signature".to_owned(), signature(self.secret_key, self.algorithm, &text)));
    }
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The text that is signed: method, host in lower case, path, and the parameters in byte order of their names, a line
/// each.
///
/// `params` are decoded and without `Signature`. An empty path is `/`.
pub fn string_to_sign<K: AsRef<str>, V: AsRef<str>>(
    method: &str,
    host: &str,
    path: &str,
    params: impl IntoIterator<Item = (K, V)>,
) -> String {
    let mut params: Vec<_> = params.into_iter().collect();
    params.sort_by(|(a, x), (b, y)| (a.as_ref(), x.as_ref()).cmp(&(b.as_ref(), y.as_ref())));
    let host = host.to_ascii_lowercase();
    let path = if path.is_empty() { "/" } else { path };
    let query = encode::query(params);
    format!("{method}\n{host}\n{path}\n{query}")
}

/// The value of the parameter `Signature`: the HMAC of the text in base64, not yet percent-encoded.
pub fn signature(secret_key: &str, algorithm: Algorithm, string_to_sign: &str) -> String {
    let (key, text) = (secret_key.as_bytes(), string_to_sign.as_bytes());
    match algorithm {
        Algorithm::HmacSha256 => encode::base64(digest::hmac_sha256(key, text)),
        Algorithm::HmacSha1 => encode::base64(digest::hmac_sha1(key, text)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNER: Signer<'static> = Signer {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        token: None,
        algorithm: Algorithm::HmacSha256,
    };

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn value<'a>(params: &'a [(String, String)], name: &str) -> &'a str {
        let mut found = params.iter().filter(|(key, _)| key == name);
        let value = &found.next().unwrap_or_else(|| panic!("no {name}")).1;
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    // The example of AWS's documentation.
    #[test]
    fn documented_string_to_sign() {
        let text = string_to_sign(
            "GET",
            "ElasticMapReduce.amazonaws.com",
            "",
            [
                ("Action", "DescribeJobFlows"),
                ("Version", "2009-03-31"),
                ("AWSAccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
                ("SignatureVersion", "2"),
                ("SignatureMethod", "HmacSHA256"),
                ("Timestamp", "2011-10-03T15:19:30"),
            ],
        );
        assert_eq!(
            text,
            "GET\nelasticmapreduce.amazonaws.com\n/\nAWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Action=DescribeJobFlows&\
             SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=2011-10-03T15%3A19%3A30&Version=2009-03-31"
        );
        assert_eq!(
            signature(SIGNER.secret_key, Algorithm::HmacSha256, &text),
            "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs="
        );
    }

    // The same example; the expected value is what `openssl dgst -sha1 -hmac` makes of the string to sign.
    #[test]
    fn sha1_signs_the_name_of_its_algorithm() {
        let mut list = params(&[("Action", "DescribeJobFlows"), ("Version", "2009-03-31")]);
        let signer = Signer { algorithm: Algorithm::HmacSha1, ..SIGNER };
        signer.sign("GET", "elasticmapreduce.amazonaws.com", "/", "2011-10-03T15:19:30", &mut list);
        assert_eq!(value(&list, "SignatureMethod"), "HmacSHA1");
        assert_eq!(value(&list, "Signature"), "lfFHkzuzsvqoHr8bDOMDY/xAqP8=");
    }

    #[test]
    fn a_second_signature_replaces_the_first() {
        let mut list = params(&[("Action", "DescribeJobFlows"), ("Version", "2009-03-31")]);
        let host = "elasticmapreduce.amazonaws.com";
        let temporary = Signer { token: Some("t"), algorithm: Algorithm::HmacSha1, ..SIGNER };
        temporary.sign("GET", host, "/", "2011-10-03T15:00:00", &mut list);
        assert_eq!(value(&list, "SecurityToken"), "t");

        SIGNER.sign("GET", host, "/", "2011-10-03T15:19:30", &mut list);
        assert_eq!(value(&list, "Signature"), "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=");
        assert!(list.iter().all(|(name, _)| name != "SecurityToken"));
    }

    #[test]
    fn names_sort_by_byte_and_values_are_percent_encoded() {
        let text =
            string_to_sign("POST", "h:8773", "/services/Cloud", [("b", "x y*~"), ("B.10", "ü"), ("B.2", "")]);
        assert_eq!(text, "POST\nh:8773\n/services/Cloud\nB.10=%C3%BC&B.2=&b=x%20y%2A~");
    }

    #[test]
    fn debug_shows_no_credential() {
        let shown = format!("{:?}", Signer { token: Some("canary"), ..SIGNER });
        assert_eq!(shown, "Signer { algorithm: HmacSha256, .. }");
    }

    proptest! {
        #[test]
        fn the_order_of_the_parameters_does_not_matter(
            (pairs, shuffled) in prop::collection::vec(any::<(String, String)>(), 0..6)
                .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let text = |pairs: Vec<(String, String)>| string_to_sign("GET", "h", "/", pairs);
            prop_assert_eq!(text(pairs), text(shuffled));
        }
    }
}
