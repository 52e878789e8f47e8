//! What every DNS driver does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libcloud_common::{BoxFuture, ErrorKind, Result, unique_token};
use libcloud_dns::{
    CreateRecord, CreateZone, DnsDriver, DnsDriverExt as _, Record, RecordType, UpdateRecord, UpdateZone,
    Zone, ZoneType,
};

use super::{
    Check, Context, Expectations, Problem, Report, Verdict, checks, done_or_missing, ensure, missing,
    refused, refused_as, same,
};

/// A DNS driver that joins the suite.
///
/// ```no_run
/// use libcloud_testkit::suite::{Dns, Expectations};
/// # use std::sync::Arc;
/// # use libcloud_dns::DnsDriver;
/// # async fn join(driver: Arc<dyn DnsDriver>, wrong: Arc<dyn DnsDriver>) {
///
/// let report = Dns::new(driver)
///     .wrong_credentials(wrong)
///     .run(Expectations::new().fails("records/a duplicate exists already", "it takes them"))
///     .await;
/// assert!(report.denied.is_empty());
/// # }
/// ```
pub struct Dns {
    driver: Arc<dyn DnsDriver>,
    wrong: Option<Vec<Arc<dyn DnsDriver>>>,
    unknown_zone: String,
    unknown_record: String,
    made: Mutex<Vec<Zone>>,
}

impl Dns {
    /// This driver joins.
    pub fn new(driver: Arc<dyn DnsDriver>) -> Self {
        Self {
            driver,
            wrong: None,
            unknown_zone: "libcloud-no-such-id".to_owned(),
            unknown_record: "libcloud-no-such-id".to_owned(),
            made: Mutex::default(),
        }
    }

    /// The same driver with credentials that the server must refuse. May be given again.
    pub fn wrong_credentials(mut self, driver: Arc<dyn DnsDriver>) -> Self {
        self.wrong.get_or_insert_default().push(driver);
        self
    }

    /// The driver has no credentials that could be wrong.
    pub fn without_credentials(mut self) -> Self {
        self.wrong = Some(Vec::new());
        self
    }

    /// Ids in the provider's form that no zone and no record have.
    pub fn unknown(mut self, zone: &str, record: &str) -> Self {
        zone.clone_into(&mut self.unknown_zone);
        record.clone_into(&mut self.unknown_record);
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    /// With every check that failed, and every one that was expected to and did not.
    pub async fn run(self, expectations: Expectations) -> Report {
        super::run(&self, &checks(), &expectations).await
    }

    fn made(&self) -> MutexGuard<'_, Vec<Zone>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn zone(&self) -> Result<Zone> {
        let zone = self.driver.create_zone(&new_domain()?).await?;
        self.made().push(zone.clone());
        Ok(zone)
    }

    /// A record as it is found again, by its id and in the list, both alike.
    async fn found(&self, made: &Record) -> Result<Record, Problem> {
        let found = self.driver.get_record(&made.zone.id, &made.id).await?;
        let listed = self.driver.list_records(&made.zone).await?;
        let listed: Vec<_> = listed.iter().filter(|record| record.id == made.id).map(told).collect();
        same("the record, listed and by its id", listed, vec![told(&found)])?;
        Ok(found)
    }
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("driver", &self.driver.descriptor().id).finish_non_exhaustive()
    }
}

impl Context for Dns {
    type Driver = dyn DnsDriver;

    fn driver(&self) -> &Arc<dyn DnsDriver> {
        &self.driver
    }

    fn clean(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let made = std::mem::take(&mut *self.made());
            for zone in &made {
                done_or_missing(self.driver.delete_zone(zone).await)?;
            }
            Ok(())
        })
    }
}

