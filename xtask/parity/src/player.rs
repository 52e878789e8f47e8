//! Plays recorded calls against our drivers.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libcloud::catalogue::{self, Service};
use libcloud::common::{Clock as _, Url};
use libcloud::{
    Config, Error, ErrorKind, ManualClock, Registry, Secret, Support, Timestamp, TransportConfig,
};
use libcloud_testkit::cassette::{self, Call, Exchange, Reply};
use libcloud_testkit::replay::{Received, Replay};
use serde_json::{Map, Value};

use crate::arguments::{self, Arguments};
use crate::compare::{self, Difference, Place};
use crate::drivers::{self, AnyDriver};
use crate::names::{self, Counterpart};
use crate::pricing;
use crate::report::{Report, Verdict};
use crate::rules::{self, Context};

/// When a recording does not say when it was made.
const SOME_TIME: &str = "2026-11-23T11:00:00Z";
/// The longest that a call may take: everything is on this machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What to play, and how.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// The folder of `results` and `transcripts`.
    pub(crate) from: PathBuf,
    /// One of our drivers; all without.
    pub(crate) only: Option<String>,
    /// Whether drivers that can speak the recorded versions of API and signature are told to, so that parameters and
    /// signatures can be compared one by one. Otherwise they speak what they speak to everybody.
    pub(crate) as_recorded: bool,
}

/// Plays all recordings of a folder, or those of one of our drivers.
///
/// # Errors
/// If a file is not what it should be.
pub(crate) async fn play(play: &Play) -> Result<Report, String> {
    let (from, only) = (&play.from, play.only.as_deref());
    let results = from.join("results");
    let mut files: Vec<PathBuf> = fs::read_dir(&results)
        .map_err(|error| format!("{}: {error}", results.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: there are no recordings", results.display()));
    }
    let replay =
        Replay::start(likeliest).await.map_err(|error| format!("no port for the server: {error}"))?;
    let registry = Registry::builtin();
    let mut report = Report::default();
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let calls = cassette::read_calls(&file).map_err(|error| error.to_string())?;
        let transcript = from.join("transcripts").join(format!("{name}.jsonl"));
        let exchanges = if transcript.exists() {
            cassette::read_exchanges(&transcript).map_err(|error| error.to_string())?
        } else {
            Vec::new()
        };
        let api = name.split('-').next().unwrap_or_default();
        let price_files = pricing::Files::of(&calls);
        for test in tests(calls, exchanges) {
            let scratch = tempfile::tempdir().map_err(|error| format!("no scratch folder: {error}"))?;
            let mut stage = Stage {
                api,
                registry: &registry,
                replay: &replay,
                scratch: scratch.path(),
                as_recorded: play.as_recorded,
                made: HashMap::new(),
                made_content: false,
                logins: Vec::new(),
            };
            let unclear = changed_behind(&test.calls);
            stage.logins = test.logins();
            let prices = pricing::Stage::new(&test.calls);
            for call in &test.calls {
                let row = stage.row(call);
                if only.is_some_and(|only| only != row && only != format!("{api}/{row}")) {
                    continue;
                }
                let verdict = if unclear.contains(&call.n) {
                    Verdict::Skipped("the test changed the driver's attributes between calls".to_owned())
                } else if call.driver == pricing::MODULE {
                    match prices.call(call, &price_files, scratch.path()) {
                        Some(answer) => {
                            let ours = answer.as_ref().map(Some);
                            stage.judge(call, &[], &[], outcome_of(call, ours, pricing::kinds))
                        }
                        None => Verdict::Skipped(format!("`{}` is not played", call.call)),
                    }
                } else {
                    stage.play(call, &test.exchanges).await
                };
                report.add(api, &row, call, verdict);
            }
        }
    }
    Ok(report)
}

struct Test {
    calls: Vec<Call>,
    exchanges: HashMap<u64, Exchange>,
}

