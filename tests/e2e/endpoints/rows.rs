//! A request of each row reaches its provider, changed as the row says and not otherwise.

use super::{Request, every_way, methods, path, request, rows, setup};
use crate::refusal;
use gaud::request::endpoint::ModelBody;
use gaud::request::endpoint::table::{Meaning, ROWS, Row};

const NAMED: &str = r#"{"n": 1, "model": "away:org/m-1", "x": [{"model": "away:y"}]}"#;
const STRIPPED: &str = r#"{"n": 1, "model": "org/m-1", "x": [{"model": "away:y"}]}"#;

/// Path and body of a row's request for `away:org/m-1`, and what its provider must see of them.
fn named(row: &Row) -> [(String, &'static str); 2] {
    let other = r#"{"n": 1, "model": "home:other", "x": [{"model": "away:y"}]}"#;
    let (sent, seen) = (path(row, "away:org/m-1"), path(row, "org/m-1"));
    match row.meaning {
        Meaning::Body(_) => {
            [(format!("{sent}?a=b%20c"), NAMED), (format!("{sent}?a=b%20c"), STRIPPED)]
        }
        Meaning::Path => [(format!("{sent}?a=1"), other), (format!("{seen}?a=1"), STRIPPED)],
        Meaning::PathAlone => [(sent, other), (seen, other)],
        Meaning::Query => {
            let query = |model| format!("{}?a=1&model={model}&b", path(row, ""));
            [(query("away%3Aorg%2Fm-1"), other), (query("org%2Fm-1"), other)]
        }
        Meaning::NoModel | Meaning::Local(_) => [(sent.clone(), NAMED), (sent, NAMED)],
    }
}

#[test]
fn a_model_goes_where_its_row_says() {
    for (row, method) in rows() {
        let provider = if row.meaning == Meaning::NoModel { "home" } else { "away" };
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
    let body = r#"{ "input": {"model": "away:x"}, "Model": "away:y" }"#;
    for (row, method) in rows() {
        if matches!(row.meaning, Meaning::Path | Meaning::PathAlone) {
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
fn only_where_a_model_must_stand_in_the_body_there_must_be_one() {
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
            Meaning::Path | Meaning::PathAlone => drop(setup().reaches("away", &case, &bodyless)),
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
fn the_gateways_own_paths_reach_no_provider() {
    let own = ROWS.iter().filter(|row| matches!(row.meaning, Meaning::Local(_)));
    for (row, method) in own.flat_map(|row| methods(row).into_iter().map(move |own| (row, own))) {
        for (client, base) in every_way() {
            let path = format!("{base}{}", path(row, "home:listed"));
            let case = format!("own {method} {path} {client:?}");
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
