//! The jobs, and who does them by which command.

use bench_content::LARGE;

use crate::build::Places;
use crate::server::{KEY, REGION, SECRET, SMALL_OBJECTS};

/// How many rows `--peers` brings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// The limit and ours.
    Ours,
    /// Peers that build in a minute or are there.
    Usual,
    /// Those that take ten, too, and those in Python.
    All,
}

/// What a row runs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// A package of this workspace.
    Package(&'static str),
    /// The program `libcloud`.
    Ours,
    /// A script in `python`.
    Script(&'static str),
    /// What is installed, or is not.
    Installed(&'static str),
}

/// How it is known that all was done.
pub(crate) enum Check {
    /// The last line says it: `JOB COUNT SECONDS`.
    Says,
    /// A line of output for each.
    Lines,
    /// So many bytes arrived at the server.
    Uploaded(u64),
    /// The file that was written is as large as it should be.
    Downloaded,
    /// So many files were written.
    Files,
    /// There is one thing to do.
    Status,
}

/// Who does a job.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) arguments: Vec<String>,
    pub(crate) check: Check,
    pub(crate) tier: Tier,
    /// How much of the job: those that are too slow for all of it do a part, and their times are scaled up.
    pub(crate) share: f64,
}

/// Something to do.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) unit: &'static str,
    /// The first is what the ratios are to.
    pub(crate) rows: Vec<Row>,
}

impl Row {
    fn new(name: &'static str, program: Program, tier: Tier, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        Self { name, program, arguments, check: Check::Says, tier, share: 1.0 }
    }

    fn package(name: &'static str, package: &'static str, tier: Tier, url: &str, arguments: &[&str]) -> Self {
        let mut row = Self::new(name, Program::Package(package), tier, arguments);
        row.arguments.extend(["--endpoint".to_owned(), url.to_owned()]);
        row
    }

    fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&word| word.to_owned()));
        self
    }
}

/// How rows are made for one set of servers.
struct Rows<'a> {
    places: &'a Places,
    url: String,
}

impl Rows<'_> {
    fn limit(&self, name: &'static str, arguments: &[&str]) -> Row {
        Row::package(name, "bench-limit", Tier::Ours, &self.url, arguments)
    }

    fn ours(&self, name: &'static str, arguments: &[&str]) -> Row {
        Row::package(name, "bench-libcloud", Tier::Ours, &self.url, arguments)
    }

    fn peer(&self, name: &'static str, arguments: &[&str]) -> Row {
        let (package, tier) = match name.split([' ', ',']).next() {
            Some("object_store") => ("bench-object-store", Tier::Usual),
            Some("opendal") => ("bench-opendal", Tier::Usual),
            Some("rust-s3") => ("bench-rust-s3", Tier::Usual),
            Some("aws-sdk-s3") => ("bench-aws-s3", Tier::All),
            _ => ("bench-aws-ec2", Tier::All),
        };
        Row::package(name, package, tier, &self.url, arguments)
    }

    /// The program, with this provider.
    fn program(&self, provider: &str, arguments: &[&str]) -> Row {
        let (key, secret) = (["--key", KEY], ["--secret", SECRET]);
        let row = Row::new(
            "libcloud, the program",
            Program::Ours,
            Tier::Ours,
            &["--quiet", "--provider", provider],
        );
        let region = if provider == "openstack" { "RegionOne" } else { REGION };
        row.with(&key).with(&secret).with(&["--region", region, "--endpoint", &self.url]).with(arguments)
    }

    fn script(&self, name: &'static str, script: &'static str, port: u16, arguments: &[&str]) -> Row {
        Row::new(name, Program::Script(script), Tier::All, arguments).with(&["--port", &port.to_string()])
    }

    fn apache(&self, name: &'static str, arguments: &[&str]) -> Row {
        self.script(name, "apache_libcloud.py", self.places.http, arguments)
    }

    fn boto3(&self, name: &'static str, arguments: &[&str]) -> Row {
        self.script(name, "with_boto3.py", self.places.http, arguments)
    }

    fn installed(&self, name: &'static str, program: &'static str, arguments: &[&str]) -> Row {
        let tier = if program == "curl" { Tier::Usual } else { Tier::All };
        Row::new(name, Program::Installed(program), tier, arguments)
    }

    fn file(&self, name: &str) -> String {
        self.places.files.join(name).display().to_string()
    }
}

