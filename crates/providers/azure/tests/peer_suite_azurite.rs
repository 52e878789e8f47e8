//! The behaviour suite against Azurite, Microsoft's own emulator, which must be running: `AZURE_BLOB_ENDPOINT`,
//! `AZURE_BLOB_ACCOUNT` and `AZURE_BLOB_KEY` tell where. It verifies signatures and lists of blocks.

use std::env::var;

use libcloud_azure::storage;
use libcloud_common::Config;
use libcloud_testkit::suite::{Expectations, Storage};

#[tokio::test]
async fn blobs() {
    let config = Config::new(var("AZURE_BLOB_ACCOUNT").unwrap(), var("AZURE_BLOB_KEY").unwrap())
        .endpoint(var("AZURE_BLOB_ENDPOINT").unwrap().parse().unwrap())
        .option("page_size", 500);
    let (mut wrong, mut unknown) = (config.clone(), config.clone());
    wrong.secret = Some(var("AZURE_BLOB_OTHER_KEY").unwrap().into());
    unknown.key = Some("nosuchaccount".into());
    let report = Storage::new((storage().factory)(config).unwrap())
        .wrong_credentials((storage().factory)(wrong).unwrap())
        .wrong_credentials((storage().factory)(unknown).unwrap())
        .refuses_names(&["back\\slash"])
        .run(Expectations::new().fails(
            "objects/ranges",
            "from the end of a blob on, nothing is the answer, where Azure refuses the range",
        ))
        .await;
    assert_eq!(report.denied, [""; 0]);
}