impl Test {
    /// The logins that no call made: the test did it before, or an earlier test whose token is still good. Ours logs in
    /// with its first call.
    fn logins(&self) -> Vec<Exchange> {
        let claimed = |seq: &u64| self.calls.iter().any(|call| call.requests.contains(seq));
        let is_login = |exchange: &Exchange| {
            let connection = exchange.connection.as_deref().unwrap_or_default();
            connection.contains("Auth") || connection.contains("Identity")
        };
        let mut found: Vec<_> = self
            .exchanges
            .iter()
            .filter(|(seq, exchange)| !claimed(seq) && is_login(exchange))
            .map(|(_, exchange)| exchange.clone())
            .collect();
        found.sort_by_key(|exchange| exchange.seq);
        found
    }
}

/// Readings in a row that are the same and send nothing, and yet give different results: in between the test set attributes
/// of the driver, which is not in the recording.
fn changed_behind(calls: &[Call]) -> Vec<u64> {
    let same = |one: &Call, other: &Call| {
        (&one.driver, &one.call, &one.args) == (&other.driver, &other.call, &other.args)
            && one.requests.is_empty()
            && other.requests.is_empty()
            && (one.call.starts_with("list_") || one.call.starts_with("get_"))
    };
    let rows = calls.chunk_by(same);
    let changed = rows
        .filter(|row| row.windows(2).any(|pair| matches!(pair, [one, other] if one.result != other.result)));
    changed.flatten().map(|call| call.n).collect()
}

/// The calls of each test, in the order of the file.
fn tests(calls: Vec<Call>, exchanges: Vec<Exchange>) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    let mut index = BTreeMap::new();
    for call in calls {
        let number = *index.entry(call.test.clone()).or_insert_with(|| {
            tests.push(Test { calls: Vec::new(), exchanges: HashMap::new() });
            tests.len() - 1
        });
        if let Some(test) = tests.get_mut(number) {
            test.calls.push(call);
        }
    }
    for exchange in exchanges {
        if let Some(test) = index.get(&exchange.test).and_then(|number| tests.get_mut(*number)) {
            test.exchanges.insert(exchange.seq, exchange);
        }
    }
    tests
}

/// The recorded exchange that a request is most like; among equals the first.
fn likeliest(received: &Received, left: &[(usize, &Exchange)]) -> Option<usize> {
    left.iter()
        .filter_map(|(number, exchange)| {
            Some((compare::likeness(received, exchange)?, std::cmp::Reverse(*number)))
        })
        .max()
        .map(|(_, std::cmp::Reverse(number))| number)
}

/// What the calls of one test have in common.
struct Stage<'a> {
    api: &'a str,
    registry: &'a Registry,
    replay: &'a Replay,
    scratch: &'a Path,
    as_recorded: bool,
    /// The last driver of each class.
    made: HashMap<String, Made>,
    /// Whether the test has sent content that is not the recorded one.
    made_content: bool,
    /// What answers a login that the recorded call did not need.
    logins: Vec<Exchange>,
}

struct Made {
    driver: Result<AnyDriver, Error>,
    clock: ManualClock,
    /// What the original's constructor sent; ours sends it with the first call.
    pending: Vec<Exchange>,
}