/// All jobs.
pub(crate) fn jobs(places: &Places) -> Vec<Job> {
    let rows = Rows { places, url: places.url() };
    vec![
        get(&rows),
        get_tls(&rows),
        put(&rows),
        put_stream(&rows),
        small(&rows, "get-10k-small", "get-small"),
        small(&rows, "put-10k-small", "put-small"),
        list(&rows),
        ec2(&rows),
        nova(&rows),
        route53(&rows),
        create(&rows),
        cold(&rows),
    ]
}

fn get(r: &Rows<'_>) -> Job {
    let down = &r.file("down");
    let object = &format!("{}/bench/size-{LARGE}", r.url);
    let s3_object = &format!("bench/size-{LARGE}");
    let rows = vec![
        r.limit("hyper", &["get"]),
        r.limit("hyper, one thread", &["get", "--threads", "1"]),
        r.limit("hyper, 8 MiB ranges ×4", &["get-ranges", "--conc", "4"]),
        r.limit("hyper, CRC-64/NVME", &["get", "--extra", "crc64"]),
        r.limit("hyper > file", &["get", "--out", down]),
        r.ours("libcloud", &["get"]),
        r.ours("libcloud, one thread", &["get", "--threads", "1"]),
        r.ours("libcloud, 8 MiB ranges ×4", &["get-ranges", "--conc", "4"]),
        r.program("s3", &["storage", "cp", &format!("s3:{s3_object}"), down]).check(Check::Downloaded),
        r.installed("curl", "curl", &["-s", "-o", "/dev/null", "-w", "get %{size_download} s", object]),
        r.peer("object_store", &["get"]),
        r.peer("object_store, one thread", &["get", "--threads", "1"]),
        r.peer("opendal", &["get"]),
        r.peer("opendal, one thread", &["get", "--threads", "1"]),
        r.peer("opendal, 8 MiB chunks ×4", &["get", "--conc", "4"]),
        r.peer("rust-s3", &["get"]),
        r.peer("aws-sdk-s3", &["get"]),
        r.peer("aws-sdk-s3 > file", &["get", "--out", down]),
        r.installed("s5cmd cp > file", "s5cmd", &["cp", &format!("s3://{s3_object}"), down])
            .check(Check::Downloaded),
        r.installed("rclone copyto > file", "rclone", &["copyto", &format!("B:{s3_object}"), down])
            .check(Check::Downloaded),
        r.boto3("boto3", &["get"]),
        r.apache("Apache Libcloud", &["get"]),
    ];
    Job { name: "get-1g", count: LARGE, unit: "bytes", rows }
}

fn get_tls(r: &Rows<'_>) -> Job {
    let (url, ca) = (r.places.secure_url(), r.places.ca().display().to_string());
    let secure = Rows { places: r.places, url: url.clone() };
    let (object, ca) = (&format!("{url}/bench/size-{LARGE}"), ca.as_str());
    let curl = ["-s", "--cacert", ca, "-o", "/dev/null", "-w", "get %{size_download} s", object];
    let rows = vec![
        secure.limit("hyper with rustls (ring)", &["get", "--ca", ca]),
        secure.limit("hyper with rustls, one thread", &["get", "--ca", ca, "--threads", "1"]),
        secure.ours("libcloud", &["get", "--ca", ca]),
        secure.ours("libcloud, one thread", &["get", "--ca", ca, "--threads", "1"]),
        secure.installed("curl (OpenSSL)", "curl", &curl),
        secure.peer("object_store (aws-lc)", &["get", "--ca", ca]),
    ];
    Job { name: "get-1g-tls", count: LARGE, unit: "bytes", rows }
}

