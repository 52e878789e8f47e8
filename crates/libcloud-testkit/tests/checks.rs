//! The tests that hold for every driver, on a driver that is right, and on the same driver with one thing wrong: each must
//! find it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use libcloud_common::auth::HeaderKey;
use libcloud_common::{
    BoxStream, Capabilities, Config, Connection, Descriptor, Driver, Error, ErrorKind, Extensions, Options,
    Page, Registration, Response, Result, Value, async_trait, json, pages, unique_token,
};
use libcloud_dns::{CreateZone, DnsDriver, DnsDriverExt as _, RecordType, UpdateZone, Zone, ZoneType};
use libcloud_testkit::{
    Answer, Breaking, Fault, Listing, ListingPage, SentOnce, Subject, canary, capabilities, sent_once,
    time_limits,
};

/// What is wrong with the driver.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    RepeatsAnUpdate,
    SendsNoToken,
    ReadsOnce,
    ClaimsTooMuch,
    HasMoreThanItSays,
    IgnoresArguments,
    EndsAtAnEmptyPage,
    IgnoresTheCursor,
    FetchesAhead,
    FollowsACircle,
    LosesAnError,
    IgnoresTheTimeLimit,
    ShowsTheKey,
    ShowsTheKeyInTracing,
}

#[derive(Clone)]
struct Toy {
    conn: Connection,
    key: String,
    wrong: Wrong,
}

fn can(wrong: Wrong) -> Capabilities {
    let can = Capabilities::new().supports(&[
        "list_record_types",
        "iterate_zones",
        "get_zone",
        "create_zone",
        "delete_zone",
    ]);
    let can = if wrong == Wrong::HasMoreThanItSays { can } else { can.supports(&["update_zone"]) };
    if wrong == Wrong::ClaimsTooMuch { can.supports(&["delete_record"]) } else { can }
}

impl Toy {
    fn new(config: &Config, wrong: Wrong) -> Result<Self> {
        let key = config.need_key("the key")?;
        let conn = Connection::builder("toy", config.base_url("https://toy.example/v1")?, config)
            .auth(HeaderKey { name: "x-key", value: key.clone() })
            .check(check)
            .build();
        Ok(Self { conn, key: key.expose().to_owned(), wrong })
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    async fn page(&self, cursor: Option<u64>, limit: Option<Duration>) -> Result<Page<Zone, Option<u64>>> {
        let asked = cursor.filter(|_| !self.is(Wrong::IgnoresTheCursor));
        let call = self.conn.get("ListZones", ["zones"]).query_opt("after", asked).timeout(limit);
        let call = if self.is(Wrong::ReadsOnce) { call.not_repeatable() } else { call };
        let answer: Value = match call.json_answer().await {
            Err(_) if self.is(Wrong::LosesAnError) && cursor.is_some() => json!({"zones": []}),
            answer => answer?,
        };
        let zones = answer["zones"].as_array().ok_or_else(|| Error::malformed("zones", "it is missing"))?;
        let zones: Vec<_> = zones.iter().map(|zone| zone_of(zone.as_str().unwrap_or_default())).collect();
        let ends = zones.is_empty() && self.is(Wrong::EndsAtAnEmptyPage);
        let mut next = answer["next"].as_u64().filter(|_| !ends);
        if self.is(Wrong::FollowsACircle) {
            next = next.map(|next| next + cursor.unwrap_or_default());
        }
        Ok(Page::new(zones, next.map(Some)))
    }
}

fn check(response: &Response) -> Result<()> {
    if response.status.is_success() { Ok(()) } else { Err(response.error(response.status.to_string())) }
}

fn zone_of(id: &str) -> Zone {
    Zone::new(id, "example.com", ZoneType::Master)
}

impl Extensions for Toy {}

impl Driver for Toy {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("toy", "Toy", "https://toy.example")
    }

    fn capabilities(&self) -> Capabilities {
        can(self.wrong)
    }
}

#[async_trait]
impl DnsDriver for Toy {
    fn list_record_types(&self) -> Vec<RecordType> {
        vec![RecordType::A]
    }