impl Stage<'_> {
    /// The line of the report that a call belongs to.
    fn row(&self, call: &Call) -> String {
        let found = match (names::service(self.api), names::counterpart(self.api, &call.driver)) {
            (Some(service), Counterpart::Driver { name, .. }) => catalogue::entries(service)
                .iter()
                .find(|entry| entry.id == name || entry.constant == name)
                .map(|entry| entry.alias_of.map_or(entry.id, |alias| alias.id)),
            _ => None,
        };
        found.unwrap_or(&call.driver).to_owned()
    }

    async fn play(&mut self, call: &Call, recorded: &HashMap<u64, Exchange>) -> Verdict {
        let (service, name) = match (names::service(self.api), names::counterpart(self.api, &call.driver)) {
            (Some(service), Counterpart::Driver { name, .. }) => (service, name),
            (_, Counterpart::None(why)) => return Verdict::Skipped(why.to_owned()),
            (None, _) => return Verdict::Skipped("not a service".to_owned()),
        };
        if let Some(why) = rules::superseded(self.api, &call.driver, call.release.as_deref()) {
            return Verdict::Superseded(why);
        }
        let Ok(options) = drivers::options(self.registry, service, name) else {
            return Verdict::Skipped("this driver is not implemented yet".to_owned());
        };
        let exchanges: Vec<Exchange> =
            call.requests.iter().filter_map(|seq| recorded.get(seq).cloned()).collect();
        if call.call == "new" {
            // The clock only goes forward.
            let start = recorded.values().filter_map(time_of).min();
            let versions = if self.as_recorded { versions(call, &options, recorded) } else { Vec::new() };
            return self.construct(call, (service, name), &options, &versions, (exchanges, start));
        }
        self.call(call, exchanges).await
    }

    /// A constructor: it works or is refused as the recorded one. What it sent is left for the first call.
    fn construct(
        &mut self,
        call: &Call,
        (service, name): (Service, &str),
        options: &[&str],
        versions: &[(&'static str, String)],
        (pending, start): (Vec<Exchange>, Option<Timestamp>),
    ) -> Verdict {
        let clock = ManualClock::at(start.or_else(|| SOME_TIME.parse().ok()).unwrap_or_else(|| {
            // The text above is a time.
            libcloud::SystemClock::shared().now()
        }));
        let driver = self
            .config(call, options, versions, &clock)
            .and_then(|config| AnyDriver::new(self.registry, service, name, config));
        let differences = outcome(call, driver.as_ref().map(|_| None));
        self.made.insert(call.driver.clone(), Made { driver, clock, pending });
        self.judge(call, &[], &[], differences)
    }

    fn config(
        &self,
        call: &Call,
        options: &[&str],
        versions: &[(&'static str, String)],
        clock: &ManualClock,
    ) -> Result<Config, Error> {
        let mut transport = TransportConfig::new().retries(0).idle_timeout(LIMIT / 3);
        transport.debug_log = None;
        // Whatever the URL says, so that it is what it would be without us.
        transport.connect_to = Some(self.replay.address());
        let mut config = Config::anonymous().clock(clock.clone()).transport(transport);
        for (name, value) in names::constructor_arguments(&call.args) {
            let value = &value;
            let text = || match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match (names::constructor_argument(&name), value) {
                (_, Value::Null) => {}
                (_, Value::String(text)) if arguments::is_placeholder(text) => {}
                // The original overwrites them with what the catalogue says.
                ("host" | "port" | "secure", _) if !self.logins.is_empty() => {}
                ("key", Value::String(path)) if path.starts_with("/TMPDIR") => {
                    let folder = self.scratch.join("base");
                    fs::create_dir_all(&folder).map_err(|error| Error::io("make the base folder", error))?;
                    config.key = Some(Secret::from(folder.display().to_string()));
                }
                ("key" | "creds", _) => config.key = Some(Secret::from(text())),
                ("secret", _) => config.secret = Some(Secret::from(text())),
                ("region", _) => config.region = Some(text()),
                ("host", _) => config.host = Some(text()),
                ("port", value) => config.port = value.as_u64().and_then(|port| port.try_into().ok()),
                ("secure", value) => {
                    config.secure = value.as_bool().or(value.as_u64().map(|secure| secure != 0));
                }
                ("api_version", _) => config.api_version = Some(text()),
                (name, value) => config = config.option(name, value.clone()),
            }
        }
        for (option, version) in versions {
            match *option {
                "api_version" => config.api_version = Some(version.clone()),
                option => config = config.option(option, version.clone()),
            }
        }
        // What the test set in the class.
        if options.contains(&"ex_force_auth_url") && !call.args.contains_key("ex_force_auth_url") {
            config.auth_url = self.logins.first().and_then(|login| origin(&login.request));
        }
        // The original addresses containers by path.
        if options.contains(&"path_style") {
            config = config.option("path_style", true);
        }
        Ok(config)
    }

    async fn call(&mut self, call: &Call, exchanges: Vec<Exchange>) -> Verdict {
        let Some(made) = self.made.get_mut(&call.driver) else {
            return Verdict::Skipped("the recording does not have the driver's constructor".to_owned());
        };
        let driver = match &made.driver {
            Ok(driver) => driver.clone(),
            Err(error) => return Verdict::failed(Place::Outcome, None, Some(format!("no driver: {error}"))),
        };
        let mut expected = std::mem::take(&mut made.pending);
        expected.extend(exchanges);
        if let Some(time) = expected.iter().find_map(time_of) {
            made.clock.advance(time.since(made.clock.now()));
        }
        let row = self.row(call);
        let method = names::method(&row, &call.call, &call.args);
        if call.result.as_ref().is_some_and(|result| {
            result.pointer("/_digest").is_some_and(|digest| digest.get("items").is_none())
        }) {
            return Verdict::Skipped("the result was too large for the recording".to_owned());
        }
        if let Some(why) = later_argument(&driver, method, call) {
            return Verdict::Skipped(why);
        }
        if let Some(verdict) = not_there(&driver, method, call) {
            return verdict;
        }
        let Arguments { args, made_content, filled } =
            match arguments::arguments(&row, call, &expected, self.scratch) {
                Ok(arguments) => arguments,
                Err(why) => return Verdict::Skipped(why),
            };
        let args = numbers(&driver, method, args);
        self.made_content |= made_content;
        let required = expected.len();
        expected.extend(self.logins.iter().cloned());
        self.replay.load(expected.clone());
        let answer = tokio::time::timeout(LIMIT, driver.call(method, args.into())).await;
        let received = self.replay.take();
        let answered = |exchange: &Exchange| match &exchange.response {
            Some(Reply::Answer(answer)) => answer.body.as_ref().is_none_or(|body| body.bytes().is_some()),
            _ => false,
        };
        let asked = |one: &Received| one.answered_with.and_then(|number| expected.get(number));
        if !received.iter().filter_map(asked).all(answered) {
            return Verdict::Skipped("the recording does not have the answer to a request of it".to_owned());
        }
        let answer = answer.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, format!("not done within {} s", LIMIT.as_secs())))
        });
        if expected.is_empty() && made_content && !received.is_empty() {
            return Verdict::Skipped(
                "the test replaced what sends the content: no request of it was recorded".to_owned(),
            );
        }
        let mut differences = sent(&expected, required, &received);
        differences.extend(filled.into_iter().map(|(name, value)| Difference {
            place: Place::Argument(name),
            request: None,
            recorded: None,
            ours: Some(value),
        }));
        differences.extend(outcome(call, answer.as_ref().map(Some)));
        self.judge(call, &expected, &received, differences)
    }

    fn judge(
        &self,
        call: &Call,
        exchanges: &[Exchange],
        received: &[Received],
        differences: Vec<Difference>,
    ) -> Verdict {
        let driver = self.row(call);
        let context = Context {
            api: self.api,
            driver: &driver,
            call,
            exchanges,
            received,
            made_content: self.made_content,
            differences: &differences,
        };
        Verdict::of(&context)
    }
}