fn put(r: &Rows<'_>) -> Job {
    let file = &r.places.large().display().to_string();
    let object = &format!("{}/bench/up", r.url);
    let uploaded = || Check::Uploaded(LARGE);
    let signed = |name, job: &[&str]| r.limit(name, &[job, &["--file", file]].concat());
    let rows = vec![
        signed("hyper, one PUT", &["put"]),
        signed("hyper, one PUT, SHA-256", &["put", "--extra", "sha256"]),
        signed("hyper, 8 MiB parts ×4", &["put-parts", "--conc", "4"]),
        signed("hyper, 8 MiB parts ×4, signed (SHA-256)", &["put-parts", "--conc", "4", "--extra", "sign"]),
        signed("hyper, 8 MiB parts ×4, CRC-64/NVME", &["put-parts", "--conc", "4", "--extra", "crc64"]),
        r.ours("libcloud", &["put-parts", "--conc", "4", "--file", file]),
        r.ours("libcloud, one thread", &["put-parts", "--conc", "4", "--file", file, "--threads", "1"]),
        r.ours("libcloud, CRC-64/NVME", &["put-parts", "--conc", "4", "--file", file, "--extra", "crc64"]),
        r.program("s3", &["storage", "cp", file, "s3:bench/up"]).check(uploaded()),
        r.installed(
            "curl",
            "curl",
            &["-s", "-o", "/dev/null", "-w", "put %{size_upload} s", "-T", file, object],
        ),
        r.peer("object_store, parts ×4", &["put-parts", "--conc", "4", "--file", file]),
        r.peer("opendal, parts ×4 (no checksum)", &["put-parts", "--conc", "4", "--file", file]),
        r.peer("rust-s3, stream", &["put-parts", "--file", file]),
        r.peer("aws-sdk-s3, one PUT", &["put", "--file", file]),
        r.peer("aws-sdk-s3, parts ×4", &["put-parts", "--conc", "4", "--file", file]),
        r.installed("s5cmd cp", "s5cmd", &["cp", file, "s3://bench/up"]).check(uploaded()),
        r.installed("rclone copyto", "rclone", &["copyto", "--ignore-times", file, "B:bench/up"])
            .check(uploaded()),
        r.boto3("boto3", &["put", "--file", file]),
        r.apache("Apache Libcloud", &["put", "--file", file]),
    ];
    Job { name: "put-1g", count: LARGE, unit: "bytes", rows }
}

/// Of a length that nobody knows before. There is no limit: it is about memory.
fn put_stream(r: &Rows<'_>) -> Job {
    let all = |conc| ["put-stream", "--n", "5120", "--conc", conc];
    let rows = vec![
        r.ours("libcloud", &all("4")),
        r.ours("libcloud, one thread", &[&all("4")[..], &["--threads", "1"]].concat()),
        r.peer("object_store, parts ×4", &all("4")),
    ];
    Job { name: "put-5g-stream", count: 5 << 30, unit: "bytes", rows }
}

