//! Files and folders that are copied.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use libcloud_common::{BoxFuture, ByteStream, Error, Result};
use libcloud_compute::Node;
use tokio::io::AsyncReadExt as _;

use super::Deployment;
use crate::client::{SshClient, WriteMode};

/// How much of a file is read at once.
const PIECE: usize = 256 << 10;

/// Copies a file, or a folder with what is in it; permissions are kept, links are followed. A file streams: it may be larger
/// than the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDeployment {
    source: PathBuf,
    target: String,
}

impl FileDeployment {
    /// From this file or folder of this machine to that path on the server.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<String>) -> Self {
        Self { source: source.into(), target: target.into() }
    }
}

#[async_trait]
impl Deployment for FileDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        let target = self.target.trim_end_matches('/');
        if target.is_empty() {
            return Err(Error::invalid_argument("a file is copied to a path on the server; none is given"));
        }
        copy(&self.source, target.to_owned(), client, Vec::new()).await
    }

    fn check(&self) -> Result<()> {
        std::fs::metadata(&self.source).map(drop).map_err(|error| unreadable(&self.source, error))
    }

    fn name(&self) -> String {
        format!("copy {} to {}", self.source.display(), self.target)
    }
}

/// Copies what is there; `above` are the folders that it lies in.
fn copy<'a>(
    source: &'a Path,
    target: String,
    client: &'a mut dyn SshClient,
    mut above: Vec<PathBuf>,
) -> BoxFuture<'a, Result<()>> {
    async move {
        let metadata = tokio::fs::metadata(source).await.map_err(|error| unreadable(source, error))?;
        let permissions = permissions(&metadata);
        if !metadata.is_dir() {
            client.put_stream(&target, open(source).await?, permissions, WriteMode::Replace).await?;
            return Ok(());
        }
        let real = tokio::fs::canonicalize(source).await.map_err(|error| unreadable(source, error))?;
        if above.contains(&real) {
            return Err(Error::invalid_argument(format!(
                "{} is a link that leads back up, to {}",
                source.display(),
                real.display()
            )));
        }
        above.push(real);
        client.make_dir(&target, None).await?;
        let mut entries = tokio::fs::read_dir(source).await.map_err(|error| unreadable(source, error))?;
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(|error| unreadable(source, error))? {
            names.push(entry.file_name());
        }
        names.sort();
        for name in names {
            let path = source.join(&name);
            let name = name.to_str().ok_or_else(|| {
                Error::invalid_argument(format!("the name of {} is not UTF-8", path.display()))
            })?;
            copy(&path, format!("{target}/{name}"), client, above.clone()).await?;
        }
        // Last, since nothing goes into a folder that may not be written.
        client.make_dir(&target, permissions).await?;
        Ok(())
    }
    .boxed()
}

async fn open(path: &Path) -> Result<ByteStream> {
    let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(path, error))?;
    let path = path.to_owned();
    let pieces = stream::unfold(Some((file, path)), |state| async {
        let (mut file, path) = state?;
        let mut piece = BytesMut::with_capacity(PIECE);
        match file.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(piece.freeze()), Some((file, path)))),
            Err(error) => Some((Err(unreadable(&path, error)), None)),
        }
    });
    Ok(pieces.boxed())
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::io(format_args!("read {}", path.display()), error)
}

#[cfg_attr(unix, expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions"))]
fn permissions(metadata: &std::fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777);
    #[cfg(not(unix))]
    return metadata.permissions().readonly().then_some(0o444);
}