    fn iterate_zones_with(&self, options: Options) -> BoxStream<'static, Result<Zone>> {
        let limit = match options.plain("list_zones") {
            Ok(limit) => limit,
            Err(error) => return Box::pin(futures_util::stream::iter([Err(error)])),
        };
        let driver = self.clone();
        if self.is(Wrong::FetchesAhead) {
            let all = tokio::spawn(async move {
                let mut items = Vec::new();
                let mut next = Some(None);
                while let Some(cursor) = next.take() {
                    match driver.page(cursor, limit).await {
                        Ok(page) => {
                            items.extend(page.items.into_iter().map(Ok));
                            next = page.next;
                        }
                        Err(error) => items.push(Err(error)),
                    }
                }
                items
            });
            let items = async move { futures_util::stream::iter(all.await.unwrap()) };
            return Box::pin(items.flatten_stream());
        }
        pages(None, move |cursor| {
            let driver = driver.clone();
            async move { driver.page(cursor, limit).await }
        })
    }

    async fn get_zone_with(&self, zone_id: &str, options: Options) -> Result<Zone> {
        if self.is(Wrong::ShowsTheKeyInTracing) {
            tracing::debug!(key = %self.key, "asking");
        }
        let call = self.conn.get("GetZone", ["zones", zone_id]).options("get_zone", options);
        let answer = call.empty().await;
        answer.map_err(|error| if self.is(Wrong::ShowsTheKey) { error.context(&self.key) } else { error })?;
        Ok(zone_of(zone_id))
    }

    async fn create_zone_with(&self, domain: &str, options: CreateZone) -> Result<Zone> {
        options.ex.none("create_zone")?;
        let token = if self.is(Wrong::SendsNoToken) { String::new() } else { unique_token()? };
        let body = json!({"domain": domain, "once": token});
        let call = self.conn.post("CreateZone", ["zones"]).timeout(options.timeout).json(&body);
        call.repeatable().empty().await?;
        Ok(zone_of("1"))
    }

    async fn update_zone_with(&self, zone: &Zone, options: UpdateZone) -> Result<Zone> {
        options.ex.none("update_zone")?;
        let limit = options.timeout.filter(|_| !self.is(Wrong::IgnoresTheTimeLimit));
        let call = self.conn.post("UpdateZone", ["zones", &zone.id]).timeout(limit);
        let call = if self.is(Wrong::RepeatsAnUpdate) { call.repeatable() } else { call };
        call.empty().await?;
        Ok(zone.clone())
    }

    async fn delete_zone_with(&self, zone: &Zone, options: Options) -> Result<()> {
        let limit = options.timeout;
        if !self.is(Wrong::IgnoresArguments) {
            options.plain("delete_zone")?;
        }
        self.conn.delete("DeleteZone", ["zones", &zone.id]).timeout(limit).empty().await
    }
}

fn subject(wrong: Wrong) -> Subject<dyn DnsDriver> {
    // A registration has a function for its capabilities, which cannot know what is wrong.
    let told = match wrong {
        Wrong::ClaimsTooMuch => || can(Wrong::ClaimsTooMuch),
        Wrong::HasMoreThanItSays => || can(Wrong::HasMoreThanItSays),
        _ => || can(Wrong::Nothing),
    };
    let descriptor = Descriptor::new("toy", "Toy", "https://toy.example");
    let registration = Registration::new(descriptor, told, move |config| {
        Ok(Arc::new(Toy::new(&config, wrong)?) as Arc<dyn DnsDriver>)
    });
    Subject::new(registration, Config::with_key("canary-key"))
        .sends_nothing(&["list_record_types"])
        .token("create_zone", "once")
        .args("export_zone_to_bind_zone_file", json!({"file_path": "/nonexistent/x"}))
}

fn listing() -> Listing<dyn DnsDriver> {
    let render = |page: &ListingPage| Answer::new(200).json(&json!({"zones": page.ids, "next": page.next}));
    Listing::new(|driver: &dyn DnsDriver| driver.iterate_zones(), render).asks(|page| format!("after={page}"))
}

