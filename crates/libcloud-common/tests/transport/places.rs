//! Where a request goes: redirects, links out of answers, and the user's own endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use http::HeaderMap;
use libcloud_common::auth::Bearer;
use libcloud_common::{
    Authenticate, Config, Connection, Error, ErrorKind, Request, Result, Session, Target, Url,
};
use mockito::{Matcher, Server};

use crate::{clock, config, connect};

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_server() {
    let mut server = Server::new_async().await;
    let old = server
        .mock("GET", "/v2/old")
        .match_query("a=b")
        .with_status(301)
        .with_header("location", &format!("{}/v3//new/../x?c=d%2Fe", server.url()))
        .create_async()
        .await;
    let new = server
        .mock("GET", "/v3//new/../x")
        .match_query(Matcher::Exact("c=d%2Fe".into()))
        .match_header("authorization", "Bearer t")
        .with_body("ok")
        .create_async()
        .await;
    let base = format!("{}/v2", server.url()).parse().unwrap();
    let connection = Connection::builder("example", base, &config(&clock())).auth(Bearer("t".into())).build();
    let answer = connection.get("GetThing", ["old"]).query("a", "b").send().await.unwrap();
    assert_eq!(&answer.body[..], b"ok");
    old.assert_async().await;
    new.assert_async().await;
}

#[tokio::test]
async fn what_was_sent_is_sent_again_or_asked_for() {
    let mut server = Server::new_async().await;
    for (path, status) in [("/moved", 307), ("/other", 303)] {
        server
            .mock("POST", path)
            .match_body("{}")
            .with_status(status)
            .with_header("location", "/new")
            .create_async()
            .await;
    }
    let sent = server.mock("POST", "/new").match_body("{}").with_body("posted").create_async().await;
    let asked = server
        .mock("GET", "/new")
        .match_header("content-type", Matcher::Missing)
        .match_body("")
        .with_body("got")
        .create_async()
        .await;
    let connection = connect(&server.url(), &clock());
    let body = serde_json::json!({});
    let answer = connection.post("CreateThing", ["moved"]).json(&body).send().await.unwrap();
    assert_eq!(&answer.body[..], b"posted");
    let answer = connection.post("CreateThing", ["other"]).json(&body).send().await.unwrap();
    assert_eq!(&answer.body[..], b"got");
    sent.assert_async().await;
    asked.assert_async().await;
}

#[tokio::test]
async fn a_redirect_does_not_lead_away_or_in_circles() {
    let mut server = Server::new_async().await;
    let away = server
        .mock("GET", "/away")
        .with_status(302)
        .with_header("location", "https://evil.example/x?token=canary")
        .create_async()
        .await;
    let connection = connect(&server.url(), &clock());
    let error = connection.get("GetThing", ["away"]).send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "example GetThing: not followed to https://evil.example/x?•••, another server: answered 302 Found"
    );
    away.assert_async().await;

    let circle = server
        .mock("GET", "/circle")
        .with_status(302)
        .with_header("location", "/circle")
        .expect(6)
        .create_async()
        .await;
    let error = connection.get("GetThing", ["circle"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(error.to_string().contains("redirected more than 5 times"), "{error}");
    circle.assert_async().await;

    // A creation is not turned into a look.
    let created = server
        .mock("POST", "/thing")
        .with_status(302)
        .with_header("location", "/circle")
        .create_async()
        .await;
    let error = connection.post("CreateThing", ["thing"]).send().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 302);
    created.assert_async().await;
}

