//! Many objects deleted by few calls.

use http::Method;
use libcloud_common::xml::{Element, Writer};
use libcloud_common::{Error, Result, digest, extensions};
use libcloud_storage::Container;
use serde::{Deserialize, Serialize};

use super::{S3Driver, names};

/// How many one call takes.
const MOST: usize = 1000;

/// An object that was to be deleted and is still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DeleteFailure {
    /// Its name.
    pub object_name: String,
    /// S3's code for the reason: `AccessDenied`.
    pub code: String,
    /// The reason in S3's words.
    pub message: String,
}

#[extensions(DELETE)]
impl S3Driver {
    /// Deletes objects by their names, a thousand in a call where the service has one for that. Those that are not there count
    /// as deleted; those that could not be deleted are the answer.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    pub async fn ex_delete_objects(
        &self,
        container: &Container,
        object_names: Vec<String>,
    ) -> Result<Vec<DeleteFailure>> {
        object_names.iter().try_for_each(|name| names::object(name))?;
        // XML cannot hold every name.
        let bulk = self.conn.dialect().bulk_delete;
        let (many, single): (Vec<_>, Vec<_>) =
            object_names.into_iter().partition(|name| bulk && is_writable(name));
        let mut failures = Vec::new();
        for batch in many.chunks(MOST) {
            failures.extend(self.delete_batch(container, batch).await?);
        }
        for name in single {
            failures.extend(self.delete_single(container, name).await?);
        }
        Ok(failures)
    }
}

impl S3Driver {
    async fn delete_batch(&self, container: &Container, names: &[String]) -> Result<Vec<DeleteFailure>> {
        let mut xml = Writer::document();
        xml.element_with("Delete", &[("xmlns", super::NAMESPACE)], |xml| {
            // Only what failed is told.
            xml.leaf("Quiet", "true");
            for name in names {
                xml.element("Object", |xml| xml.leaf("Key", name));
            }
        });
        let body = xml.finish()?;
        let call = self.conn.container(Method::POST, "DeleteObjects", &container.name)?.query("delete", "");
        // Half of a list would be a list as well.
        let call = call.header("content-md5", digest::md5_base64(&body));
        call.body("application/xml", body).read(failures).await
    }

    async fn delete_single(&self, container: &Container, name: String) -> Result<Option<DeleteFailure>> {
        let call = self.conn.object(Method::DELETE, "DeleteObject", &container.name, &name)?;
        match call.send().await {
            Ok(_) => Ok(None),
            Err(error) if is_about_object(&error) => Ok(Some(DeleteFailure {
                object_name: name,
                code: error.code().unwrap_or_default().to_owned(),
                message: error.message().to_owned(),
            })),
            Err(error) => Err(error),
        }
    }
}

/// Whether S3 has refused this one object, and may well delete the next.
fn is_about_object(error: &Error) -> bool {
    error.code().is_some() && error.resource().is_none_or(|(resource, _)| resource == "object")
}

/// Whether a parser gives back this name as it is.
fn is_writable(name: &str) -> bool {
    let mut xml = Writer::fragment();
    xml.leaf("Key", name);
    xml.finish().is_ok()
}

fn failures(root: Element<'_, '_>) -> Result<Vec<DeleteFailure>> {
    if root.name() != "DeleteResult" {
        return Err(root.malformed("it is no `DeleteResult`"));
    }
    root.children("Error")
        .map(|item| {
            Ok(DeleteFailure {
                object_name: item.need("Key")?.raw_text().into_owned(),
                code: item.need_text("Code")?,
                message: item.opt_text("Message").unwrap_or_default(),
            })
        })
        .collect()
}
