//! Price files: read, written, from an archive, and downloaded.
#![expect(clippy::unwrap_used, reason = "what the tests share is not marked as a test, and fails as one")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use libcloud_common::{Config, ErrorKind, Price, Timestamp, TransportConfig};
use libcloud_pricing::{DEFAULT_FILE_URL, DownloadPricing, Entry, PriceFile, PriceTable, Pricing};
use libcloud_testkit::{Answer, Exchange, Mock};
use tempfile::TempDir;

const GOOD: &str = r#"{"compute": {"foo": {"1": 0.25}}, "storage": {}, "updated": 1740936978}"#;

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// A release of the original: its folder, some files, and the prices among them.
fn release(prices: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [
        ("apache-libcloud-0.14.0/README.rst", "Read me"),
        ("apache-libcloud-0.14.0/libcloud/test/pricing_test.json", "{}"),
        ("apache-libcloud-0.14.0/libcloud/data/pricing.json", prices),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    compressed(&archive.into_inner().unwrap())
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_written_is_what_the_original_reads() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pricing.json");
    let mut file = PriceFile::new();
    let mut table: PriceTable = [("m1.small", price("0.065")), ("big", price("4"))].into_iter().collect();
    table.insert("by region", Entry::Table([("eu", price("0.1"))].into_iter().collect()));
    assert_eq!(file.insert("compute", "ec2_us_east", table), None);
    file.set_updated(Timestamp::from_unix_seconds(1_384_455_373).unwrap());
    file.write(&path).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let expected = serde_json::json!({
        "compute": {"ec2_us_east": {"big": 4, "by region": {"eu": 0.1}, "m1.small": 0.065}},
        "storage": {}, "updated": 1_384_455_373,
    });
    assert_eq!(written, expected);

    let again = PriceFile::read(&path).unwrap();
    assert_eq!(again.updated(), file.updated());
    let table = again.get("compute", "ec2_us_east").unwrap();
    assert!(table.iter().eq(file.get("compute", "ec2_us_east").unwrap().iter()));
    assert_eq!(again.iter().count(), 1);
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_newer_file_of_the_original_is_read() {
    let json = r#"{"compute": {
        "azure": {"a": {"eu": 0.02, "us": null}}, "outscale": {"m1.small": "0.230"},
        "gce": {"Local SSD": {"description": "d", "on_demand": {"us": {"price": 0.00012222222222222221, "sku": "S"}}}}
    }, "updated": "1740936978", "comment": ["ours", {"a": 1}], "version": 2.5, "draft": false, "none": null}"#;
    let file = PriceFile::parse("it", json.as_bytes()).unwrap();
    assert_eq!(file.updated().unwrap().to_string(), "2025-03-02T17:36:18Z");
    let names: Vec<_> = file.iter().map(|(kind, name, _)| (kind, name)).collect();
    assert_eq!(names, [("compute", "azure"), ("compute", "gce"), ("compute", "outscale")]);
    assert_eq!(file.get("compute", "outscale").unwrap().price("m1.small"), Some(price("0.23")));
    let ssd = file.get("compute", "gce").unwrap().table("Local SSD").unwrap();
    let hourly = ssd.table("on_demand").unwrap().price("us");
    assert_eq!(
        hourly,
        Some(price("0.000122222222222222")),
        "divided by the original, and so not exact there either"
    );
}

#[test]
fn the_file_in_a_release_is_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("apache-libcloud-0.14.0.tar.bz2");
    fs::write(&path, release(GOOD)).unwrap();
    assert_eq!(Pricing::from_file(&path).get_size_price("compute", "foo", "1").unwrap(), price("0.25"));

    let shown = path.display();
    fs::write(&path, release(r#"{"compute": {"foo": {"1": }"#)).unwrap();
    let error = PriceFile::read(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(
        error.message(),
        format!("the price file {shown} is damaged at `compute.foo.1`: expected value at line 1 column 27")
    );

    fs::write(&path, compressed(&[0; 1024])).unwrap();
    let error = PriceFile::read(&path).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::NotFound,
            format!("the price file {shown} is an archive without data/pricing.json").as_str()
        )
    );

    let whole = release(GOOD);
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = PriceFile::read(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains(" is damaged: "), "{error}");
}

/// A folder with a good file, and a server that stands for all hosts.
struct Scene {
    _folder: TempDir,
    path: PathBuf,
    server: Mock,
}

impl Scene {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("pricing.json");
        fs::write(&path, r#"{"compute": {"foo": {"1": 7}}}"#).unwrap();
        Self { _folder: folder, path, server: Mock::start() }
    }

    fn options(&self) -> DownloadPricing {
        let transport = TransportConfig::new().retries(0).connect_to(self.server.address());
        DownloadPricing::new().file_path(&self.path).config(Config::anonymous().transport(transport))
    }

    fn answers(&self, answer: Answer) {
        let request = Exchange::get("/pricing.json").header("host", "libcloud-pricing-data.s3.amazonaws.com");
        self.server.expect(request.no_header("authorization").answers(answer));
    }

