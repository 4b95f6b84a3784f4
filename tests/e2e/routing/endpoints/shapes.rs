//! Errors of each row in the shape that its clients read: the gateway's and Envoy's.

use super::{BASES, asking, every_way, path, request, rows, setup, stays_home};
use crate::kit::client::CLIENTS;
use crate::kit::harness::Gateway;
use crate::kit::refusal::{self, Refusal};
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::raw::{Act, Closed, Raw};
use gaud::request::endpoint::table::Meaning;
use std::sync::OnceLock;

/// A gateway without a default provider, whose only provider does not matter.
fn lonely() -> &'static Gateway {
    static LONELY: OnceLock<(Gateway, Closed)> = OnceLock::new();
    let start = || {
        let closed = Closed::bind();
        let toml = format!("{LISTEN}{}", provider("closed", &closed.url(), &[]));
        (Gateway::start(&toml, &[]), closed)
    };
    &LONELY.get_or_init(start).0
}

#[test]
fn an_unknown_model_is_refused_in_the_rows_shape() {
    let gateway = lonely();
    for (row, method) in rows() {
        for (client, base) in every_way() {
            let what = format!("{method} {base}{} {client:?}", row.path);
            let mut request = asking(row, method, "none:m");
            let plain = path(row, "none:m");
            request.path.splice(..0, base.bytes());
            let refusal = match row.meaning {
                Meaning::NoModel => refusal::unknown_url(method, &plain),
                Meaning::Nested => refusal::no_model(),
                _ => refusal::model_not_found("none:m"),
            };
            refusal.assert_shape(row.shape, &what, &client.send(gateway, &request));
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn no_model_and_no_default_provider_is_refused_in_the_rows_shape() {
    let gateway = lonely();
    for (row, method) in rows() {
        let refusal = match row.meaning {
            Meaning::Body(_) | Meaning::Query => refusal::no_model(),
            _ => continue,
        };
        for client in CLIENTS {
            let request = request(method, path(row, ""), "{}");
            refusal.assert_shape(row.shape, row.path, &client.send(gateway, &request));
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn a_namespace_alone_is_refused_in_the_rows_shape() {
    for (row, method) in rows().filter(|(row, _)| !stays_home(row)) {
        for client in CLIENTS {
            let response = client.send(&setup().gateway, &asking(row, method, "away:"));
            refusal::missing_model("away:").assert_shape(row.shape, row.path, &response);
        }
    }
}

/// A gateway whose default provider has this URL.
fn before(url: &str, settings: &[&str]) -> Gateway {
    let table = provider("p", url, settings);
    Gateway::start(&format!("{LISTEN}default_provider = \"p\"\n{table}"), &[])
}

/// Fails unless what Envoy itself answers to every row has the row's shape.
#[track_caller]
fn all_say(gateway: &Gateway, refusal: &Refusal) {
    for (row, method) in rows() {
        for base in BASES {
            let mut request = asking(row, method, "p:m");
            request.path.splice(..0, base.bytes());
            let what = format!("{method} {base}{}", row.path);
            let response = CLIENTS[0].send(gateway, &request);
            refusal.assert_shape(row.shape, &what, &response);
            assert_eq!(response.headers.all("x-gaud-provider"), ["p"], "{what}");
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn an_unreachable_provider_is_told_in_the_rows_shape() {
    let closed = Closed::bind();
    let message = "The provider 'p' cannot be reached: nothing takes connections at its url (connection refused; \
                   Envoy's flag UF).";
    all_say(&before(&closed.url(), &[]), &refusal::provider_unreachable().saying(message));
}

#[test]
fn the_shape_is_the_clients_whatever_the_providers_paths_are() {
    let closed = Closed::bind();
    let message = "The provider 'p' cannot be reached: nothing takes connections at its url (connection refused; \
                   Envoy's flag UF).";
    let gateway = before(&format!("{}/api/paas/v4", closed.url()), &[]);
    all_say(&gateway, &refusal::provider_unreachable().saying(message));
}

#[test]
fn a_bad_response_is_told_in_the_rows_shape() {
    let bad = Raw::start(vec![Act::ReadRequest, Act::Send(b"nonsense\r\n\r\n")]);
    let message = "The provider 'p' sent no valid HTTP response (Envoy's flag UPE).";
    all_say(&before(&bad.url(), &[]), &refusal::bad_provider_response().saying(message));
}

#[test]
fn a_late_response_is_told_in_the_rows_shape() {
    let silent = Raw::start(vec![Act::ReadOn]);
    let gateway = before(&silent.url(), &["timeout_secs = 1"]);
    let (gateway, refusal) = (&gateway, &refusal::provider_timeout("p"));
    std::thread::scope(|scope| {
        for (row, method) in rows() {
            scope.spawn(move || {
                let response = CLIENTS[0].send(gateway, &asking(row, method, "p:m"));
                refusal.assert_shape(row.shape, row.path, &response);
            });
        }
    });
    gateway.assert_no_trap();
}