fn small(r: &Rows<'_>, name: &'static str, job: &str) -> Job {
    fn all<'a>(words: &[&'a str]) -> Vec<&'a str> {
        [words, &["--n", "10000", "--conc", "32"]].concat()
    }
    let count = SMALL_OBJECTS as u64;
    let (folder, down) = (&r.file("small"), &r.file("down"));
    let files = &format!("{}/000000.bin", folder);
    let program = if job == "put-small" {
        let uploaded = Check::Uploaded(count * bench_content::SMALL as u64);
        r.program("s3", &["storage", "cp", "--recursive", folder, "s3:bench/up"]).check(uploaded)
    } else {
        r.program("s3", &["storage", "cp", "--recursive", "s3:bench/small/", down]).check(Check::Files)
    };
    let rows = vec![
        r.limit("hyper ×32, signed", &all(&[job, "--extra", "sign"])),
        r.limit("hyper ×32, not signed", &all(&[job])),
        r.limit("hyper ×32, signed, one thread", &all(&[job, "--extra", "sign", "--threads", "1"])),
        r.ours("libcloud ×32", &all(&[job])),
        r.ours("libcloud ×32, one thread", &all(&[job, "--threads", "1"])),
        program,
        r.peer("object_store ×32", &all(&[job])),
        r.peer("object_store ×32, one thread", &all(&[job, "--threads", "1"])),
        r.peer("opendal ×32", &all(&[job])),
        r.peer("opendal ×32, one thread", &all(&[job, "--threads", "1"])),
        r.peer("rust-s3 ×32", &all(&[job])),
        r.peer("aws-sdk-s3 ×32", &all(&[job])),
        r.boto3("boto3, 32 threads", &[job, "--n", "2000", "--conc", "32"]).share(0.2),
        r.apache("Apache Libcloud, 32 threads", &[job, "--n", "2000", "--conc", "32", "--file", files])
            .share(0.2),
    ];
    Job { name, count, unit: "objects", rows }
}

fn list(r: &Rows<'_>) -> Job {
    fn million<'a>(words: &[&'a str]) -> Vec<&'a str> {
        [&["list", "--n", "1000000"], words].concat()
    }
    let rows = vec![
        r.limit("hyper, quick-xml events", &million(&["--extra", "quickxml"])),
        r.limit("hyper, quick-xml events, one thread", &million(&["--extra", "quickxml", "--threads", "1"])),
        r.limit("hyper, no parsing", &million(&[])),
        r.limit("hyper, roxmltree", &million(&["--extra", "roxmltree"])),
        r.ours("libcloud", &["list"]),
        r.ours("libcloud, one thread", &["list", "--threads", "1"]),
        r.program("s3", &["--format", "jsonl", "storage", "objects", "list", "bench"]).check(Check::Lines),
        r.peer("object_store", &["list"]),
        r.peer("object_store, one thread", &["list", "--threads", "1"]),
        r.peer("opendal", &["list"]),
        r.peer("rust-s3", &["list"]),
        r.peer("rust-s3, one thread", &["list", "--threads", "1"]),
        r.peer("aws-sdk-s3", &["list"]),
        r.installed("s5cmd ls", "s5cmd", &["ls", "s3://bench/*"]).check(Check::Lines),
        r.installed("rclone lsf", "rclone", &["lsf", "--fast-list", "-R", "B:bench"]).check(Check::Lines),
        r.boto3("boto3", &["list", "--bucket", "keys-100000"]).share(0.1),
        r.apache("Apache Libcloud", &["list", "--bucket", "keys-100000"]).share(0.1),
    ];
    Job { name: "list-1m", count: 1_000_000, unit: "keys", rows }
}

fn ec2(r: &Rows<'_>) -> Job {
    let fetch = |name, parser: &str| {
        r.limit(name, &["fetch", "--extra", &format!("/?Action=DescribeInstances {parser}"), "--n", "10000"])
    };
    let rows = vec![
        fetch("hyper, quick-xml events", "quickxml"),
        fetch("hyper, no parsing", "none"),
        fetch("hyper, roxmltree", "roxmltree"),
        r.ours("libcloud", &["ec2-list"]),
        r.ours("libcloud, one thread", &["ec2-list", "--threads", "1"]),
        r.program("ec2", &["--format", "jsonl", "compute", "nodes", "list"]).check(Check::Lines),
        r.peer("aws-sdk-ec2, pages of 1000", &["ec2-list"]),
        r.boto3("boto3, pages of 1000", &["ec2-list"]),
        r.apache("Apache Libcloud", &["ec2-list"]),
    ];
    Job { name: "ec2-list-10k", count: 10_000, unit: "instances", rows }
}

