//! Who may do what with an object.

use libcloud_aws::s3::{Acl, Grant};
use libcloud_common::ErrorKind;

use crate::*;

const ADA: &str = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

fn acl() -> Acl {
    let mut acl = Acl::default();
    acl.owner_id = ADA.into();
    acl.owner_name = Some("ada".to_owned());
    let (mut ada, mut everyone) = (Grant::default(), Grant::default());
    ada.permission = "FULL_CONTROL".into();
    ada.id = Some(ADA.to_owned());
    ada.name = Some("ada".to_owned());
    everyone.permission = "READ".into();
    everyone.uri = Some(EVERYONE.to_owned());
    acl.grants = vec![ada, everyone];
    acl
}

#[tokio::test]
async fn an_acl_is_read() {
    let server = Mock::start();
    expect(&server, "GET", "/photos/cat.jpg?acl=", "GetObjectAcl");
    assert_eq!(driver(&server).ex_get_object_acl(&cat()).await.unwrap(), acl());
    refuse(&server, "GET", "/photos/cat.jpg?acl=", 404, "Error.no-key");
    let error = driver(&server).ex_get_object_acl(&cat()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "object", "cat.jpg");
}

#[tokio::test]
async fn one_of_s3s_own_is_a_header() {
    let server = Mock::start();
    server.expect(
        Exchange::put("/photos/cat.jpg?acl=")
            .header("authorization", signed("", "x-amz-acl;", ""))
            .header("x-amz-acl", "public-read")
            .header("content-length", "0")
            .answers(200),
    );
    driver(&server).ex_put_object_acl(&cat(), Some("public-read".into()), None).await.unwrap();
}

#[tokio::test]
async fn one_of_ones_own_is_a_document() {
    let server = Mock::start();
    let schema = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    server.expect(
        Exchange::put("/photos/cat.jpg?acl=")
            .header("authorization", signed("content-type;", "", ""))
            .no_header("x-amz-acl")
            .body(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Owner><ID>{ADA}</ID><DisplayName>ada</DisplayName></Owner><AccessControlList>\
                 <Grant><Grantee {schema} xsi:type=\"CanonicalUser\"><ID>{ADA}</ID>\
                 <DisplayName>ada</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>\
                 <Grant><Grantee {schema} xsi:type=\"Group\"><URI>{EVERYONE}</URI></Grantee>\
                 <Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
            ))
            .answers(200)
            .times(2),
    );
    driver(&server).ex_put_object_acl(&cat(), None, Some(acl())).await.unwrap();
    let arguments = json!({"obj": "photos/cat.jpg", "grants": serde_json::to_value(acl()).unwrap()});
    dynamic(&server).call("ex_put_object_acl", arguments).await.unwrap();
}

#[tokio::test]
async fn one_of_both_is_needed() {
    let server = Mock::start();
    let driver = driver(&server);
    for (own, grants) in [(None, None), (Some("private".into()), Some(acl()))] {
        let error = driver.ex_put_object_acl(&cat(), own, grants).await.unwrap_err();
        assert_about(&error, ErrorKind::InvalidArgument, "argument", "acl");
    }
    let arguments = json!({"obj": "photos/cat.jpg", "grants": {"owner": "ada"}});
    let error = dynamic(&server).call("ex_put_object_acl", arguments).await.unwrap_err();
    assert!(error.to_string().contains("this is no access control list: unknown field `owner`"), "{error}");
}
