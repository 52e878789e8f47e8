//! Fetching the current price file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use libcloud_common::{Config, Connection, Error, ErrorKind, Result, Timestamp, Url};

use crate::Pricing;
use crate::file::{MAX_FILE, PriceFile, implausible, replace, unpacked};

/// Where Apache Libcloud publishes the current prices, once a day.
pub const DEFAULT_FILE_URL: &str = "https://libcloud-pricing-data.s3.amazonaws.com/pricing.json";

/// What to fetch, and where to put it.
///
/// ```
/// use libcloud_pricing::DownloadPricing;
///
/// let options = DownloadPricing::new().file_url("https://prices.example/pricing.json".parse().unwrap());
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DownloadPricing {
    file_url: Option<Url>,
    file_path: Option<PathBuf>,
    config: Config,
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The file that was written.
    pub path: PathBuf,
    /// Where it is from.
    pub url: Url,
    /// When the prices were put together.
    pub updated: Timestamp,
    /// How many drivers have prices in it.
    pub tables: usize,
}

impl Default for DownloadPricing {
    fn default() -> Self {
        Self::new()
    }
}

impl DownloadPricing {
    /// The file that Apache Libcloud publishes, to where prices are read from.
    pub fn new() -> Self {
        Self { file_url: None, file_path: None, config: Config::anonymous() }
    }

    /// Another place to fetch from: a price file, or a release of Apache Libcloud as `.tar.bz2`. It is `https`, unless it
    /// is on this machine.
    pub fn file_url(mut self, url: Url) -> Self {
        self.file_url = Some(url);
        self
    }

    /// Another file to write. Its folder has to exist.
    pub fn file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.file_path = Some(path.into());
        self
    }

    /// How to connect: proxy, certificates, time limits. Its credentials are not used.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }
}

impl Pricing {
    /// Fetches the current price file.
    ///
    /// It replaces the file from which prices are read, `~/.libcloud/pricing.json` unless another was named, once it has
    /// arrived whole and has prices in it; until then, and after any error, the file that was there stays. Prices that
    /// were looked up before are known further on: [`reload`](Self::reload) or
    /// [`clear_pricing_data`](Self::clear_pricing_data) lets the new ones be read.
    ///
    /// `InvalidArgument` if it cannot be written where it should, `MalformedResponse` if what arrives is no price file.
    pub async fn download_pricing_file(&self, options: DownloadPricing) -> Result<Downloaded> {
        let DownloadPricing { file_url, file_path, config } = options;
        let url = file_url.map_or_else(default_url, Ok)?;
        is_safe(&url)?;
        let target = match file_path {
            Some(path) => path,
            None => self.default_target()?,
        };
        is_writable(&target)?;
        let body = fetch(&url, config).await?;
        let work = move || store(&url, &body, target);
        let stored = tokio::task::spawn_blocking(work).await;
        stored.map_err(|error| Error::io("write the price file", error.into()))?
    }

    /// The file from which prices are read, in a folder that is made if it is the usual one.
    fn default_target(&self) -> Result<PathBuf> {
        let Some((path, is_usual)) = self.own_file() else {
            return Err(Error::invalid_argument(
                "these prices are of no file: say which `file_path` to write",
            ));
        };
        if let Some(folder) = path.parent().filter(|_| is_usual) {
            std::fs::create_dir_all(folder)
                .map_err(|error| Error::io(format_args!("make {}", folder.display()), error))?;
        }
        Ok(path.to_owned())
    }
}

fn default_url() -> Result<Url> {
    DEFAULT_FILE_URL.parse().map_err(|error| Error::malformed("URL", error))
}

/// Prices that anybody on the way can change are worse than old ones.
fn is_safe(url: &Url) -> Result<()> {
    let is_here = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse().is_ok_and(|address: std::net::Ipv4Addr| address.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        _ => Err(Error::invalid_argument(format!("prices are fetched by https, not from {url}"))),
    }
}

fn is_writable(path: &Path) -> Result<()> {
    let refuse =
        |why: String| Err(Error::invalid_argument(format!("cannot write {}: {why}", path.display())));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => refuse(format!("there is no folder {}", folder.display())),
        _ if path.is_dir() => refuse("it is a folder".to_owned()),
        _ => Ok(()),
    }
}

async fn fetch(url: &Url, mut config: Config) -> Result<Bytes> {
    config.transport.max_response = MAX_FILE;
    let mut server = url.clone();
    server.set_path("");
    server.set_query(None);
    server.set_fragment(None);
    let connection = Connection::builder("pricing", server, &config).service("pricing").build();
    let response = connection.follow("DownloadPricingFile", url.as_str()).send().await?;
    Ok(response.body)
}

/// Checks what arrived and puts it in its place.
fn store(url: &Url, body: &[u8], path: PathBuf) -> Result<Downloaded> {
    let what = format!("what {url} answers");
    let wrong = |error: Error| error.with_kind(ErrorKind::MalformedResponse);
    let json = unpacked(&what, body).map_err(wrong)?;
    let file = PriceFile::decode(&what, &json, None).map_err(wrong)?;
    let refuse =
        |why: String| Error::new(ErrorKind::MalformedResponse, format!("{what} is no price file: {why}"));
    if let Some(why) = implausible(&file) {
        return Err(refuse(why));
    }
    let updated = file.updated().ok_or_else(|| refuse("it has no time".to_owned()))?;
    replace(&path, &json)?;
    Ok(Downloaded { path, url: url.clone(), updated, tables: file.iter().count() })
}
