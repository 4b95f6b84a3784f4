//! A provider goes down and comes back: its fallback serves meanwhile, and no caller sees an error.

use super::attempts::chat;
use super::fleet::Fleet;
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::wait;
use crate::kit::observe::{health, transitions, wait_for_metric};
use crate::kit::upstream::raw::{Act, Closed, Raw};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// A fleet whose model `frail:m` goes to this address first, with a breaker.
fn with_frail(url: &str) -> Fleet {
    let tables = format!(
        "[providers.frail]\nurl = \"{url}\"\n\
         breaker = {{ failures = 2, open_secs = 1, successes = 2 }}\n\
         [[fallbacks]]\nmodel = \"frail:m\"\nto = [\"two:second\"]\n"
    );
    Fleet::without_breakers("", &tables)
}

fn ask(fleet: &Fleet) -> Response {
    let request = Request::chat(chat("frail:m", false)).case("frail");
    let response = h1::exchange(fleet.gateway.addr(), &request);
    assert_eq!(response.status, 200, "a caller sees an error: {}", response.text());
    response
}

fn answered_by(response: &Response) -> String {
    response.header("x-gaud-provider").expect("a provider")
}

#[test]
fn callers_see_no_error_while_a_provider_is_down() {
    let closed = Closed::bind();
    let fleet = with_frail(&closed.url());
    let first = ask(&fleet);
    assert_eq!(answered_by(&first), "two");
    assert_eq!(first.headers.all("x-gaud-attempts"), ["3"]);
    ask(&fleet); // the second request is the second failure
    let state = || health(&fleet.gateway, "frail")["breaker"].clone();
    assert_ne!(state(), "closed");
    for _ in 0..20 {
        assert_eq!(answered_by(&ask(&fleet)), "two"); // a probe that fails among them
    }
    let back = Raw::start_at(&closed, vec![vec![Act::ReadRequest, Act::Send(OK)]]);
    wait::until_true("its return", || answered_by(&ask(&fleet)) == "frail");
    wait::until_true("the closing", || {
        ask(&fleet);
        state() == "closed"
    });
    for _ in 0..5 {
        let response = ask(&fleet);
        assert_eq!(answered_by(&response), "frail");
        assert_eq!(response.headers.all("x-gaud-attempts"), ["1"]);
    }
    assert!(back.connections() >= 7);
    wait_for_metric(&fleet.gateway, &transitions("frail", "closed"), 1);
    fleet.gateway.assert_no_trap();
}
