//! Amazon Route 53: <https://docs.aws.amazon.com/Route53/latest/APIReference/>

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use libcloud_common::dispatch;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error,
    ErrorKind, Extensions, Identity, Options, Page, Result, Search, Secret, Sources, arguments, once, pages,
    serialize_exposed, unique_token, xml,
};
use libcloud_dns::{CreateRecord, CreateZone, DnsDriver, Record, RecordType, UpdateRecord, Zone, bind};

use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, string_or_number};
use crate::sts::Sts;

mod changes;
mod connection;
mod records;
mod signature;
mod values;
mod wire;
mod zones;

pub use records::{AliasTarget, RecordExtra, Route53Record};
pub use wire::ChangeInfo;
pub use zones::{Route53CreateZone, Route53DeleteZone, ZoneExtra};

use changes::Action;
use connection::Route53Connection;
use records::Key;
use wire::{RecordSet, Start, last_part};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("route53", "Amazon Route 53", "https://aws.amazon.com/route53/");

/// What a [`Route53Driver`] takes as options of its configuration.
#[arguments(drivers = ["route53"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Route53Options {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// The profile of the files that Amazon's tools share; with it the variables of an access key are not looked at.
    pub profile: Option<String>,
    /// `4`, or `3` for AWS3-HTTPS; with an `api_version` before `2013-04-01` the latter unless it is given.
    #[serde(deserialize_with = "string_or_number")]
    pub signature_version: Option<String>,
}

impl Route53Options {
    /// Whether requests are signed by AWS3-HTTPS.
    fn signs_by_date(&self, api_version: &str) -> Result<bool> {
        match self.signature_version.as_deref() {
            // Versions are dates.
            None => Ok(api_version < "2013-04-01"),
            Some("3") => Ok(true),
            Some("4") => Ok(false),
            Some(other) => {
                Err(Error::invalid_argument(format!("`signature_version` is `3` or `4`, not `{other}`"))
                    .with_resource("option", "signature_version"))
            }
        }
    }
}

/// Domain names at Amazon Route 53, which has no regions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Route53Driver {
    conn: Route53Connection,
    sts: Sts,
}

impl Route53Driver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if no access key is found; `InvalidArgument` for an unknown option.
    pub fn new(config: Config) -> Result<Self> {
        let options: Route53Options = config.driver_options(DESCRIPTOR.id)?;
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, options.token.as_ref(), search)?;
        let sts = Sts::beside(&config, credentials.clone(), SignatureVersion::V4)?;
        Ok(Self { conn: Route53Connection::new(&config, &options, credentials)?, sts })
    }

    /// A zone with its domain, without which no name is known.
    async fn whole(&self, zone: &Zone, timeout: Option<Duration>) -> Result<Arc<Zone>> {
        if !zone.domain.is_empty() {
            return Ok(Arc::new(zone.clone()));
        }
        let found = self.hosted_zone(&zone.id, timeout).await?;
        Ok(Arc::new(found.with_ttl(zone.ttl)))
    }

    async fn hosted_zone(&self, zone_id: &str, timeout: Option<Duration>) -> Result<Zone> {
        self.conn
            .get("GetHostedZone", &["hostedzone", last_part(zone_id)])
            .timeout(timeout)
            .decode(|response| xml::parse(&response.text(), wire::hosted_zone))
            .await
            .map_err(|error| about_zone(error, zone_id))
            .map(zones::zone)
    }

    /// The sets of a zone, page by page.
    fn record_sets(&self, zone_id: &str, timeout: Option<Duration>) -> BoxStream<'static, Result<RecordSet>> {
        self.record_pages(zone_id, timeout, |set, sets| sets.push(set))
    }

    /// What is made of the sets of a zone, page by page.
    fn record_pages<T: Send + 'static>(
        &self,
        zone_id: &str,
        timeout: Option<Duration>,
        convert: impl Fn(RecordSet, &mut Vec<T>) + Clone + Send + 'static,
    ) -> BoxStream<'static, Result<T>> {
        let (conn, zone_id) = (self.conn.clone(), zone_id.to_owned());
        pages(None, move |start: Option<Start>| {
            let call = list_record_sets(&conn, &zone_id, start).timeout(timeout);
            let (convert, zone_id) = (convert.clone(), zone_id.clone());
            async move {
                let (sets, next) = call
                    .decode(|response| xml::parse(&response.text(), wire::record_sets))
                    .await
                    .map_err(|error| about_zone(error, &zone_id))?;
                let mut items = Vec::with_capacity(sets.len());
                for set in sets {
                    convert(set, &mut items);
                }
                Ok(Page::new(items, next.map(Some)))
            }
        })
    }

    /// The set that a record is in; `None` if there is none.
    async fn find_set(&self, zone: &Zone, key: &Key, timeout: Option<Duration>) -> Result<Option<RecordSet>> {
        let start = Start {
            name: values::full_name(&key.name, &zone.domain),
            type_: key.type_.to_string(),
            identifier: key.set.clone(),
        };
        let (sets, _) = list_record_sets(&self.conn, &zone.id, Some(start))
            .query("maxitems", 1)
            .timeout(timeout)
            .decode(|response| xml::parse(&response.text(), wire::record_sets))
            .await
            .map_err(|error| about_zone(error, &zone.id))?;
        // Where there is none, the answer begins with what would come after it.
        Ok(sets.into_iter().next().filter(|set| key.is_of(set, &zone.domain)))
    }

    /// A record's zone and set as they are now, and the place of its value in the set.
    async fn current(
        &self,
        record: &Record,
        timeout: Option<Duration>,
    ) -> Result<(Arc<Zone>, RecordSet, usize)> {
        let zone = self.whole(&record.zone, timeout).await?;
        let missing = || Error::not_found("record", &record.id);
        let key = Key::parse(&record.id).ok_or_else(missing)?;
        let set = self.find_set(&zone, &key, timeout).await?.ok_or_else(missing)?;
        let at = set.position(record)?.ok_or_else(missing)?;
        Ok((zone, set, at))
    }
}