fn checks() -> Vec<Check<Dns>> {
    checks![Dns;
        "types/some, each once" [list_record_types] => types,
        "zones/create, list, get, delete, gone" [create_zone list_zones get_zone delete_zone] => zones,
        "zones/what is not there is not found" [get_zone] => no_zone,
        "zones/a duplicate exists already" [create_zone delete_zone] => duplicate_zone,
        "zones/update" [create_zone update_zone get_zone delete_zone] => update_zone,
        "zones/with records are deleted" [create_zone create_record delete_zone get_zone] => full_zone,
        "records/create, list, get, delete, gone"
            [create_zone create_record list_records get_record delete_record] => records,
        "records/what is not there is not found" [create_zone get_record] => no_record,
        "records/a duplicate exists already" [create_zone create_record] => duplicate_record,
        "records/of several types" [create_zone create_record list_records get_record] => several_types,
        "records/several of one name" [create_zone create_record list_records] => one_name,
        "records/of the zone itself, and a wildcard" [create_zone create_record list_records get_record] => odd_names,
        "records/unicode" [create_zone create_record list_records get_record] => unicode,
        "records/time to live" [create_zone create_record list_records get_record] => ttl,
        "records/update" [create_zone create_record update_record list_records get_record] => update_record,
        "export/has every record" [create_zone create_record export_zone_to_bind_format] => export,
        "credentials/wrong ones are refused" [list_zones] => credentials,
    ]
}

fn new_domain() -> Result<String> {
    // A label has at most 63 letters.
    Ok(format!("libcloud-{}.example.com", unique_token()?))
}

/// A domain without the dot at its end that some providers give it.
fn bare(domain: &str) -> &str {
    domain.trim_end_matches('.')
}

/// What a record tells, without what only its provider tells.
fn told(record: &Record) -> (String, String, String, String, Option<u16>) {
    let type_ = record.type_.to_string();
    (record.id.clone(), record.name.clone(), type_, record.data.clone(), record.priority())
}

#[expect(
    clippy::unused_async,
    reason = "all checks have one type, and nothing is asked of the provider here"
)]
async fn types(cx: &Dns) -> Verdict {
    let mut types: Vec<String> = cx.driver.list_record_types().iter().map(ToString::to_string).collect();
    let all = types.len();
    ensure!(types.iter().any(|type_| type_ == "A"), "there is no A among {types:?}");
    types.sort_unstable();
    types.dedup();
    same("types without their doubles", types.len(), all)
}

async fn zones(cx: &Dns) -> Verdict {
    let domain = new_domain()?;
    let made = cx.driver.create_zone(&domain).await?;
    cx.made().push(made.clone());
    same("the domain", bare(&made.domain), domain.as_str())?;
    same("the type", &made.type_, &ZoneType::Master)?;
    let found = cx.driver.get_zone(&made.id).await?;
    same("get_zone", (&found.id, &found.domain), (&made.id, &made.domain))?;
    let listed = cx.driver.list_zones().await?;
    let times = |zones: &[Zone]| zones.iter().filter(|zone| zone.id == made.id).count();
    same("times listed", times(&listed), 1)?;
    cx.driver.delete_zone(&made).await?;
    same("times listed once deleted", times(&cx.driver.list_zones().await?), 0)?;
    missing("get_zone of a deleted one", cx.driver.get_zone(&made.id).await, "zone", &made.id)?;
    refused("delete_zone again", cx.driver.delete_zone(&made).await, ErrorKind::NotFound)
}

async fn no_zone(cx: &Dns) -> Verdict {
    let id = cx.unknown_zone.as_str();
    let zone = Zone::from_id(id);
    missing("get_zone", cx.driver.get_zone(id).await, "zone", id)?;
    missing("list_records", cx.driver.list_records(&zone).await, "zone", id)?;
    missing("delete_zone", cx.driver.delete_zone(&zone).await, "zone", id)?;
    let record = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await;
    missing("create_record", record, "zone", id)
}

async fn duplicate_zone(cx: &Dns) -> Verdict {
    let made = cx.zone().await?;
    let again = cx.driver.create_zone(bare(&made.domain)).await;
    if let Ok(zone) = &again {
        cx.made().push(zone.clone());
    }
    refused("create_zone again", again, ErrorKind::AlreadyExists)
}

