//! How objects are encrypted where they are kept.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>

use libcloud_common::{Error, Result, Secret, digest, encode, text};
use libcloud_storage::rest::StorageCall;

/// By a key of S3, of the key service, or of the key service twice.
const ALGORITHMS: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];

/// How long a customer's key is, in bytes.
const KEY: usize = 32;

/// How an object is to be encrypted.
#[derive(Clone, Debug, Default)]
pub(super) struct Encryption {
    algorithm: Option<&'static str>,
    kms_key_id: Option<String>,
    customer_key: Option<CustomerKey>,
}

impl Encryption {
    /// Reads the arguments `ex_server_side_encryption`, `ex_kms_key_id` and `ex_customer_key`.
    pub(super) fn new(
        algorithm: Option<&str>,
        kms_key_id: Option<String>,
        customer_key: Option<&Secret>,
    ) -> Result<Self> {
        let algorithm = algorithm.map(self::algorithm).transpose()?;
        if kms_key_id.is_some() && !algorithm.is_some_and(|algorithm| algorithm.starts_with("aws:kms")) {
            return Err(wrong("ex_kms_key_id", "it goes with `ex_server_side_encryption`: `aws:kms`"));
        }
        if algorithm.is_some() && customer_key.is_some() {
            return Err(wrong(
                "ex_customer_key",
                "whoever keeps a key asks for no other encryption: leave out `ex_server_side_encryption`",
            ));
        }
        let customer_key = customer_key.map(|key| CustomerKey::new("ex_customer_key", key)).transpose()?;
        Ok(Self { algorithm, kms_key_id, customer_key })
    }

    /// For a request that makes an object, or begins one in parts.
    pub(super) fn making(&self, call: StorageCall) -> StorageCall {
        let call = call
            .header_opt("x-amz-server-side-encryption", self.algorithm)
            .header_opt("x-amz-server-side-encryption-aws-kms-key-id", self.kms_key_id.as_deref());
        self.touching(call)
    }

    /// For a request that sends a part of it.
    pub(super) fn touching(&self, call: StorageCall) -> StorageCall {
        match &self.customer_key {
            Some(key) => key.of_object(call),
            None => call,
        }
    }
}

/// A key that the customer keeps, and without which S3 can neither read nor copy an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>
#[derive(Clone, Debug)]
pub(super) struct CustomerKey {
    /// In base64, as it is sent.
    key: Secret,
    /// Its digest, by which S3 finds out whether it arrived whole.
    md5: String,
}

impl CustomerKey {
    /// Reads the argument of this name: 256 bits in base64.
    pub(super) fn new(argument: &'static str, key: &Secret) -> Result<Self> {
        let bytes = encode::decode_base64(key.expose()).ok().filter(|bytes| bytes.len() == KEY);
        // What it is, is never told.
        let bytes = bytes.ok_or_else(|| wrong(argument, "it is no key of 256 bits in base64"))?;
        let bytes = zeroize::Zeroizing::new(bytes);
        Ok(Self { key: key.clone(), md5: digest::md5_base64(&*bytes) })
    }

    /// For a request about an object that is encrypted with it.
    pub(super) fn of_object(&self, call: StorageCall) -> StorageCall {
        self.headers(call, "x-amz-server-side-encryption-customer")
    }

    /// For the copy of an object that is encrypted with it.
    pub(super) fn of_source(&self, call: StorageCall) -> StorageCall {
        self.headers(call, "x-amz-copy-source-server-side-encryption-customer")
    }

    fn headers(&self, call: StorageCall, prefix: &str) -> StorageCall {
        call.header(&format!("{prefix}-algorithm"), "AES256")
            .secret_header(&format!("{prefix}-key"), self.key.expose())
            .header(&format!("{prefix}-key-md5"), &self.md5)
    }
}

fn algorithm(asked: &str) -> Result<&'static str> {
    let found = ALGORITHMS.iter().find(|known| known.eq_ignore_ascii_case(asked));
    found.copied().ok_or_else(|| {
        let meant = text::near(asked, &ALGORITHMS).map(|near| format!("; did you mean `{near}`?"));
        wrong(
            "ex_server_side_encryption",
            &format!(
                "there is no `{asked}`{}, only `{}`",
                meant.unwrap_or_default(),
                ALGORITHMS.join("`, `")
            ),
        )
    })
}

fn wrong(argument: &'static str, problem: &str) -> Error {
    Error::invalid_argument(format!("`{argument}`: {problem}")).with_resource("argument", argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_go_together_is_refused() {
        let key = Secret::new(encode::base64([7; KEY]));
        for (algorithm, kms_key_id, customer_key, text) in [
            (Some("AES265"), None, None, "did you mean `AES256`?"),
            (Some("AES256"), Some("key-1"), None, "it goes with `ex_server_side_encryption`: `aws:kms`"),
            (None, Some("key-1"), None, "it goes with"),
            (Some("AES256"), None, Some(&key), "leave out `ex_server_side_encryption`"),
            (None, None, Some(&Secret::new("canary")), "`ex_customer_key`: it is no key of 256 bits"),
            (None, None, Some(&Secret::new("Y2FuYXJ5")), "it is no key of 256 bits in base64"),
        ] {
            let error = Encryption::new(algorithm, kms_key_id.map(str::to_owned), customer_key).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert!(!format!("{error:#}").contains("canary"));
        }
        assert!(Encryption::new(Some("aws:kms:dsse"), Some("key-1".into()), None).is_ok());
        let shown = format!("{:?}", Encryption::new(None, None, Some(&key)).unwrap());
        assert!(!shown.contains(key.expose()), "{shown}");
    }
}