/// The versions of API and signature that the class spoke in this test, for a driver that can choose.
fn versions(call: &Call, options: &[&str], recorded: &HashMap<u64, Exchange>) -> Vec<(&'static str, String)> {
    let mut versions = Vec::new();
    let dated = recorded.values().find_map(|exchange| exchange.request.headers.get("x-ms-version"));
    versions.extend(dated.map(|version| ("api_version", version.clone())));
    if !options.contains(&"signature_version") {
        return versions;
    }
    let of_class = recorded.values().find(|exchange| exchange.driver.as_ref() == Some(&call.driver));
    // Route 53 has its version in the path, and a signature of its own with it.
    if let Some(exchange) = of_class.filter(|one| one.request.headers.contains_key("X-Amzn-Authorization")) {
        let version = exchange.request.path.split('/').nth(1).unwrap_or_default();
        return vec![("signature_version", "3".into()), ("api_version", version.into())];
    }
    for (name, value) in
        of_class.map(|exchange| compare::recorded_params(&exchange.request).0).unwrap_or_default()
    {
        match name.as_str() {
            "SignatureVersion" => versions.push(("signature_version", value)),
            "Version" if call.driver.ends_with("NodeDriver") => versions.push(("api_version", value)),
            _ => {}
        }
    }
    versions
}