async fn update_zone(cx: &Dns) -> Verdict {
    let made = cx.zone().await?;
    let updated = cx.driver.update_zone_with(&made, UpdateZone::new().ttl(4242)).await?;
    same("the updated zone", (&updated.id, updated.ttl), (&made.id, Some(4242)))?;
    let found = cx.driver.get_zone(&made.id).await?;
    same("the zone found", (&found.domain, found.ttl), (&made.domain, Some(4242)))
}

async fn full_zone(cx: &Dns) -> Verdict {
    let made = cx.zone().await?;
    cx.driver.create_record("www", &made, RecordType::A, "192.0.2.1").await?;
    cx.driver.delete_zone(&made).await?;
    missing("get_zone of a deleted one", cx.driver.get_zone(&made.id).await, "zone", &made.id)
}

async fn records(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let before = cx.driver.list_records(&zone).await?.len();
    let made = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await?;
    same(
        "the record",
        (made.name.as_str(), &made.type_, made.data.as_str()),
        ("www", &RecordType::A, "192.0.2.1"),
    )?;
    same("its zone", &made.zone.id, &zone.id)?;
    same("the record found", told(&cx.found(&made).await?), told(&made))?;
    same("records", cx.driver.list_records(&zone).await?.len(), before + 1)?;
    cx.driver.delete_record(&made).await?;
    same("records left", cx.driver.list_records(&zone).await?.len(), before)?;
    missing(
        "get_record of a deleted one",
        cx.driver.get_record(&zone.id, &made.id).await,
        "record",
        &made.id,
    )?;
    refused("delete_record again", cx.driver.delete_record(&made).await, ErrorKind::NotFound)
}

async fn no_record(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let id = cx.unknown_record.as_str();
    missing("get_record", cx.driver.get_record(&zone.id, id).await, "record", id)?;
    missing(
        "get_record of no zone",
        cx.driver.get_record(&cx.unknown_zone, id).await,
        "zone",
        &cx.unknown_zone,
    )
}

async fn duplicate_record(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await?;
    let again = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await;
    refused("create_record again", again, ErrorKind::AlreadyExists)
}

async fn several_types(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let mx = CreateRecord::new().priority(10);
    let srv = CreateRecord::new().priority(10).weight(5).port(5060);
    let plain = CreateRecord::new;
    let taken = cx.driver.list_record_types();
    let mut tried = 0;
    for (name, type_, data, options) in [
        ("a", RecordType::A, "192.0.2.1", plain()),
        ("aaaa", RecordType::Aaaa, "2001:db8::1", plain()),
        ("cname", RecordType::Cname, "www.example.net", plain()),
        ("mx", RecordType::Mx, "mx.example.net", mx),
        ("ns", RecordType::Ns, "ns.example.net", plain()),
        ("_sip._udp", RecordType::Srv, "sip.example.net", srv),
        ("txt", RecordType::Txt, "v=spf1 include:example.net -all", plain()),
    ] {
        let (priority, weight, port) = (options.priority, options.weight, options.port);
        let made = cx.driver.create_record_with(name, &zone, type_.clone(), data, options).await;
        if !taken.contains(&type_) {
            let kinds = [ErrorKind::InvalidArgument, ErrorKind::NotSupported];
            refused_as(&format!("{type_}, which is not among the types"), made, &kinds)?;
            continue;
        }
        let found = cx.found(&made?).await?;
        same(
            &type_.to_string(),
            (found.name.as_str(), &found.type_, bare(&found.data)),
            (name, &type_, data),
        )?;
        same(&format!("priority of {type_}"), found.priority(), priority)?;
        same(&format!("numbers of {type_}"), (found.weight(), found.port()), (weight, port))?;
        tried += 1;
    }
    ensure!(tried > 1, "the driver has only {tried} of the usual types");
    Ok(())
}

