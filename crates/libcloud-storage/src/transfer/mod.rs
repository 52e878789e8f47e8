//! Transfers by path, for every driver.

use std::path::Path;

use libcloud_common::Result;

use crate::body::UploadBody;
use crate::driver::StorageDriver;
use crate::options::{UploadObject, guess_content_type};
use crate::resources::{Container, Object};

mod arrival;
mod download;
mod landing;

pub(crate) use download::download;

/// Makes an object of a file.
pub(crate) async fn upload<D: StorageDriver + ?Sized>(
    driver: &D,
    path: &Path,
    container: &Container,
    object_name: &str,
    mut options: UploadObject,
) -> Result<Object> {
    options.file_type = path.file_name().and_then(|name| guess_content_type(name.to_str()?));
    let body = UploadBody::from_file(path).await?;
    driver.upload_object_via_stream_with(body, container, object_name, options).await
}
