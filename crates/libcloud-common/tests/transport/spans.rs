//! What `tracing` is told of a call.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use libcloud_common::Connection;
use mockito::Server;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::{Event, Id, Metadata, Subscriber, span};

use crate::{clock, config};

/// Writes spans and events down, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("libcloud_common")
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        self.0.lock().unwrap().push(line.0);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0.trim_start().to_owned());
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_call_is_a_span_and_each_attempt_an_event() {
    let mut server = Server::new_async().await;
    let _busy = server
        .mock("GET", "/x?secret=canary")
        .with_status(503)
        .with_header("retry-after", "7")
        .create_async()
        .await;
    let transport = libcloud_common::TransportConfig::new().retries(1);
    let url = server.url().parse().unwrap();
    let connection = Connection::builder("example", url, &config(&clock()).transport(transport))
        .service("compute")
        .build();
    let lines = Lines::default();
    let call = connection.get("ListThings", ["x"]).query("secret", "canary").send();
    call.with_subscriber(lines.clone()).await.unwrap_err();
    let lines = lines.0.lock().unwrap();
    assert_eq!(lines[0], r#"call provider="example" service="compute" operation=ListThings"#);
    assert_eq!(lines[1], "message=answered attempt=1 status=503 latency=0ns");
    assert!(lines[2].starts_with("message=again attempt=1 wait=7s error="), "{lines:?}");
    assert_eq!(lines[3], "message=answered attempt=2 status=503 latency=0ns");
    assert!(!lines.concat().contains("canary"), "{lines:?}");
}
