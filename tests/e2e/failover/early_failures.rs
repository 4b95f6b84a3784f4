//! Providers that fail while the request is still on its way: the next one gets all of it.

use crate::kit::client::{Client, Request};
use crate::kit::harness::{Gateway, wait};
use crate::kit::samples::{LISTEN, Place, body, provider};
use crate::kit::upstream::raw::{Act, Raw};
use crate::kit::upstream::{Provider, sha256};
use std::sync::OnceLock;

const ERROR: &[u8] =
    b"HTTP/1.1 500 Error\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno";

/// The gateway, the first providers with what they do to a connection, and the second provider of all.
struct Site {
    gateway: Gateway,
    firsts: Vec<Raw>,
    second: Provider,
}

const NAMES: [&str; 4] = ["error-fixed", "error-chunked", "reset-fixed", "reset-chunked"];

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let error = vec![Act::ReadHead, Act::Send(ERROR), Act::ReadOn];
        let reset = vec![Act::ReadHead, Act::Reset];
        let firsts: Vec<_> =
            [&error, &error, &reset, &reset].map(|acts| Raw::start(acts.clone())).into();
        let second = Provider::start();
        let mut toml = format!("{LISTEN}{}", provider("second", &second.url(), &[KEY]));
        for (name, first) in NAMES.iter().zip(&firsts) {
            toml += &provider(name, &first.url(), &["auth = \"none\""]);
        }
        for name in NAMES {
            toml += &format!("[[fallbacks]]\nmodel = \"{name}:m\"\nto = [\"second:m2\"]\n");
        }
        Site { gateway: Gateway::start(&toml, &[("KEY", "k-57")]), firsts, second }
    })
}

const KEY: &str = "api_key = \"os.environ/KEY\"";

/// Sends half of a request, waits until the first provider has failed, and sends the rest.
fn answered_by_the_second(index: usize, chunked: bool) {
    let (name, first, Site { gateway, second, .. }) = (NAMES[index], &site().firsts[index], site());
    let sent = body(&format!("{name}:m"), Place::First, 180_000);
    let mut request = Request::chat(sent).cut(&[90_000]).case(name);
    request.chunked = chunked;
    let mut exchange = Client::Http1.begin(gateway, &request);
    exchange.send(&request.pieces[0]).expect("an open connection");
    wait::until_true("both attempts on the first provider", || first.connections() == 2);
    exchange.send(&request.pieces[1]).expect("an open connection");
    exchange.end();
    let response = exchange.response();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("3"));
    let seen = second.wait(name);
    let expected = sha256(&body("m2", Place::First, 180_000));
    assert_eq!(seen.sha256, expected, "{} bytes", seen.length);
    gateway.assert_no_trap();
}

#[test]
fn after_an_early_error_the_next_target_gets_the_whole_request() {
    answered_by_the_second(0, false);
    answered_by_the_second(1, true);
}

#[test]
fn after_an_early_reset_the_next_target_gets_the_whole_request() {
    answered_by_the_second(2, false);
    answered_by_the_second(3, true);
}
