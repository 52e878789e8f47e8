//! What a driver says that it can do, compared with what it does.

use libcloud_common::{ErrorKind, Support, json};

use crate::breaking::{Breaking, Fault};
use crate::http::Answer;
use crate::subject::{Service, Subject};

/// An extension argument that no driver has.
const UNKNOWN: &str = "ex_nobody_knows_this";

/// Fails unless the driver refuses exactly the methods of the base API that its capabilities do not have, refuses an
/// argument that it does not know in each of the others, and says the same before and after it is made. Gives the methods
/// that it refuses.
///
/// # Panics
/// With every lie, one a line.
pub async fn capabilities<D: Service + ?Sized>(subject: &Subject<D>) -> Vec<&'static str> {
    let server = Breaking::start(Fault::Answer(Answer::new(418)));
    let driver = subject.driver(&server.url());
    let can = driver.capabilities();
    let name = subject.name();
    let mut lies = Vec::new();
    let mut refused_methods = Vec::new();
    if (subject.registration.capabilities)() != can {
        lies.push(format!("{name}: the registration says something else than the driver"));
    }
    let methods = D::base_methods();
    assert!(!methods.is_empty(), "{name}: there is no method to compare");
    for (told, _) in can.methods() {
        if !methods.iter().any(|method| method.name == told) && !D::TYPED_ONLY.contains(&told) {
            lies.push(format!("{name}: there is no method {told}"));
        }
    }
    for method in &methods {
        let mut args = subject.arguments(method);
        let answer = driver.call_by_name(method.name, args.clone()).await;
        let refused = answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotSupported);
        let support = can.of(method.name);
        if refused == (support == Support::Supported) {
            lies.push(format!("{name} {}: said {support:?}, answered {answer:?}", method.name));
        }
        if support != Support::Supported {
            refused_methods.push(method.name);
            continue;
        }
        args[UNKNOWN] = json!(1);
        server.take_received();
        let answer = driver.call_by_name(method.name, args).await;
        let told = answer.as_ref().is_err_and(|error| {
            error.kind() == ErrorKind::InvalidArgument && error.to_string().contains(UNKNOWN)
        });
        if !told {
            lies.push(format!("{name} {}: an unknown argument gave {answer:?}", method.name));
        }
        if let Some(request) = server.received().first() {
            let sent = format!("{} {}", request.method, request.target());
            lies.push(format!("{name} {}: with an unknown argument it sent {sent}", method.name));
        }
    }
    assert!(lies.is_empty(), "{}", lies.join("\n"));
    refused_methods
}