/// Begins the call for a page of record sets.
fn list_record_sets(conn: &Route53Connection, zone_id: &str, start: Option<Start>) -> libcloud_common::Call {
    let call = conn.get("ListResourceRecordSets", &["hostedzone", last_part(zone_id), "rrset"]);
    match start {
        None => call,
        Some(start) => call
            .query("name", start.name)
            .query("type", start.type_)
            .query_opt("identifier", start.identifier),
    }
}

/// The error about the zone of this id, if it is about one.
fn about_zone(error: Error, zone_id: &str) -> Error {
    if error.code() == Some("NoSuchHostedZone") || error.kind() == ErrorKind::NotEmpty {
        error.with_resource("zone", zone_id)
    } else {
        error
    }
}

/// The error about the record of this id, if it is not about its zone.
fn about_record(error: Error, record_id: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::AlreadyExists if error.resource().is_none() => {
            error.with_resource("record", record_id)
        }
        _ => error,
    }
}

/// Whether a set is not as it was told: it has other values, or another time to live.
fn is_outdated(error: &Error) -> bool {
    error.kind() == ErrorKind::InvalidState
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: Route53Options = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

impl Extensions for Route53Driver {
    fn tables() -> &'static [&'static [dispatch::Method<Self>]] {
        &[Self::CHANGES]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new()
        .supports(&[
            "list_record_types",
            "iterate_zones",
            "iterate_records",
            "get_zone",
            "get_record",
            "create_zone",
            "create_record",
            "update_record",
            "delete_zone",
            "delete_record",
            "export_zone_to_bind_format",
        ])
        .cannot(
            "update_zone",
            "of a zone only its comment can be changed",
            "https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHostedZoneComment.html",
        )
}

impl Driver for Route53Driver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "create_zone" => Route53CreateZone::FIELDS,
            "delete_zone" => Route53DeleteZone::FIELDS,
            "create_record" | "update_record" => Route53Record::FIELDS,
            _ => &[],
        }
    }

    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(self.sts.caller_identity())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl DnsDriver for Route53Driver {
    fn list_record_types(&self) -> Vec<RecordType> {
        records::TYPES.to_vec()
    }

    fn iterate_zones_with(&self, options: Options) -> BoxStream<'static, Result<Zone>> {
        let timeout = match options.plain("list_zones") {
            Ok(timeout) => timeout,
            Err(error) => return once(std::future::ready(Err(error))),
        };
        let conn = self.conn.clone();
        pages(None, move |marker: Option<String>| {
            let call =
                conn.get("ListHostedZones", &["hostedzone"]).query_opt("marker", marker).timeout(timeout);
            async move {
                let (found, next) =
                    call.decode(|response| xml::parse(&response.text(), wire::hosted_zones)).await?;
                Ok(Page::new(found.into_iter().map(zones::zone).collect(), next.map(Some)))
            }
        })
    }

    /// A set of several values is several records: their ids have the value. A set that one of several is chosen of has its
    /// identifier in the id.
    fn iterate_records_with(&self, zone: &Zone, options: Options) -> BoxStream<'static, Result<Record>> {
        let timeout = match options.plain("list_records") {
            Ok(timeout) => timeout,
            Err(error) => return once(std::future::ready(Err(error))),
        };
        let (driver, zone) = (self.clone(), zone.clone());
        let listed = move |zone: Arc<Zone>| {
            let id = zone.id.clone();
            driver.record_pages(&id, timeout, move |set, records| records.extend(set.records(&zone)))
        };
        if !zone.domain.is_empty() {
            return listed(Arc::new(zone));
        }
        let driver = self.clone();
        stream::once(async move { driver.whole(&zone, timeout).await }).map_ok(listed).try_flatten().boxed()
    }

    async fn get_zone_with(&self, zone_id: &str, options: Options) -> Result<Zone> {
        self.hosted_zone(zone_id, options.plain("get_zone")?).await
    }

    /// The id is `TYPE:name`; of a set of several values that of the first.
    async fn get_record_with(&self, zone_id: &str, record_id: &str, options: Options) -> Result<Record> {
        let timeout = options.plain("get_record")?;
        let zone = Arc::new(self.hosted_zone(zone_id, timeout).await?);
        let missing = || Error::not_found("record", record_id);
        let key = Key::parse(record_id).ok_or_else(missing)?;
        let set = self.find_set(&zone, &key, timeout).await?.ok_or_else(missing)?;
        let at = match &key.value {
            Some(wanted) => set.values.iter().position(|value| value == wanted).ok_or_else(missing)?,
            None => 0,
        };
        Ok(set.record(at, &zone))
    }

    /// Makes a public zone; see [`Route53CreateZone`] for others. Its name servers are in [`ZoneExtra`].
    ///
    /// The call carries a token by which Route 53 knows a repetition, so that it is safe to repeat and never leaves a second
    /// zone. Zones have no time to live at Route 53: the one that is given is kept in the zone that comes back, and is that
    /// of the records that are made with it.
    async fn create_zone_with(&self, domain: &str, options: CreateZone) -> Result<Zone> {
        zones::check(&options)?;
        let (ttl, timeout) = (options.ttl, options.timeout);
        let ex: Route53CreateZone = options.ex.decode("create_zone")?;
        let token = ex.ex_caller_reference.clone().map_or_else(unique_token, Ok)?;
        let made = self
            .conn
            .post("CreateHostedZone", &["hostedzone"], |xml| zones::create(xml, domain, &token, &ex))?
            .repeatable()
            .timeout(timeout)
            .decode(|response| xml::parse(&response.text(), wire::hosted_zone))
            .await;
        let zone = match made {
            Ok(zone) => zones::zone(zone),
            // An attempt whose answer was lost had made it.
            Err(error) if error.code() == Some("HostedZoneAlreadyExists") => self
                .zone_of(domain, &token, timeout)
                .await?
                .ok_or_else(|| error.with_resource("zone", domain))?,
            Err(error) => return Err(error),
        };
        Ok(zone.with_ttl(ttl))
    }

    /// Makes a record, in a set of its own or, where there is one of this name and type, as one more value of that.
    async fn create_record_with(
        &self,
        name: &str,
        zone: &Zone,
        type_: RecordType,
        data: &str,
        options: CreateRecord,
    ) -> Result<Record> {
        let (ttl, timeout) = (options.ttl, options.timeout);
        let ex: Route53Record = options.ex.clone().decode("create_record")?;
        let zone = self.whole(zone, timeout).await?;
        let set = RecordSet::of_new(name, &zone, type_, data, &options, ex)?;
        let record = set.record(0, &zone);
        let error = match self.change(&zone.id, &[(Action::Create, &set)], timeout).await {
            Ok(change) => return Ok(records::made_by(record, change.as_ref())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !set.is_single() => error,
            Err(error) => return Err(about_record(error, &record.id)),
        };
        let key = Key::parse(&record.id).ok_or_else(|| Error::not_found("record", &record.id))?;
        let Some(known) = self.find_set(&zone, &key, timeout).await? else {
            return Err(about_record(error, &record.id));
        };
        if known.is_single() || known.position(&record)?.is_some() {
            return Err(about_record(error, &record.id));
        }
        let mut more = known.clone();
        more.values.extend(set.values);
        more.ttl = ttl.or(known.ttl);
        let changes = [(Action::Delete, &known), (Action::Create, &more)];
        let change = self
            .change(&zone.id, &changes, timeout)
            .await
            .map_err(|error| about_record(error, &record.id))?;
        Ok(records::made_by(more.record(known.values.len(), &zone), change.as_ref()))
    }

    /// Changes a record in one step: the old set goes as the new one comes. Other values of the set stay, and its time to
    /// live is that of all of them.
    async fn update_record_with(&self, record: &Record, options: UpdateRecord) -> Result<Record> {
        let timeout = options.timeout;
        let ex: Route53Record = options.ex.clone().decode("update_record")?;
        if let Some(set) = RecordSet::of_known(record) {
            match self.update_set(&record.zone, &set, 0, &options, &ex).await {
                Err(error) if is_outdated(&error) => {}
                other => return other.map_err(|error| about_record(error, &record.id)),
            }
        }
        let (zone, set, at) = self.current(record, timeout).await?;
        let updated = self.update_set(&zone, &set, at, &options, &ex).await;
        updated.map_err(|error| about_record(error, &record.id))
    }

    /// Deletes a zone and all of its records; see [`Route53DeleteZone`].
    async fn delete_zone_with(&self, zone: &Zone, options: Options) -> Result<()> {
        let timeout = options.timeout;
        let ex: Route53DeleteZone = options.ex.decode("delete_zone")?;
        if ex.ex_delete_records == Some(true) {
            self.delete_all_records(zone, timeout).await?;
        }
        match self.delete_hosted_zone(&zone.id, timeout).await {
            Err(error) if error.kind() == ErrorKind::NotEmpty && ex.ex_delete_records.is_none() => {
                self.delete_all_records(zone, timeout).await?;
                self.delete_hosted_zone(&zone.id, timeout).await
            }
            other => other,
        }
    }

    async fn delete_record_with(&self, record: &Record, options: Options) -> Result<()> {
        let timeout = options.plain("delete_record")?;
        if let Some(set) = RecordSet::of_known(record) {
            match self.change(&record.zone.id, &[(Action::Delete, &set)], timeout).await {
                Err(error) if is_outdated(&error) => {}
                other => return other.map(drop).map_err(|error| about_record(error, &record.id)),
            }
        }
        let (zone, set, at) = self.current(record, timeout).await?;
        let rest = set.without(at);
        let mut changes = vec![(Action::Delete, &set)];
        changes.extend(rest.as_ref().map(|rest| (Action::Create, rest)));
        let done = self.change(&zone.id, &changes, timeout).await;
        done.map(drop).map_err(|error| about_record(error, &record.id))
    }

    /// Alias records become comments: only Route 53 knows them.
    async fn export_zone_to_bind_format_with(&self, zone: &Zone, options: Options) -> Result<String> {
        let whole = self.whole(zone, options.timeout).await?;
        let records = self.iterate_records_with(&whole, options).map_ok(records::exported);
        bind::zone_file(&whole, &records.try_collect::<Vec<_>>().await?, self.clock().now())
    }
}

