//! How a request is signed: base64 of HMAC-SHA1 over the sorted, lower-cased query.
//!
//! <https://docs.cloudstack.apache.org/en/latest/developersguide/dev.html#how-to-sign-an-api-call-with-python>

use std::time::Duration;

use libcloud_common::{
    Authenticate, Body, Param, Request, Result, Secret, Target, async_trait, digest, encode,
};

/// Adds the key, the form of the answer, and the signature.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) key: Secret,
    pub(crate) secret: Secret,
    /// How long a signature of version 3 is good for; those of version 2 do not expire.
    pub(crate) expires: Option<Duration>,
}

#[async_trait]
impl Authenticate for Signer {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        let params = match &mut request.body {
            Body::Form(params) => params,
            _ => &mut request.query,
        };
        params.push(Param::new("apiKey", self.key.expose()).secret());
        params.push(Param::new("response", "json"));
        if let Some(expires) = self.expires {
            params.push(Param::new("signatureVersion", "3"));
            let end = target.now.after(expires).format("%Y-%m-%dT%H:%M:%S+0000");
            params.push(Param::new("expires", end));
        }
        let signature = signature(&self.secret, params);
        params.push(Param::new("signature", signature).secret());
        Ok(())
    }
}

fn signature(secret: &Secret, params: &[Param]) -> String {
    let text = text_to_sign(params);
    encode::base64(digest::hmac_sha1(secret.expose().as_bytes(), text.as_bytes()))
}

/// `apikey=…&command=…&response=json`: sorted by lower-cased name, all of it in lower case.
fn text_to_sign(params: &[Param]) -> String {
    let mut pairs: Vec<(String, &str)> =
        params.iter().map(|param| (param.name.to_lowercase(), param.value.as_str())).collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={}", encoded(value).to_lowercase())).collect();
    pairs.join("&")
}

/// As the server's `java.net.URLEncoder` has it, with `%20` for a space.
fn encoded(value: &str) -> String {
    encode::segment(value).replace('~', "%7E").replace("%2A", "*")
}

#[cfg(test)]
mod tests {
    use libcloud_common::Timestamp;

    use super::*;

    fn params(pairs: &[(&'static str, &str)]) -> Vec<Param> {
        pairs.iter().map(|(name, value)| Param::new(*name, *value)).collect()
    }

    #[test]
    fn the_text_is_sorted_and_in_lower_case() {
        let params = params(&[
            ("command", "deployVirtualMachine"),
            ("tags[0].key", "Größe ~*+/"),
            ("apiKey", "A-b_c.d"),
            ("Response", "json"),
        ]);
        assert_eq!(
            text_to_sign(&params),
            "apikey=a-b_c.d&command=deployvirtualmachine&response=json&tags[0].key=gr%c3%b6%c3%9fe%20%7e*%2b%2f"
        );
    }

    /// The example of CloudStack's developer's guide.
    #[test]
    fn the_example_of_the_guide() {
        let params = params(&[
            ("command", "listUsers"),
            ("response", "json"),
            (
                "apiKey",
                "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg",
            ),
        ]);
        let secret = Secret::new(
            "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ",
        );
        assert_eq!(signature(&secret, &params), "TTpdDq/7j/J58XCRHomKoQXEQds=");
    }

    #[tokio::test]
    async fn version_3_says_when_it_expires() {
        let mut request = Request::new("listZones", http::Method::GET, [""; 0]);
        let base = "https://cloud.example.org/client/api".parse().unwrap();
        let now: Timestamp = "2024-05-01T08:30:00Z".parse().unwrap();
        let signer = Signer {
            key: "canary-key".into(),
            secret: "canary-secret".into(),
            expires: Some(Duration::from_secs(600)),
        };
        signer.authenticate(&mut request, Target::new(&base, now)).await.unwrap();
        let printed = request.printable_target();
        assert_eq!(
            printed,
            "?apiKey=•••&response=json&signatureVersion=3&expires=2024-05-01T08%3A40%3A00%2B0000&signature=•••"
        );
    }
}