#[tokio::test]
async fn a_link_is_followed_on_the_same_server_and_nowhere_else() {
    let mut server = Server::new_async().await;
    let page = server
        .mock("GET", "/v2/images")
        .match_query("marker=a%2Fb")
        .with_body("ok")
        .expect(3)
        .create_async()
        .await;
    let base: Url = format!("{}/v2", server.url()).parse().unwrap();
    let connection = Connection::builder("example", base.clone(), &config(&clock())).build();
    let whole = format!("{}/v2/images?marker=a%2Fb", server.url());
    for link in [&*whole, "/v2/images?marker=a%2Fb"] {
        connection.follow("ListImages", link).empty().await.unwrap();
    }
    let foreign = "https://evil.example/v2/images?marker=a%2Fb";
    let error = connection.follow("ListImages", foreign).empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(
        error.to_string().contains("leads to https://evil.example/v2/images?•••, another server"),
        "{error}"
    );

    // A server behind an endpoint of the user's does not know under which name it is reached.
    let config = config(&clock()).endpoint(base.clone());
    let connection =
        Connection::builder("example", config.base_url("https://api.example/v2").unwrap(), &config).build();
    connection.follow("ListImages", foreign).empty().await.unwrap();
    page.assert_async().await;
}

#[test]
fn every_host_goes_to_the_endpoint() {
    let url = |text: &str| text.parse::<Url>().unwrap();
    let config = Config::anonymous().endpoint(url("http://127.0.0.1:5000"));
    assert_eq!(
        config.relocate(&url("https://nova.example:8774/v2.1/p?x=1")),
        url("http://127.0.0.1:5000/v2.1/p?x=1")
    );
    assert_eq!(config.auth_base("https://auth.example/v3").unwrap(), url("http://127.0.0.1:5000/v3"));
    let mut apart = config.clone();
    apart.auth_url = Some(url("https://keystone.example/v3"));
    assert_eq!(apart.auth_base("https://auth.example/v3").unwrap(), url("https://keystone.example/v3"));
    let plain = Config::anonymous();
    assert_eq!(plain.relocate(&url("https://nova.example/x")), url("https://nova.example/x"));
}

/// A login that gives a token, and tells where the service is.
struct Login {
    session: Session<(String, Url)>,
    service: Url,
    logins: AtomicU32,
}

impl Login {
    async fn current(&self) -> Result<Arc<(String, Url)>> {
        let login = || async {
            // Others come while this one is on its way.
            tokio::task::yield_now().await;
            let number = self.logins.fetch_add(1, Ordering::SeqCst);
            Ok(((format!("token-{number}"), self.service.clone()), None))
        };
        self.session.get(login).await
    }
}

#[async_trait]
impl Authenticate for Login {
    async fn authenticate(&self, request: &mut Request, _: Target<'_>) -> Result<()> {
        request.set_header("x-auth-token", &self.current().await?.0, true);
        Ok(())
    }

    async fn locate(&self) -> Result<Option<Url>> {
        Ok(Some(self.current().await?.1.clone()))
    }

    async fn rejected(&self, refused: &HeaderMap, _: &Error) -> Result<bool> {
        let token = refused.get("x-auth-token").and_then(|value| value.to_str().ok());
        self.session.forget_if(|known| token == Some(&known.0)).await;
        Ok(true)
    }
}

#[tokio::test]
async fn a_token_that_expires_under_two_hundred_calls_costs_one_login() {
    let mut server = Server::new_async().await;
    // Which token is accepted changes in the middle of the calls.
    let seen = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&seen);
    let status = move |request: &mockito::Request| {
        let is_old = request.header("x-auth-token")[0] == "token-0";
        if is_old && count.fetch_add(1, Ordering::SeqCst) >= 50 { 401 } else { 200 }
    };
    server.mock("GET", "/compute/servers").with_status_code_from_request(status).create_async().await;
    let clock = clock();
    let login = Arc::new(Login {
        session: Session::new(Arc::new(clock.clone()), std::time::Duration::from_secs(60)),
        service: format!("{}/compute", server.url()).parse().unwrap(),
        logins: AtomicU32::new(0),
    });
    let nowhere = "http://127.0.0.1:1".parse().unwrap();
    let connection =
        Connection::builder("example", nowhere, &config(&clock)).auth(Arc::clone(&login)).build();
    let calls = (0..200).map(|_| connection.get("ListServers", ["servers"]).empty());
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(login.logins.load(Ordering::SeqCst), 2, "the first login, and one more");
    assert!(seen.load(Ordering::SeqCst) > 50);
}