impl Route53Driver {
    async fn update_set(
        &self,
        zone: &Arc<Zone>,
        set: &RecordSet,
        at: usize,
        options: &UpdateRecord,
        ex: &Route53Record,
    ) -> Result<Record> {
        let update = records::update(set, at, zone, options, ex.clone())?;
        let mut changes = vec![(Action::Delete, set)];
        changes.extend(update.rest.as_ref().map(|rest| (Action::Create, rest)));
        changes.push((Action::Create, &update.new));
        let change = self.change(&zone.id, &changes, options.timeout).await?;
        Ok(records::made_by(update.new.record(update.at, zone), change.as_ref()))
    }

    async fn delete_hosted_zone(&self, zone_id: &str, timeout: Option<Duration>) -> Result<()> {
        self.conn
            .call(Method::DELETE, "DeleteHostedZone", &["hostedzone", last_part(zone_id)])
            .timeout(timeout)
            .empty()
            .await
            .map_err(|error| about_zone(error, zone_id))
    }

    /// The zone of this domain that the call with this token made.
    async fn zone_of(&self, domain: &str, token: &str, timeout: Option<Duration>) -> Result<Option<Zone>> {
        let found = self
            .conn
            .get("ListHostedZonesByName", &["hostedzonesbyname"])
            .query("dnsname", domain)
            .timeout(timeout)
            .decode(|response| xml::parse(&response.text(), wire::hosted_zones_by_name))
            .await?;
        let made = found.into_iter().find(|zone| zone.caller_reference.as_deref() == Some(token));
        match made {
            // The name servers are not in the listing.
            Some(zone) => self.hosted_zone(&zone.id, timeout).await.map(Some),
            None => Ok(None),
        }
    }
}
