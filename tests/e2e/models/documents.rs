//! The documents that clients read, whole.

use super::{LISTEN, Site, get};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::provider;
use crate::kit::upstream::raw::Closed;
use serde_json::{Value, json};
use std::sync::OnceLock;

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(start)
}

fn start() -> Site {
    let list = json!({"data": [
        {"id": "org/one", "created": 1_700_000_000, "max_input_tokens": 128_000},
        {"id": "two", "display_name": "Two", "type": "model", "created_at": "2024-01-01T00:00:00Z"},
    ]});
    let site = Site::start(300, 2, list.to_string());
    site.wait_for_models(2);
    site
}

fn anthropic(site: &Site, path: &str) -> Value {
    let request = Request::new("GET", path).header("anthropic-version", "2023-06-01");
    h1::exchange(site.gateway.addr(), &request.case("client")).json()
}

#[test]
fn the_list_has_openais_shape() {
    let site = site();
    let one = json!({"id": "p:org/one", "object": "model", "created": 1_700_000_000,
        "owned_by": "p", "max_input_tokens": 128_000});
    let two = json!({"id": "p:two", "object": "model", "created": 0, "owned_by": "p"});
    for path in ["/v1/models", "/v1/models/", "/models", "/api/litellm/v1/models?limit=1"] {
        let expected = json!({"object": "list", "data": [one, two]});
        assert_eq!(get(&site.gateway, path).json(), expected, "{path}");
    }
    assert_eq!(get(&site.gateway, "/v1/models/p:org/one").json(), one);
    assert_eq!(get(&site.gateway, "/models/p:two").json(), two);
    assert!(site.server.seen("client").is_empty());
    site.gateway.assert_no_trap();
}

#[test]
fn the_list_has_anthropics_shape() {
    let site = site();
    let one = json!({"type": "model", "id": "p:org/one", "display_name": "p:org/one",
        "created_at": "2023-11-14T22:13:20Z"});
    let two = json!({"type": "model", "id": "p:two", "display_name": "Two",
        "created_at": "1970-01-01T00:00:00Z"});
    let expected = json!({"data": [one, two], "has_more": false, "first_id": "p:org/one",
        "last_id": "p:two"});
    assert_eq!(anthropic(site, "/v1/models?limit=1000"), expected);
    assert_eq!(anthropic(site, "/v1/models/p:org%2Fone"), one);
    let request = Request::new("GET", "/v1/models/none").header("anthropic-version", "1");
    let response = h1::exchange(site.gateway.addr(), &request);
    refusal::not_listed("none").assert_anthropic("none", &response);
    site.gateway.assert_no_trap();
}

#[test]
fn the_list_has_the_front_ends_shape() {
    let site = site();
    let expected = json!([
        {"id": "p:org/one", "name": "p:org/one", "provider": "p", "contextWindow": 128_000},
        {"id": "p:two", "name": "Two", "provider": "p", "contextWindow": null},
    ]);
    for path in ["/api/models", "/api/models/", "/api/litellm/api/models"] {
        assert_eq!(get(&site.gateway, path).json(), expected, "{path}");
    }
    site.gateway.assert_no_trap();
}

#[test]
fn without_a_model_the_lists_are_empty() {
    let closed = Closed::bind();
    let gateway =
        Gateway::with_workers(2, &format!("{LISTEN}{}", provider("p", &closed.url(), &[])));
    assert_eq!(get(&gateway, "/v1/models").json(), json!({"object": "list", "data": []}));
    assert_eq!(get(&gateway, "/api/models").json(), json!([]));
    let request = Request::new("GET", "/v1/models").header("anthropic-version", "2023-06-01");
    let expected = json!({"data": [], "has_more": false, "first_id": null, "last_id": null});
    assert_eq!(h1::exchange(gateway.addr(), &request).json(), expected);
    gateway.assert_no_trap();
}