    /// What is in the folder is the file that was there.
    fn is_unchanged(&self) {
        assert_eq!(fs::read_to_string(&self.path).unwrap(), r#"{"compute": {"foo": {"1": 7}}}"#);
        assert_eq!(fs::read_dir(self.path.parent().unwrap()).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn the_current_file_replaces_the_old_one() {
    let scene = Scene::new();
    let pricing = Pricing::from_file(&scene.path);
    let size = || pricing.get_size_price("compute", "foo", "1").unwrap();
    assert_eq!(size(), price("7"));
    scene.answers(Answer::new(200).body(GOOD));
    let fetched = pricing.download_pricing_file(scene.options()).await.unwrap();
    assert_eq!((&fetched.path, fetched.url.as_str(), fetched.tables), (&scene.path, DEFAULT_FILE_URL, 1));
    assert_eq!(fetched.updated.to_string(), "2025-03-02T17:36:18Z");
    assert_eq!(fs::read_to_string(&scene.path).unwrap(), GOOD, "byte by byte");
    assert_eq!(size(), price("7"), "known until it is forgotten");
    pricing.reload().unwrap();
    assert_eq!(size(), price("0.25"));
}

#[tokio::test]
async fn a_release_is_taken_apart() {
    let scene = Scene::new();
    let archive = Exchange::get("/dist/apache-libcloud-3.8.0.tar.bz2?mirror=1");
    scene.server.expect(archive.answers(Answer::new(200).body(release(GOOD))));
    let url = "https://archive.example/dist/apache-libcloud-3.8.0.tar.bz2?mirror=1".parse().unwrap();
    Pricing::bundled().download_pricing_file(scene.options().file_url(url)).await.unwrap();
    assert_eq!(fs::read_to_string(&scene.path).unwrap(), GOOD);
}

#[tokio::test]
async fn a_bad_download_never_replaces_a_good_file() {
    for (body, told) in [
        ("<html>Service Unavailable</html>", "is damaged: expected value at line 1 column 1"),
        (
            r#"{"compute": {"foo": {"1": 0.2"#,
            "is damaged at `compute.foo`: EOF while parsing an object at line 1 column 29",
        ),
        (r#"{"compute": {"foo": {"1": 0.25}}}"#, "is no price file: it does not say when it was `updated`"),
        (r#"{"compute": {"foo": {"1": 1}}, "updated": 0}"#, "is no price file: it does not say when"),
        (r#"{"compute": {"foo": {}}, "updated": 1740936978}"#, "is no price file: there are no prices in it"),
        (
            r#"{"compute": {"foo": {"1": {"eu": -1}}}, "updated": 1}"#,
            "is no price file: the price of `eu` is -1",
        ),
        (r#"{"compute": {"foo": 5}, "updated": 1740936978}"#, "at `compute.foo`: invalid type: integer `5`"),
        ("BZh9 nothing of the kind", "is damaged: "),
    ] {
        let scene = Scene::new();
        scene.answers(Answer::new(200).body(body));
        let error = Pricing::bundled().download_pricing_file(scene.options()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
        assert!(error.message().contains(told), "{error}");
        assert!(error.message().starts_with(&format!("what {DEFAULT_FILE_URL} answers ")), "{error}");
        scene.is_unchanged();
    }
}

#[tokio::test]
async fn a_refused_or_led_away_download_changes_nothing() {
    for (answer, kind) in [
        (Answer::new(404), ErrorKind::NotFound),
        (Answer::new(503), ErrorKind::Provider),
        (Answer::new(302).header("location", "https://elsewhere.example/pricing.json"), ErrorKind::Provider),
    ] {
        let scene = Scene::new();
        scene.answers(answer);
        let error = Pricing::bundled().download_pricing_file(scene.options()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        scene.is_unchanged();
    }
    // On the same server a redirect is followed.
    let scene = Scene::new();
    scene.answers(Answer::new(302).header("location", "/2025/pricing.json"));
    scene.server.expect(Exchange::get("/2025/pricing.json").answers(Answer::new(200).body(GOOD)));
    Pricing::bundled().download_pricing_file(scene.options()).await.unwrap();
    assert_eq!(fs::read_to_string(&scene.path).unwrap(), GOOD);
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let scene = Scene::new();
    scene.answers(Answer::new(200).body(vec![b' '; (64 << 20) + 1]));
    let error = Pricing::bundled().download_pricing_file(scene.options()).await.unwrap_err();
    assert!(error.message().contains("larger than 67108864 bytes"), "{error}");
    scene.is_unchanged();
}

#[tokio::test]
async fn what_cannot_be_written_or_trusted_is_refused_before_anything_is_sent() {
    let scene = Scene::new();
    let folder = scene.path.parent().unwrap();
    for (options, told) in [
        (scene.options().file_path(folder.join("none/pricing.json")), "there is no folder"),
        (scene.options().file_path(folder), "it is a folder"),
        (scene.options().file_url("http://prices.example/p.json".parse().unwrap()), "fetched by https"),
        (
            scene.options().file_url("http://127.0.0.1.evil.example/p.json".parse().unwrap()),
            "fetched by https",
        ),
        (scene.options().file_url("file:///etc/passwd".parse().unwrap()), "fetched by https"),
    ] {
        let error = Pricing::bundled().download_pricing_file(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(told), "{error}");
    }
    let nowhere = Pricing::bundled().download_pricing_file(DownloadPricing::new()).await.unwrap_err();
    assert!(nowhere.message().contains("say which `file_path`"), "{nowhere}");
    scene.is_unchanged();
    // Of this machine it may be without TLS.
    scene.server.expect(Exchange::get("/p.json").answers(Answer::new(200).body(GOOD)));
    let url = scene.server.url().join("p.json").unwrap();
    let options = DownloadPricing::new().file_path(&scene.path).file_url(url);
    Pricing::bundled().download_pricing_file(options).await.unwrap();
    assert_eq!(fs::read_to_string(&scene.path).unwrap(), GOOD);
}