fn nova(r: &Rows<'_>) -> Job {
    let fetch = |name, parser: &str| {
        r.limit(name, &["fetch", "--extra", &format!("/v2.1/servers/detail {parser}"), "--n", "10000"])
    };
    let project = ["--option", "ex_tenant_name=bench", "--format", "jsonl", "compute", "nodes", "list"];
    let rows = vec![
        fetch("hyper, no parsing", "none"),
        fetch("hyper, serde_json::Value", "json"),
        r.ours("libcloud", &["nova-list"]),
        r.ours("libcloud, one thread", &["nova-list", "--threads", "1"]),
        r.program("openstack", &["--auth-url", &format!("{}/v3", r.url)]).with(&project).check(Check::Lines),
        r.apache("Apache Libcloud", &["nova-list"]),
    ];
    Job { name: "nova-list-10k", count: 10_000, unit: "servers", rows }
}

fn route53(r: &Rows<'_>) -> Job {
    let rows = vec![
        r.limit("hyper, no parsing", &["r53", "--n", "100000"]),
        r.limit("hyper, quick-xml events", &["r53", "--n", "100000", "--extra", "quickxml"]),
        r.ours("libcloud", &["r53-list"]),
        r.ours("libcloud, one thread", &["r53-list", "--threads", "1"]),
        r.program("route53", &["--format", "jsonl", "dns", "records", "list", "Z1"]).check(Check::Lines),
        r.boto3("boto3", &["r53-list"]),
        r.apache("Apache Libcloud", &["r53-list"]),
    ];
    Job { name: "r53-list-100k", count: 100_000, unit: "records", rows }
}

fn create(r: &Rows<'_>) -> Job {
    let slow = Rows { places: r.places, url: r.places.slow_url() };
    let many = |conc| ["create", "--n", "1000", "--conc", conc];
    let one_thread = |conc| [&many(conc)[..], &["--threads", "1"]].concat();
    let script = |name, script, conc| slow.script(name, script, r.places.slow, &many(conc));
    let rows = vec![
        slow.limit("hyper ×1000", &many("1000")),
        slow.limit("hyper ×200", &many("200")),
        slow.limit("hyper ×50", &many("50")),
        slow.limit("hyper ×1000, one thread", &one_thread("1000")),
        slow.limit("hyper ×200, one thread", &one_thread("200")),
        slow.ours("libcloud ×1000", &many("1000")),
        slow.ours("libcloud ×200", &many("200")),
        slow.ours("libcloud ×50", &many("50")),
        slow.ours("libcloud ×1000, one thread", &one_thread("1000")),
        slow.ours("libcloud ×200, one thread", &one_thread("200")),
        slow.ours("libcloud ×50, one thread", &one_thread("50")),
        slow.peer("aws-sdk-ec2 ×1000", &many("1000")),
        slow.peer("aws-sdk-ec2 ×200", &many("200")),
        slow.peer("aws-sdk-ec2 ×50", &many("50")),
        script("boto3, 50 threads", "with_boto3.py", "50"),
        script("Apache Libcloud, 50 threads", "apache_libcloud.py", "50"),
    ];
    Job { name: "create-1000", count: 1000, unit: "nodes", rows }
}

fn cold(r: &Rows<'_>) -> Job {
    let cold = |row: Row| row.check(Check::Status);
    let rows = vec![
        cold(r.limit("hyper", &["cold"])),
        cold(r.ours("libcloud", &["cold"])),
        cold(r.ours("libcloud, one thread", &["cold", "--threads", "1"])),
        cold(r.program("s3", &["storage", "containers", "list"])),
        cold(r.peer("object_store", &["cold"])),
        cold(r.peer("opendal", &["cold"])),
        cold(r.peer("rust-s3", &["cold"])),
        cold(r.peer("aws-sdk-s3", &["cold"])),
        cold(r.installed("s5cmd ls", "s5cmd", &["ls"])),
        cold(r.installed("rclone lsd", "rclone", &["lsd", "B:"])),
        cold(r.boto3("boto3", &["cold"])),
        cold(r.apache("Apache Libcloud", &["cold"])),
    ];
    Job { name: "cold-start", count: 1, unit: "call", rows }
}
