//! Lists that are long, too long, or never end.

use super::{Site, discoveries, discovering, get, list, logged, long_list, names};
use crate::kit::client::{CLIENTS, Request};
use crate::kit::harness::{Gateway, wait};
use crate::kit::upstream::raw::{Act, Raw};

const MEGABYTE: u64 = 1_000_000;

#[test]
fn a_list_of_10_000_models_is_kept_whole() {
    let site = Site::start(300, 2, long_list(10_000, "model"));
    site.wait_for_models(10_000);
    let names = names(&site.gateway);
    assert_eq!(
        (names.len(), &*names[0], &*names[9999]),
        (10_000, "p:model-00000", "p:model-09999")
    );
    let front_end = get(&site.gateway, "/api/models").json();
    assert_eq!(front_end.as_array().map(Vec::len), Some(10_000));
    assert_eq!(get(&site.gateway, "/v1/models/p:model-09999").status, 200);
    assert_eq!(logged(&site.gateway, "p"), ["gaud: provider p lists 10000 models"]);
    site.gateway.assert_no_trap();
}

#[test]
fn a_list_of_30_000_models_is_cut() {
    let site = Site::start(300, 2, long_list(30_000, "model"));
    site.wait_for_models(10_000);
    assert_eq!(names(&site.gateway).last().map(String::as_str), Some("p:model-09999"));
    let told = "gaud: provider p lists 10000 models, and 20000 more that are left out: they have no \
                usable name, or are too many";
    assert_eq!(logged(&site.gateway, "p"), [told]);
    site.gateway.assert_no_trap();
}

/// Serves other requests over and over, until discovery has failed `times` times; Envoy's most memory.
fn serve_until_failed(gateway: &Gateway, times: u64) -> u64 {
    let mut most = 0;
    wait::until_true("failures", || {
        for client in CLIENTS {
            let response = client.send(gateway, &Request::new("GET", "/v1/models"));
            assert_eq!(response.status, 200, "{}", response.text());
        }
        most = most.max(gateway.memory());
        discoveries(gateway, "failed") >= times
    });
    most
}

#[test]
fn a_list_of_5_mb_is_too_long() {
    let site = Site::start(1, 2, list(&["a"]));
    site.wait_for_models(1);
    let before = site.gateway.memory();
    let pad = " ".repeat(5_000_000);
    site.server.always("", 200, pad);
    let most = serve_until_failed(&site.gateway, 3);
    assert_eq!(names(&site.gateway), ["p:a"]);
    let grown = most.saturating_sub(before);
    println!("lists: 5 MB: Envoy grew by {grown} bytes");
    assert!(grown < 50 * MEGABYTE, "Envoy's memory grew by {grown} bytes");
    site.gateway.assert_no_trap();
}

#[test]
fn a_list_that_never_ends_is_given_up() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const CHUNK: &[u8] = b"20\r\n{\"id\": \"a-model-of-many-more\"},  \r\n";
    let endless =
        Raw::start(vec![Act::ReadHead, Act::Send(HEAD), Act::SendOn(CHUNK.repeat(1000).leak())]);
    let gateway = discovering(1, 2, &endless.url());
    let before = gateway.memory();
    let most = serve_until_failed(&gateway, 3);
    let grown = most.saturating_sub(before);
    println!("lists: an endless one: Envoy grew by {grown} bytes; {:?}", logged(&gateway, "p"));
    assert!(grown < 150 * MEGABYTE, "Envoy's memory grew by {grown} bytes");
    assert!(endless.connections() >= 3);
    assert_eq!(logged(&gateway, "p").len(), 1);
    gateway.assert_no_trap();
}
