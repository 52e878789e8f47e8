//! Who may do what with an object.

use http::Method;
use libcloud_common::dispatch::{Arg, expected};
use libcloud_common::xml::{Element, Writer};
use libcloud_common::{Error, Result, Value, extensions};
use libcloud_storage::Object;
use serde::{Deserialize, Serialize};

use super::S3Driver;

const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Who may do what.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AccessControlPolicy.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Acl {
    /// The id of the owner.
    pub owner_id: String,
    /// The owner's name, where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_name: Option<String>,
    /// What is allowed.
    pub grants: Vec<Grant>,
}

/// What somebody is allowed to do.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Grant.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Grant {
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
    /// The id of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The account's name, where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A group in place of an account: `http://acs.amazonaws.com/groups/global/AllUsers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

impl Arg for Acl {
    const TYPE: &'static str = "access control list";

    fn from_json(value: Value) -> std::result::Result<Self, String> {
        match value {
            whole @ Value::Object(_) => {
                Self::deserialize(whole).map_err(|error| format!("this is no access control list: {error}"))
            }
            other => Err(expected("an access control list: `owner_id` and `grants`", &other)),
        }
    }
}

#[extensions(ACL)]
impl S3Driver {
    /// Who may do what with an object.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>
    pub async fn ex_get_object_acl(&self, obj: &Object) -> Result<Acl> {
        let call = self.conn.object(Method::GET, "GetObjectAcl", &obj.container.name, &obj.name)?;
        call.query("acl", "").read(acl).await
    }

    /// Sets who may do what with an object: `acl` is one of S3's own lists (`private`, `public-read` …), `grants` a list of
    /// one's own.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html>
    pub async fn ex_put_object_acl(
        &self,
        obj: &Object,
        acl: Option<String>,
        grants: Option<Acl>,
    ) -> Result<()> {
        let call =
            self.conn.object(Method::PUT, "PutObjectAcl", &obj.container.name, &obj.name)?.query("acl", "");
        let call = match (acl, grants) {
            (Some(acl), None) => call.header("x-amz-acl", acl),
            (None, Some(grants)) => call.body("application/xml", document(&grants)?),
            _ => {
                return Err(
                    Error::invalid_argument("give either `acl` or `grants`").with_resource("argument", "acl")
                );
            }
        };
        call.send().await.map(|_| ())
    }
}

fn document(acl: &Acl) -> Result<String> {
    let mut xml = Writer::document();
    let leaf = |xml: &mut Writer, name: &str, value: &Option<String>| {
        if let Some(value) = value {
            xml.leaf(name, value);
        }
    };
    xml.element_with("AccessControlPolicy", &[("xmlns", super::NAMESPACE)], |xml| {
        xml.element("Owner", |xml| {
            xml.leaf("ID", &acl.owner_id);
            leaf(xml, "DisplayName", &acl.owner_name);
        });
        xml.element("AccessControlList", |xml| {
            for grant in &acl.grants {
                let kind = if grant.uri.is_some() { "Group" } else { "CanonicalUser" };
                xml.element("Grant", |xml| {
                    xml.element_with("Grantee", &[("xmlns:xsi", SCHEMA), ("xsi:type", kind)], |xml| {
                        leaf(xml, "ID", &grant.id);
                        leaf(xml, "DisplayName", &grant.name);
                        leaf(xml, "URI", &grant.uri);
                    });
                    xml.leaf("Permission", &grant.permission);
                });
            }
        });
    });
    xml.finish()
}

fn acl(root: Element<'_, '_>) -> Result<Acl> {
    let grants = root
        .items("AccessControlList", "Grant")
        .map(|item| {
            let grantee = item.need("Grantee")?;
            Ok(Grant {
                permission: item.need_text("Permission")?,
                id: grantee.opt_text("ID"),
                name: grantee.opt_text("DisplayName"),
                uri: grantee.opt_text("URI"),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Acl { owner_id: root.need_text("Owner/ID")?, owner_name: root.opt_text("Owner/DisplayName"), grants })
}
