//! The driver that is tested, and what its author says of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use libcloud_common::{
    BoxFuture, Config, Driver, ManualClock, MethodInfo, Registration, Result, Url, Value, json,
};
use libcloud_compute::{COMPUTE_METHODS, ComputeDriver};
use libcloud_dns::{DNS_METHODS, DnsDriver};
use libcloud_loadbalancer::{LOADBALANCER_METHODS, LoadBalancerDriver};
use libcloud_storage::{STORAGE_METHODS, StorageDriver};

use crate::http::{Answer, Received};

/// How often a repeatable call is repeated in the tests of the kit.
pub(crate) const RETRIES: u32 = 2;

/// One of the four services: what their drivers have in common for a test that knows their methods by name alone.
pub trait Service: Driver + 'static {
    /// Its name: `compute`.
    const NAME: &'static str;

    /// Methods that capabilities tell of and that cannot be called by name, because they give a stream.
    const TYPED_ONLY: &'static [&'static str];

    /// The methods of the base API.
    fn base_methods() -> Vec<MethodInfo>;

    /// Every method that can be called by name, extensions included.
    fn all_methods(&self) -> Vec<MethodInfo>;

    /// Calls one of them.
    fn call_by_name<'a>(&'a self, name: &'a str, args: Value) -> BoxFuture<'a, Result<Value>>;
}

macro_rules! services {
    ($(dyn $driver:ident = $name:literal, $methods:ident, $typed:expr;)*) => { $(
        impl Service for dyn $driver {
            const NAME: &'static str = $name;
            const TYPED_ONLY: &'static [&'static str] = $typed;

            fn base_methods() -> Vec<MethodInfo> {
                $methods.iter().map(|method| method.info()).collect()
            }

            fn all_methods(&self) -> Vec<MethodInfo> {
                self.methods()
            }

            fn call_by_name<'a>(&'a self, name: &'a str, args: Value) -> BoxFuture<'a, Result<Value>> {
                Box::pin(self.call(name, args))
            }
        }
    )* };
}

services! {
    dyn ComputeDriver = "compute", COMPUTE_METHODS, &[];
    dyn StorageDriver = "storage", STORAGE_METHODS,
        &["download_object_as_stream", "download_object_range_as_stream"];
    dyn LoadBalancerDriver = "loadbalancer", LOADBALANCER_METHODS, &[];
    dyn DnsDriver = "dns", DNS_METHODS, &[];
}

type Show = Box<dyn Fn(Config) -> String + Send + Sync>;
pub(crate) type Prelude = Arc<dyn Fn(&Received) -> Option<Answer> + Send + Sync>;

/// A driver under test: its registration, a configuration with credentials that are nobody's, and what the tests cannot
/// know by themselves.
///
/// The page *Testing a driver* of the book has a whole example, which is compiled and run.
pub struct Subject<D: Service + ?Sized> {
    pub(crate) registration: Registration<D>,
    pub(crate) config: Config,
    pub(crate) redirected: bool,
    pub(crate) args: BTreeMap<&'static str, Value>,
    pub(crate) prelude: Prelude,
    pub(crate) before: BTreeMap<&'static str, Prelude>,
    pub(crate) query_style: bool,
    pub(crate) reads: Vec<&'static str>,
    pub(crate) nothing_sent: Vec<&'static str>,
    pub(crate) tokens: BTreeMap<&'static str, &'static str>,
    pub(crate) show: Option<Show>,
}

impl<D: Service + ?Sized> Subject<D> {
    /// The driver of this registration, made from this configuration. Endpoint, clock and number of retries are the
    /// tests' own.
    pub fn new(registration: Registration<D>, config: Config) -> Self {
        Self {
            registration,
            config,
            redirected: true,
            args: BTreeMap::new(),
            prelude: Arc::new(|_| None),
            before: BTreeMap::new(),
            query_style: false,
            reads: Vec::new(),
            nothing_sent: Vec::new(),
            tokens: BTreeMap::new(),
            show: None,
        }
    }

    /// The driver needs no server and takes no endpoint.
    pub fn without_server(mut self) -> Self {
        self.redirected = false;
        self
    }

    /// Arguments of a method called by name. What is required and not given here is made up by its type.
    pub fn args(mut self, method: &'static str, args: Value) -> Self {
        self.args.insert(method, args);
        self
    }

    /// What is answered to the requests that prepare any other: a login, a service catalogue.
    pub fn prelude(mut self, answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static) -> Self {
        self.prelude = Arc::new(answer);
        self
    }

    /// What is answered to the requests that prepare those of this method: what it looks up before it acts.
    pub fn before(
        mut self,
        method: &'static str,
        answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        self.before.insert(method, Arc::new(answer));
        self
    }

