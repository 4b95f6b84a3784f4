//! A request of each row reaches its provider, changed as the row says and not otherwise.

use super::{Request, every_way, methods, path, request, rows, setup, stays_home};
use crate::kit::client::CLIENTS;
use crate::kit::client::h1::{self, Connection};
use crate::kit::refusal;
use gaud::request::endpoint::ModelBody;
use gaud::request::endpoint::table::{Meaning, ROWS, Row};

const NAMED: &str = r#"{"n": 1, "model": "away:org/m-1", "x": [{"model": "away:y"}]}"#;
/// Objects that name models which the default provider knows.
const KEPT: &str = r#"{"n": [{"model": "m-1"}, {"model": "models/org/m-2"}], "x": {"model": 1}}"#;
const STRIPPED: &str = r#"{"n": 1, "model": "org/m-1", "x": [{"model": "away:y"}]}"#;

/// Path and body of a row's request for `away:org/m-1`, and what its provider must see of them.
fn named(row: &Row) -> [(String, &'static str); 2] {
    let other = r#"{"n": 1, "model": "home:other", "x": [{"model": "away:y"}]}"#;
    // Bedrock has a model in one segment.
    let model = if row.path.starts_with("/model/") { "org%2Fm-1" } else { "org/m-1" };
    let (sent, seen) = (path(row, "away:org/m-1"), path(row, model));
    match row.meaning {
        Meaning::Body(_) => {
            [(format!("{sent}?a=b%20c"), NAMED), (format!("{sent}?a=b%20c"), STRIPPED)]
        }
        Meaning::Path(_) => [(format!("{sent}?a=1"), other), (format!("{seen}?a=1"), STRIPPED)],
        Meaning::PathAlone => [(sent, other), (seen, other)],
        Meaning::Query | Meaning::QueryOrMessage => {
            let query = |model| format!("{}?a=1&model={model}&b", path(row, ""));
            [(query("away%3Aorg%2Fm-1"), other), (query("org%2Fm-1"), other)]
        }
        Meaning::Nested => [(sent.clone(), KEPT), (sent, KEPT)],
        _ => [(sent.clone(), NAMED), (sent, NAMED)],
    }
}

#[test]
fn a_model_goes_where_its_row_says() {
    for (row, method) in rows() {
        let provider = if stays_home(row) { "home" } else { "away" };
        let [(sent, body), (path, expected)] = named(row);
        let case = format!("named {method} {sent}");
        let path = if provider == "away" { format!("/base{path}") } else { path };
        for seen in setup().reaches(provider, &case, &request(method, &sent, body)) {
            let has_body = !request(method, "", body).pieces.is_empty();
            assert_eq!((&*seen.method, &*seen.path), (method, &*path), "{case}");
            assert_eq!(seen.text(), if has_body { expected } else { "" }, "{case}");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn without_a_model_the_default_provider_gets_all_as_it_is() {
    let body = r#"{ "input": {"model": "away:x", "Model": "away:y"} }"#;
    for (row, method) in rows() {
        if matches!(
            row.meaning,
            Meaning::Path(_) | Meaning::PathAlone | Meaning::QueryOrMessage | Meaning::Nested
        ) {
            continue;
        }
        let path = format!("{}?models=away%3Am", path(row, ""));
        let case = format!("unnamed {method} {path}");
        for seen in setup().reaches("home", &case, &request(method, &path, body)) {
            assert_eq!(seen.path, path);
            assert!(seen.body.is_empty() || seen.text() == body, "{case}: {}", seen.text());
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_body_is_required_only_where_it_must_name_a_model() {
    for (row, method) in rows() {
        let path = path(row, "away:m");
        let case = format!("bodyless {method} {path}");
        let bodyless = Request::new(method, &path);
        match row.meaning {
            Meaning::Body(ModelBody { is_optional: false, .. }) => {
                for (client, base) in every_way() {
                    let request = Request::new(method, format!("{base}{path}")).case(&case);
                    let response = client.send(&setup().gateway, &request);
                    refusal::empty_body().assert_shape(row.shape, &case, &response);
                }
                assert!(setup().home.seen(&case).is_empty(), "{case}");
            }
            Meaning::QueryOrMessage => {}
            Meaning::Path(_) | Meaning::PathAlone => {
                drop(setup().reaches("away", &case, &bodyless))
            }
            _ => drop(setup().reaches("home", &case, &bodyless)),
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_closing_slash_makes_no_difference() {
    for (row, method) in rows().filter(|(row, _)| matches!(row.meaning, Meaning::Body(_))) {
        let path = format!("{}/", path(row, ""));
        let case = format!("slash {method} {path}");
        for seen in setup().reaches("away", &case, &request(method, &path, NAMED)) {
            assert_eq!((&*seen.path, &*seen.text()), (&*format!("/base{path}"), STRIPPED));
        }
    }
}

#[test]
fn the_gateways_paths_reach_no_provider() {
    let local = ROWS.iter().filter(|row| matches!(row.meaning, Meaning::Local(_)));
    for (row, method) in
        local.flat_map(|row| methods(row).into_iter().map(move |method| (row, method)))
    {
        for (client, base) in every_way() {
            let path = format!("{base}{}", path(row, "home:listed"));
            let case = format!("local {method} {path} {client:?}");
            let request = Request::new(method, &path).case(&case);
            let response = client.send(&setup().gateway, &request);
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            assert_eq!(response.header("content-type").as_deref(), Some("application/json"));
            assert_eq!(response.header("x-gaud-provider"), None, "{case}");
            assert!(response.json().is_object() || response.json().is_array(), "{case}");
            let seen = setup().home.seen(&case).len() + setup().away.seen(&case).len();
            assert_eq!(seen, 0, "{case}");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn an_object_that_names_another_providers_model_is_refused() {
    for (row, method) in rows().filter(|(row, _)| row.meaning == Meaning::Nested) {
        for (client, base) in every_way() {
            let sent = format!("{base}{}", path(row, ""));
            let case = format!("object {method} {sent} {client:?}");
            let body = r#"{"requests": [{"params": {"model": "away:m"}}]}"#;
            let response = client.send(&setup().gateway, &request(method, &sent, body).case(&case));
            refusal::unread_model("away:m").assert_shape(row.shape, &case, &response);
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn another_method_of_a_path_with_a_model_is_refused() {
    for (row, method) in rows().filter(|(row, _)| row.meaning.names_model()) {
        if row.method.is_empty() {
            continue;
        }
        for client in CLIENTS {
            let sent = path(row, "away:m");
            let case = format!("PUT for {method} {sent} {client:?}");
            let response = client.send(&setup().gateway, &Request::new("PUT", &sent).case(&case));
            assert_eq!(response.status, 405, "{case}: {}", response.text());
            let allow = response.header("allow").unwrap_or_default();
            assert!(allow.split(", ").any(|allowed| allowed == method), "{case}: {allow}");
            let seen = setup().home.seen(&case).len() + setup().away.seen(&case).len();
            assert_eq!(seen, 0, "{case}");
        }
    }
    setup().gateway.assert_no_trap();
}

/// A client that waited for a body would wait for ever.
#[test]
fn a_head_of_the_gateways_own_lists_has_no_body() {
    for path in ["/v1/models", "/v1/models/home:listed", "/api/models", "/openai/models", "/readyz"]
    {
        let mut connection = Connection::open(setup().gateway.addr());
        connection.send(h1::head(&Request::new("HEAD", path))).expect("a listening gateway");
        assert_eq!(connection.head().status, 200, "{path}");
        connection.send(h1::head(&Request::new("HEAD", path))).expect("an open connection");
        assert_eq!(connection.head().status, 200, "{path} again");
    }
    setup().gateway.assert_no_trap();
}
