//! Listings of objects, in the version that the dialect has.

use std::sync::Arc;

use http::Method;
use libcloud_common::{BoxStream, Result};
use libcloud_storage::rest::listing_from;
use libcloud_storage::{Container, ListEntries};

use super::dialect::ListVersion;
use super::{S3Driver, wire};

impl S3Driver {
    /// Everything on a level, if the arguments were right.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>, and its first version:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
    pub(super) fn list<T: Send + 'static>(
        &self,
        container: &Arc<Container>,
        checked: Result<()>,
        options: ListEntries,
        convert: impl Fn(wire::Item) -> Result<T> + Clone + Send + 'static,
    ) -> BoxStream<'static, Result<T>> {
        let (conn, container) = (self.conn.clone(), Arc::clone(container));
        let version = conn.dialect().listing;
        // The first version begins after a name as it goes on after one.
        let (first, start_after) = match version {
            ListVersion::V1 => (options.start_after, None),
            ListVersion::V2 => (None, options.start_after),
        };
        let page = checked.map(|()| {
            move || {
                let call = match version {
                    ListVersion::V1 => conn.container(Method::GET, "ListObjects", &container.name)?,
                    ListVersion::V2 => {
                        conn.container(Method::GET, "ListObjectsV2", &container.name)?.query("list-type", "2")
                    }
                };
                Ok(call
                    // XML cannot hold every name.
                    .query("encoding-type", "url")
                    .query_opt("prefix", options.prefix.as_deref())
                    .query_opt("delimiter", options.delimiter.as_deref())
                    .query_opt("start-after", start_after.as_deref())
                    .timeout(options.timeout))
            }
        });
        match version {
            ListVersion::V1 => listing_from(first, page, "marker", wire::list_v1, convert),
            ListVersion::V2 => listing_from(first, page, "continuation-token", wire::list_v2, convert),
        }
    }
}