    /// The method of a request says nothing about what it does: everything is a GET, or everything a POST.
    pub fn query_style(mut self) -> Self {
        self.query_style = true;
        self
    }

    /// Methods that only read, beside those whose name says so (`list_…`, `get_…`, `ex_describe_…`, `download_…`).
    pub fn reads(mut self, methods: &[&'static str]) -> Self {
        self.reads.extend(methods);
        self
    }

    /// Methods that send nothing: they answer from a table, or only build a URL.
    pub fn sends_nothing(mut self, methods: &[&'static str]) -> Self {
        self.nothing_sent.extend(methods);
        self
    }

    /// A method whose request has a token by which the provider knows a repetition: the name of a parameter, a field of
    /// the JSON body, an element of the XML body or a header.
    pub fn token(mut self, method: &'static str, name: &'static str) -> Self {
        self.tokens.insert(method, name);
        self
    }

    /// `Debug` of the driver's own type, which a `dyn` driver does not have, for [`canary`](crate::canary):
    /// `.debug(|config| format!("{:?}", Ec2Driver::new(config)))`
    pub fn debug(mut self, show: impl Fn(Config) -> String + Send + Sync + 'static) -> Self {
        self.show = Some(Box::new(show));
        self
    }

    /// The driver, talking to this server.
    pub fn driver(&self, url: &Url) -> Arc<D> {
        self.driver_with(url, self.config.clone())
    }

    pub(crate) fn driver_with(&self, url: &Url, config: Config) -> Arc<D> {
        let start = "2024-05-01T08:30:00Z".parse().unwrap_or_else(|error| panic!("{error}"));
        self.make(url, config.clock(ManualClock::at(start)))
    }

    /// The driver, talking to this server, on the machine's own time.
    pub(crate) fn driver_in_time(&self, url: &Url) -> Arc<D> {
        self.make(url, self.config.clone())
    }

    fn make(&self, url: &Url, mut config: Config) -> Arc<D> {
        if self.redirected {
            config = config.endpoint(url.clone());
        }
        config.transport.retries = RETRIES;
        (self.registration.factory)(config)
            .unwrap_or_else(|error| panic!("{} cannot be made: {error}", self.name()))
    }

    /// The methods that are called, extensions included. An `iterate_…` is called as `list_…`, which reads it to its end.
    pub(crate) fn methods(&self) -> Vec<MethodInfo> {
        // It is not asked: only what it has is.
        let nobody = "http://127.0.0.1:9".parse().unwrap_or_else(|error| panic!("{error}"));
        let mut methods = self.driver(&nobody).all_methods();
        let names: Vec<&str> = methods.iter().map(|method| method.name).collect();
        let is_listed = |name: &str| {
            let list = name.strip_prefix("iterate_").map(|what| format!("list_{what}"));
            list.is_some_and(|list| names.contains(&list.as_str()))
        };
        methods.retain(|method| !is_listed(method.name));
        methods
    }

    /// What is answered to the requests that prepare those of this method.
    pub(crate) fn answers(
        &self,
        method: &str,
    ) -> impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static + use<D> {
        let (prelude, before) = (Arc::clone(&self.prelude), self.before.get(method).cloned());
        move |request| prelude(request).or_else(|| before.as_ref()?(request))
    }

    /// `compute ec2`
    pub(crate) fn name(&self) -> String {
        format!("{} {}", D::NAME, self.registration.descriptor.id)
    }

    /// The arguments of a call: those that were given, and something for each other one that is required.
    pub(crate) fn arguments(&self, method: &MethodInfo) -> Value {
        let mut args = self.args.get(method.name).cloned().unwrap_or_else(|| json!({}));
        for spec in method.args.iter().filter(|spec| spec.required) {
            if args.get(spec.name).is_none() {
                args[spec.name] = sample(spec.ty);
            }
        }
        args
    }
}

impl<D: Service + ?Sized> fmt::Debug for Subject<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("registration", &self.registration).finish_non_exhaustive()
    }
}

/// Something that an argument of this type takes.
pub fn sample(ty: &str) -> Value {
    match ty {
        "integer" => json!(1),
        "number" | "seconds" => json!(1.0),
        "boolean" => json!(false),
        "list" => json!([]),
        "map" | "map of strings" | "map of strings or nulls" => json!({}),
        "object" => json!("container/object"),
        "zone" => json!({"id": "z", "domain": "example.com"}),
        "record" => json!({"id": "r", "zone": "z"}),
        "path" => json!("/nonexistent/libcloud-test"),
        _ => json!("sample"),
    }
}