/// What a check says of the driver with this wrong.
async fn found(check: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(check).catch_unwind().await.expect_err("nothing was found");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[tokio::test]
async fn a_driver_that_is_right_passes() {
    let subject = subject(Wrong::Nothing);
    assert!(capabilities(&subject).await.contains(&"delete_record"));
    canary(&subject).await;
    listing().prove(&subject).await;
    let sent = sent_once(&subject).await;
    let SentOnce { once, with_token, nothing, again, .. } = &sent;
    assert_eq!((&once[..], &with_token[..]), (&["update_zone"][..], &["create_zone"][..]), "{sent:?}");
    assert_eq!(nothing[..], ["list_record_types"], "{sent:?}");
    for method in ["delete_zone", "get_zone", "list_zones"] {
        assert!(again.contains(&method), "{sent:?}");
    }
}

#[tokio::test]
async fn what_is_sent_too_often_or_too_seldom_is_found() {
    for (wrong, text) in [
        (
            Wrong::RepeatsAnUpdate,
            "dns toy update_zone: POST /v1/zones/z was sent 3 times, and may have been done",
        ),
        (
            Wrong::SendsNoToken,
            "dns toy create_zone: the repetitions do not have the same `once`: [Some(\"\")",
        ),
        (Wrong::ReadsOnce, "dns toy list_zones: it only reads, but GET /v1/zones was sent once"),
    ] {
        let text_found = found(async { drop(sent_once(&subject(wrong)).await) }).await;
        assert!(text_found.contains(text), "{wrong:?}: {text_found}");
    }
    let named = subject(Wrong::Nothing).sends_nothing(&["get_zone"]);
    let text = found(async { drop(sent_once(&named).await) }).await;
    assert!(text.contains("`sends_nothing` names it, but it sent GET /v1/zones/sample"), "{text}");
    let local = subject(Wrong::Nothing).args("delete_zone", json!({"ex_x": 1}));
    let text = found(async { drop(sent_once(&local).await) }).await;
    assert!(
        text.contains(
            "dns toy delete_zone: nothing was sent, and it failed: delete_zone has no argument `ex_x`"
        ),
        "{text}"
    );
}

// Nobody answers, so that time passes as soon as all wait for it.
#[tokio::test(start_paused = true)]
async fn a_call_without_end_is_found() {
    let ended = time_limits(&subject(Wrong::Nothing)).await;
    for method in ["list_zones", "create_zone", "update_zone", "delete_zone"] {
        assert!(ended.contains(&method), "{ended:?}");
    }
    let text = found(async { drop(time_limits(&subject(Wrong::IgnoresTheTimeLimit)).await) }).await;
    assert_eq!(text, "dns toy update_zone: it went on after its time limit");
}

#[tokio::test]
async fn lies_are_found() {
    for (wrong, text) in [
        (Wrong::ClaimsTooMuch, "dns toy delete_record: said Supported, answered Err("),
        (Wrong::HasMoreThanItSays, "dns toy update_zone: said NotImplemented, answered Err("),
        (Wrong::IgnoresArguments, "dns toy delete_zone: an unknown argument gave Err("),
    ] {
        let text_found = found(async { drop(capabilities(&subject(wrong)).await) }).await;
        assert!(text_found.contains(text), "{wrong:?}: {text_found}");
    }
    let text = found(async { drop(capabilities(&subject(Wrong::IgnoresArguments)).await) }).await;
    assert!(text.contains("with an unknown argument it sent DELETE /v1/zones/z"), "{text}");
}

#[tokio::test]
async fn listings_that_are_not_complete_are_found() {
    for (wrong, text) in [
        (Wrong::EndsAtAnEmptyPage, "the second page is empty and names a third"),
        (Wrong::IgnoresTheCursor, "the request for page 2 does not contain `after=2`: GET /v1/zones"),
        (Wrong::FetchesAhead, "fetched ahead: "),
        (Wrong::FollowsACircle, "a page that names itself as the next"),
        (Wrong::LosesAnError, "a page that failed is taken for the end"),
    ] {
        let subject = subject(wrong);
        let listing =
            if wrong == Wrong::FollowsACircle { listing().asks(|_| String::new()) } else { listing() };
        let text_found = found(listing.prove(&subject)).await;
        assert!(text_found.contains(text), "{wrong:?}: {text_found}");
    }
}

#[tokio::test]
async fn credentials_that_get_out_are_found() {
    let text = found(canary(&subject(Wrong::ShowsTheKey))).await;
    for form in
        ["the error shows `key`", "long form shows `key`", "Debug of the error shows", "as JSON shows"]
    {
        assert!(text.contains(form), "{text}");
    }
    assert!(!text.contains("canary-key"), "{text}");
    let text = found(canary(&subject(Wrong::ShowsTheKeyInTracing))).await;
    assert!(text.contains("tracing shows `key`: …") && !text.contains("the error"), "{text}");
    let shown = subject(Wrong::Nothing).debug(|config| config.key.unwrap().expose().to_owned());
    assert!(found(canary(&shown)).await.contains("Debug of the driver shows `key`"));
}

#[tokio::test]
async fn each_fault_is_an_error_of_its_kind() {
    use std::time::Duration;
    let drip = Fault::Drip(Answer::new(200).body("ok"), Duration::from_millis(1));
    for (fault, kind) in [
        (Fault::Close, Some(ErrorKind::Transport)),
        (Fault::Reset, Some(ErrorKind::Transport)),
        (Fault::Stall, Some(ErrorKind::Timeout)),
        (Fault::garbage(), Some(ErrorKind::Transport)),
        (Fault::truncated(), Some(ErrorKind::Transport)),
        (Fault::html(), None),
        (drip, None),
    ] {
        let server = Breaking::start(fault.clone());
        let mut config = Config::anonymous();
        config.transport.retries = 0;
        // Only what stands still for good is waited for so long; the others must not run into it on a busy machine.
        let stalls = matches!(fault, Fault::Stall);
        config.transport.idle_timeout = Duration::from_millis(if stalls { 100 } else { 30_000 });
        let connection = Connection::builder("toy", server.url(), &config).build();
        let outcome = connection.post("X", ["x"]).body("text/plain", "abc").send().await;
        assert_eq!(outcome.as_ref().err().map(Error::kind), kind, "{fault:?}: {outcome:?}");
        assert_eq!((server.received().len(), &server.received()[0].body[..]), (1, &b"abc"[..]), "{fault:?}");
    }
}

#[tokio::test]
async fn what_the_client_breaks_off_is_counted_apart() {
    let server = Breaking::start(Fault::Close);
    let connection = Connection::builder("toy", server.url(), &Config::anonymous()).build();
    let pieces = futures_util::stream::iter([
        Ok(vec![b'x'; 1 << 20].into()),
        Err(Error::new(ErrorKind::Io, "the disk is gone")),
    ]);
    let error = connection.put("X", ["x"]).stream(Some(2 << 20), Box::pin(pieces)).empty().await.unwrap_err();
    assert_eq!(error.message(), "the disk is gone");
    server.settled().await;
    assert_eq!((server.received().len(), server.broken_off()), (0, 1));
}