async fn one_name(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let first = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await?;
    let second = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.2").await?;
    ensure!(first.id != second.id, "two records have the id {}", first.id);
    let listed = cx.driver.list_records(&zone).await?;
    let mut data: Vec<&str> =
        listed.iter().filter(|record| record.name == "www").map(|record| record.data.as_str()).collect();
    data.sort_unstable();
    same("the records of the name", data, vec!["192.0.2.1", "192.0.2.2"])
}

async fn odd_names(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    for name in ["", "*", "*.dev", "a.b.c", "_dmarc", "x-1"] {
        let made = cx.driver.create_record(name, &zone, RecordType::Txt, "x").await?;
        same(&format!("{name:?} found"), cx.found(&made).await?.name, name)?;
    }
    Ok(())
}

async fn unicode(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let data = "Grüße; \"quoted\" \\ 🦀";
    let made = cx.driver.create_record("unicode", &zone, RecordType::Txt, data).await?;
    same("the data", cx.found(&made).await?.data, data)
}

async fn ttl(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let options = CreateRecord::new().ttl(4242);
    let made = cx.driver.create_record_with("www", &zone, RecordType::A, "192.0.2.1", options).await?;
    same("the time of the new record", made.ttl, Some(4242))?;
    same("the time of the record found", cx.found(&made).await?.ttl, Some(4242))
}

async fn update_record(cx: &Dns) -> Verdict {
    let zone = cx.zone().await?;
    let other = cx.driver.create_record("other", &zone, RecordType::A, "192.0.2.9").await?;
    let made = cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await?;
    let options = UpdateRecord::new().data("192.0.2.2").ttl(4242);
    let updated = cx.driver.update_record_with(&made, options).await?;
    let expected = ("www", "192.0.2.2", Some(4242));
    same("the updated record", (updated.name.as_str(), updated.data.as_str(), updated.ttl), expected)?;
    let found = cx.found(&updated).await?;
    same("the record found", (found.name.as_str(), found.data.as_str(), found.ttl), expected)?;
    same("the other record", told(&cx.found(&other).await?), told(&other))?;
    let left = cx.driver.list_records(&zone).await?;
    let old = left.iter().any(|record| record.data == "192.0.2.1");
    ensure!(!old, "the record as it was is still there");
    Ok(())
}

async fn export(cx: &Dns) -> Verdict {
    let domain = new_domain()?;
    let zone = cx.driver.create_zone_with(&domain, CreateZone::new().ttl(900)).await?;
    cx.made().push(zone.clone());
    cx.driver.create_record("www", &zone, RecordType::A, "192.0.2.1").await?;
    cx.driver.create_record("", &zone, RecordType::Txt, "a \"b\"").await?;
    let text = cx.driver.export_zone_to_bind_format(&zone).await?;
    ensure!(text.contains(&domain), "the file does not name {domain}:\n{text}");
    for line in [["www", "A", "192.0.2.1"], ["@", "TXT", "\"a \\\"b\\\"\""]] {
        let there = text.lines().any(|found| line.iter().all(|part| found.contains(part)));
        let full =
            line[0] == "@" && text.lines().any(|found| found.contains(line[1]) && found.contains(line[2]));
        ensure!(there || full, "{line:?} is not in the file:\n{text}");
    }
    Ok(())
}

async fn credentials(cx: &Dns) -> Verdict {
    let Some(wrong) = &cx.wrong else {
        return Err(Problem::Wrong("neither wrong_credentials nor without_credentials was said".into()));
    };
    if wrong.is_empty() {
        return Err(Problem::Denied);
    }
    let zone = cx.zone().await?;
    for wrong in wrong {
        let kind = ErrorKind::InvalidCredentials;
        refused("list_zones", wrong.list_zones().await, kind)?;
        refused("create_zone", wrong.create_zone(&new_domain()?).await, kind)?;
        refused("delete_zone", wrong.delete_zone(&zone).await, kind)?;
    }
    same("the zone", &cx.driver.get_zone(&zone.id).await?.id, &zone.id)
}