/// An extension argument that the original got after 0.14, and that our driver does not have yet.
fn later_argument(driver: &AnyDriver, method: &str, call: &Call) -> Option<String> {
    call.release.as_ref()?;
    let known: Vec<_> = driver
        .methods()
        .into_iter()
        .filter(|known| known.name == method)
        .flat_map(|known| known.args)
        .collect();
    let later =
        call.args.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).find(|name| {
            name.starts_with("ex_")
                && LATER_ARGUMENTS.contains(&name.as_str())
                && known.iter().all(|spec| spec.name != *name)
        })?;
    Some(format!("`{later}` of `{method}` came after 0.14"))
}

/// Extension arguments of base methods that 0.14 does not have.
const LATER_ARGUMENTS: &[&str] =
    &["ex_assign_public_ip", "ex_spot", "ex_spot_max_price", "ex_terminate_on_shutdown"];

/// Numbers that the original takes as text, too.
fn numbers(driver: &AnyDriver, method: &str, mut args: Map<String, Value>) -> Map<String, Value> {
    // The extension arguments of a base method are those of the extension that does more.
    let of = |name: &str| name == method || name == "create_node" && method == "ex_create_nodes";
    let specs = driver.methods().into_iter().filter(|known| of(known.name)).flat_map(|known| known.args);
    for spec in specs.filter(|spec| spec.ty == "integer") {
        if let Some(value) = args.get_mut(spec.name)
            && let Some(number) = value.as_str().and_then(|text| text.parse::<u64>().ok())
        {
            *value = number.into();
        }
    }
    args
}

/// A method that our driver does not have: right where the original's has not either.
fn not_there(driver: &AnyDriver, method: &str, call: &Call) -> Option<Verdict> {
    let known = driver.methods().iter().any(|known| known.name == method);
    let is_extension = method.starts_with("ex_");
    let is_missing = matches!(driver.capabilities().of(base_method(method)), Support::NotImplemented);
    if known && (is_extension || !is_missing) {
        return None;
    }
    let refused = call.raises.as_ref().is_some_and(|raised| raised.class == "NotImplementedError");
    Some(if refused {
        Verdict::Passed
    } else {
        Verdict::Skipped(format!("the driver does not have `{method}` yet"))
    })
}

/// The method whose capability decides: uploads and downloads by path follow from those of streams.
fn base_method(name: &str) -> &str {
    match name {
        "upload_object" => "upload_object_via_stream",
        "download_object" | "download_object_range" | "download_object_range_as_stream" => {
            "download_object_as_stream"
        }
        // What follows from what every driver has: never without.
        "deploy_node" | "wait_until_running" => "create_node",
        "list_record_types" => "iterate_zones",
        other => other,
    }
}

/// The server that a request went to.
fn origin(request: &cassette::Request) -> Option<Url> {
    let port = request.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", request.scheme.as_deref()?, request.host.as_deref()?).parse().ok()
}

/// What differs in the requests, of which the first so many had to come.
fn sent(expected: &[Exchange], required: usize, received: &[Received]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for one in received {
        match one.answered_with.and_then(|number| Some((number, expected.get(number)?))) {
            Some((number, exchange)) => differences.extend(compare::requests(number, exchange, one)),
            None => differences.push(Difference {
                place: Place::Extra,
                request: None,
                recorded: None,
                ours: Some(line(&one.method, &one.path, one.query.as_deref(), &one.body)),
            }),
        }
    }
    for (number, exchange) in expected.iter().take(required).enumerate() {
        if !received.iter().any(|one| one.answered_with == Some(number)) {
            let request = &exchange.request;
            let told = line(&request.method, &request.path, request.query.as_deref(), b"");
            differences.push(Difference {
                place: Place::Missing,
                request: Some(number),
                recorded: Some(told),
                ours: None,
            });
        }
    }
    differences
}

