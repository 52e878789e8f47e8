//! Whether a credential gets out.

use std::error::Error as _;
use std::fmt::Debug;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libcloud_common::{Config, DebugLog, Error, Value, is_secret_name, json};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing::instrument::WithSubscriber as _;

use crate::breaking::{Breaking, Fault};
use crate::http::Answer;
use crate::recorder::Recorder;
use crate::subject::{Service, Subject};

/// What is put for an option that holds a secret and that the configuration of the subject does not set.
const PLANTED: &str = "canary-7c1fb2d6";

/// Shorter texts would be found by chance.
const SHORTEST: usize = 6;

/// Calls every method of a driver, extensions included, on servers that refuse the credentials and repeat them, answer
/// garbage, and fail, and looks for the credentials in everything that comes out: each error as `{}`, `{:#}`,
/// `{:?}`, JSON and by its sources, what `tracing` is told, the debug log, and what [`Subject::debug`] shows.
///
/// The credentials are key and secret of the subject's configuration, and each of its options whose name is that of a
/// secret; one of those that is not set is planted. Searched for as they are, percent-encoded and in Base64.
///
/// # Panics
/// With every place where one was found. Also if no method sent anything.
pub async fn canary<D: Service + ?Sized>(subject: &Subject<D>) {
    let mut search = Search { needles: Vec::new(), found: Vec::new() };
    let config = search.plant(subject.config.clone(), subject.registration.options);
    let mut requests = 0;
    for (what, fault) in search.faults() {
        let log = Log::new();
        let mut config = config.clone();
        config.transport.debug_log = Some(DebugLog::new(&log.0));
        let prelude = Arc::clone(&subject.prelude);
        let server = Breaking::reacting(move |request| prelude(request), move |_| fault.clone());
        let recorder = Recorder::default();
        let methods = subject.driver_with(&server.url(), config.clone()).all_methods();
        for method in methods {
            let place = format!("{} {} ({what})", subject.name(), method.name);
            let driver = subject.driver_with(&server.url(), config.clone());
            let call = driver.call_by_name(method.name, subject.arguments(&method));
            if let Err(error) = call.with_subscriber(recorder.clone()).await {
                search.error(&place, &error);
            }
        }
        let (told, logged) = (recorder.text(), log.read());
        let sent = server.received().len();
        // What is empty has no secret in it, and proves nothing.
        assert!(sent == 0 || !told.is_empty(), "{} ({what}): tracing was told nothing", subject.name());
        assert!(sent == 0 || !logged.is_empty(), "{} ({what}): nothing is in the debug log", subject.name());
        search.text(&format!("{} ({what}): tracing", subject.name()), &told);
        search.text(&format!("{} ({what}): the debug log", subject.name()), &logged);
        requests += sent;
    }
    search.debug(&format!("{}: Debug of the configuration", subject.name()), &config);
    if let Some(show) = &subject.show {
        search.text(&format!("{}: Debug of the driver", subject.name()), &show(config.clone()));
    }
    assert!(requests > 0, "{}: no method sent anything", subject.name());
    assert!(search.found.is_empty(), "{}", search.found.join("\n"));
}

struct Search {
    /// What is not to be found: its name, the text, and its other forms.
    needles: Vec<(String, String, Vec<String>)>,
    found: Vec<String>,
}

impl Search {
    /// Sets what is not set, and remembers all that is secret.
    fn plant(&mut self, mut config: Config, options: &[libcloud_common::ArgSpec]) -> Config {
        let of_config = [("key", &config.key), ("secret", &config.secret)];
        for (name, secret) in of_config {
            if let Some(secret) = secret {
                self.needle(name, secret.expose());
            }
        }
        for option in options.iter().filter(|option| is_secret_name(option.name)) {
            if option.ty == "string" && !config.options.contains_key(option.name) {
                config = config.option(option.name, format!("{PLANTED}-{}", option.name));
            }
        }
        let set: Vec<_> = config.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in set {
            if let (true, Some(value)) = (is_secret_name(&name), value.as_str()) {
                self.needle(&name, value);
            }
        }
        if let (Some(key), Some(secret)) = (&config.key, &config.secret) {
            let both = format!("{}:{}", key.expose(), secret.expose());
            self.needles.push(("key and secret".into(), both.clone(), vec![STANDARD.encode(both)]));
        }
        assert!(!self.needles.is_empty(), "the configuration has no credential to look for");
        config
    }

    fn needle(&mut self, name: &str, value: &str) {
        assert!(
            value.len() >= SHORTEST,
            "`{name}` is too short to be looked for: give it {SHORTEST} characters"
        );
        let forms = vec![STANDARD.encode(value), utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()];
        self.needles.push((name.to_owned(), value.to_owned(), forms));
    }

    /// Answers that say back what they were told, in each form that an error may have.
    fn faults(&self) -> Vec<(&'static str, Fault)> {
        let all: Vec<&str> = self.needles.iter().map(|(_, value, _)| value.as_str()).collect();
        let text = all.join(" ");
        let fields: Value = self
            .needles
            .iter()
            .map(|(name, value, _)| (format!("{name}_token"), json!(value)))
            .collect::<libcloud_common::Map<_, _>>()
            .into();
        let refused = Answer::new(401);
        vec![
            ("401, plain", refused.clone().body(format!("no such user: {text}")).into()),
            ("401, JSON", refused.clone().json(&json!({"error": {"message": format!("no such user: {text}"), "code": "Unauthorized", "auth": fields}})).into()),
            ("401, XML", refused.header("content-type", "text/xml").body(format!("<Response><Errors><Error><Code>AuthFailure</Code><Message>no such user: {text}</Message><SecretKey>{text}</SecretKey></Error></Errors></Response>")).into()),
            ("garbage", Fault::garbage()),
            ("200, HTML", Fault::html()),
            ("500", Answer::new(500).body(format!("cannot log {text}")).into()),
        ]
    }

    fn error(&mut self, place: &str, error: &Error) {
        self.text(&format!("{place}: the error"), &format!("{error}"));
        self.text(&format!("{place}: the error's long form"), &format!("{error:#}"));
        self.debug(&format!("{place}: Debug of the error"), error);
        self.text(&format!("{place}: the error as JSON"), &error.to_json().to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            self.text(&format!("{place}: a source of the error"), &format!("{cause} {cause:?}"));
            source = cause.source();
        }
    }

    fn debug(&mut self, place: &str, value: &impl Debug) {
        self.text(place, &format!("{value:?} {value:#?}"));
    }

    fn text(&mut self, place: &str, text: &str) {
        for (name, value, forms) in &self.needles {
            if let Some(form) = forms.iter().chain([value]).find(|form| text.contains(form.as_str())) {
                let at = text.find(form.as_str()).unwrap_or_default();
                let start = (0..=at.saturating_sub(60))
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or_default();
                let before = text.get(start..at).unwrap_or_default();
                self.found.push(format!("{place} shows `{name}`: …{before}(here)"));
            }
        }
    }
}

/// A file of its own, that is gone with the value: tests of one driver may run at the same time.
struct Log(tempfile::TempPath);

impl Log {
    fn new() -> Self {
        Self(tempfile::NamedTempFile::new().expect("a temporary file can be made").into_temp_path())
    }

    fn read(&self) -> String {
        std::fs::read(&self.0).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}