fn line(method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Value {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let body: String = String::from_utf8_lossy(body).chars().take(100).collect();
    format!("{method} {path}{query} {body}").trim_end().into()
}

/// What differs in what came back. Of a constructor only whether it worked.
fn outcome(call: &Call, ours: Result<Option<&Value>, &Error>) -> Vec<Difference> {
    outcome_of(call, ours, kinds)
}

/// The same, with the kinds of error that stand for an exception.
fn outcome_of(
    call: &Call,
    ours: Result<Option<&Value>, &Error>,
    kinds: fn(&str) -> Option<&'static [ErrorKind]>,
) -> Vec<Difference> {
    let differs = |recorded: &str, ours: String| {
        vec![Difference {
            place: Place::Outcome,
            request: None,
            recorded: Some(recorded.into()),
            ours: Some(ours.into()),
        }]
    };
    match (&call.raises, &call.result, ours) {
        (Some(raised), _, Err(error)) => {
            if kinds(&raised.class).is_none_or(|kinds| kinds.contains(&error.kind())) {
                Vec::new()
            } else {
                differs(&raised.class, format!("{}: {error}", error.kind().as_str()))
            }
        }
        (Some(raised), _, Ok(answer)) => {
            differs(&raised.class, answer.map_or_else(|| "a driver".to_owned(), Value::to_string))
        }
        // What the original answers with False is an error.
        (None, Some(Value::Bool(false)), Err(_)) | (None, None, _) | (None, Some(_), Ok(None)) => Vec::new(),
        (None, Some(_), Err(error)) => differs("worked", format!("{}: {error}", error.kind().as_str())),
        (None, Some(recorded), Ok(Some(ours))) => {
            let recorded = arguments::result(recorded);
            match (&recorded, ours) {
                // Nothing, and done, are one here.
                (Value::Null, Value::Bool(true)) => Vec::new(),
                // Of a large result the number of items was written down.
                (Value::Object(map), Value::Array(ours)) if map.contains_key("_digest") => {
                    let items = recorded.pointer("/_digest/items").cloned().unwrap_or_default();
                    compare::length(&items, ours.len())
                }
                // The content of a stream was not written down.
                (Value::String(text), _) if arguments::is_placeholder(text) => Vec::new(),
                (Value::Object(map), Value::String(_)) if map.contains_key("_type") => Vec::new(),
                (Value::Array(chunks), Value::String(whole)) if chunks.iter().all(Value::is_string) => {
                    let joined: String = chunks.iter().filter_map(Value::as_str).collect();
                    compare::results(&joined.into(), &whole.as_str().into())
                }
                _ => compare::results(&recorded, ours),
            }
        }
    }
}

/// The kinds of error that stand for an exception; none for one that only says that something failed.
fn kinds(class: &str) -> Option<&'static [ErrorKind]> {
    use ErrorKind as K;
    Some(match class {
        "InvalidCredsError" => &[K::InvalidCredentials],
        "NotImplementedError" => &[K::NotSupported],
        "MalformedResponseError" | "JsonParseError" => &[K::MalformedResponse],
        "ValueError" | "TypeError" | "AttributeError" | "KeyError" => {
            &[K::InvalidArgument, K::InvalidName, K::NotSupported]
        }
        "InvalidContainerNameError" => &[K::InvalidName],
        "ObjectHashMismatchError" => &[K::HashMismatch],
        "ContainerIsNotEmptyError" => &[K::NotEmpty],
        class if class.contains("DoesNotExist") || class.contains("NotFound") => &[K::NotFound],
        class if class.contains("AlreadyExists") => &[K::AlreadyExists],
        _ => return None,
    })
}

/// When a request was made, as it says itself.
fn time_of(exchange: &Exchange) -> Option<Timestamp> {
    let request = &exchange.request;
    let header = |name: &str| {
        request
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let (params, _) = compare::recorded_params(request);
    let param = params.iter().find(|(name, _)| name.eq_ignore_ascii_case("timestamp"));
    [header("x-amz-date"), header("x-ms-date"), header("date"), param.map(|(_, value)| value.as_str())]
        .into_iter()
        .flatten()
        .find_map(|text| basic_time(text).or_else(|| text.parse().ok()))
}

/// `20261123T110151Z`.
fn basic_time(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?.replace('T', "");
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    )
    .parse()
    .ok()
}
