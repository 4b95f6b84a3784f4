//! Connections that are refused, or end before an answer.

use super::attempts::{WAYS, Way, assert_no_secrets, chat};
use super::fault::Fault::{Breaks, Good, Silent, Status};
use super::fleet::{Fleet, with_headers};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::wait;
use crate::kit::refusal;
use crate::kit::upstream::Answer;
use crate::kit::upstream::raw::{Act, Closed, Raw};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A fleet with a provider of each of these names and URLs. The models `NAME:chain` go there first,
/// `NAME:again` have another model of the same provider as their fallback.
fn with_bad(providers: &[(&str, String)]) -> Fleet {
    let tables = providers.iter().map(|(name, url)| {
        format!(
            "[providers.{name}]\nurl = \"{url}\"\nbreaker = {{ enabled = false }}\n\
             [[fallbacks]]\nmodel = \"{name}:chain\"\nto = [\"two:second\"]\n\
             [[fallbacks]]\nmodel = \"{name}:again\"\nto = [\"{name}:other\"]\n"
        )
    });
    Fleet::without_breakers("", &tables.collect::<String>())
}

fn ask(fleet: &Fleet, model: &str, way: Way) -> (String, Response) {
    let case = format!("{model} {way:?}");
    let request = with_headers(Request::chat(chat(model, way.streamed)));
    let response = way.client.send(&fleet.gateway, &request.case(&case));
    assert_no_secrets(&case, &response);
    (case, response)
}

/// How many attempts a response tells of.
fn attempts(response: &Response) -> Vec<String> {
    response.headers.all("x-gaud-attempts")
}

#[test]
fn an_ended_connection_is_retried_and_then_the_next_target() {
    let one = "one:chain";
    Fleet::shared().tells(&[
        ("ends once", "one:chain", &[(one, Breaks), (one, Good)]),
        ("ends", "one:chain", &[(one, Breaks), (one, Breaks), ("two:second", Good)]),
        (
            "two end",
            "one:chain",
            &[
                (one, Breaks),
                (one, Status(500)),
                ("two:second", Breaks),
                ("two:second", Breaks),
                ("three:the-third-models-longer-name", Breaks),
                ("three:the-third-models-longer-name", Breaks),
            ],
        ),
    ]);
}

#[test]
fn a_refused_connection_is_retried_and_then_the_next_target() {
    let closed = Closed::bind();
    let fleet = with_bad(&[("bad", closed.url())]);
    for way in WAYS {
        let (case, response) = ask(&fleet, "bad:chain", way);
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(attempts(&response), ["3"], "{case}");
        assert_eq!(response.headers.all("x-gaud-provider"), ["two"], "{case}");
        let seen = fleet.server("two").wait(&case);
        assert_eq!(seen.text(), chat("second", way.streamed), "{case}");
        assert_eq!(fleet.asked(&case), ["two"]);
        let (case, response) = ask(&fleet, "bad:again", way);
        refusal::provider_unreachable().assert_openai(&case, &response);
        assert_eq!(response.headers.all("x-should-retry"), ["false"], "{case}");
        assert_eq!(attempts(&response), ["4"], "{case}");
    }
    fleet.gateway.assert_no_trap();
}

/// Ways to end a connection; each is one attempt.
fn endings() -> Vec<(&'static str, Vec<Act>)> {
    let half = b"HTTP/1.1 200 OK\r\ncontent-";
    vec![
        ("closes", vec![]),
        ("resets", vec![Act::Reset]),
        ("closes-later", vec![Act::ReadRequest]),
        ("resets-later", vec![Act::ReadRequest, Act::Reset]),
        ("half-a-head", vec![Act::ReadRequest, Act::Send(half)]),
    ]
}

/// A server for each of the endings, which does `then` to further connections.
fn servers(then: Option<&[Act]>) -> Vec<(&'static str, Raw)> {
    let lists = |acts| [acts].into_iter().chain(then.map(<[Act]>::to_vec)).collect();
    endings().into_iter().map(|(name, acts)| (name, Raw::start_each(lists(acts)))).collect()
}

fn urls(servers: &[(&'static str, Raw)]) -> Vec<(&'static str, String)> {
    servers.iter().map(|(name, raw)| (*name, raw.url())).collect()
}

#[test]
fn every_way_to_end_a_connection_is_one_attempt() {
    let servers = servers(None);
    let fleet = with_bad(&urls(&servers));
    for (name, raw) in servers {
        let (case, response) = ask(&fleet, &format!("{name}:chain"), WAYS[0]);
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        assert_eq!(response.headers.all("x-gaud-provider"), ["two"], "{name}");
        assert_eq!(fleet.server("two").wait(&case).text(), chat("second", false), "{name}");
        assert_eq!((attempts(&response), raw.connections()), (vec!["3".to_owned()], 2), "{name}");
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_provider_that_takes_the_second_connection_answers() {
    let servers = servers(Some(&[Act::ReadRequest, Act::Send(OK)]));
    let fleet = with_bad(&urls(&servers));
    for (name, raw) in servers {
        let (_, response) = ask(&fleet, &format!("{name}:chain"), WAYS[3]);
        assert_eq!((response.status, response.text()), (200, "{}".to_owned()), "{name}");
        assert_eq!((attempts(&response), raw.connections()), (vec!["2".to_owned()], 2), "{name}");
        assert_eq!(response.headers.all("x-gaud-provider"), [name], "{name}");
    }
    fleet.gateway.assert_no_trap();
}

/// What the documentation advises for models without a chain.
#[test]
fn lost_connections_alone_can_be_retried() {
    let stale = vec![Act::ReadRequest, Act::Send(OK), Act::ReadRequest, Act::Reset];
    let raw = Raw::start(stale);
    let fleet = Fleet::without_breakers(
        "timeout_secs = 1\n",
        &format!(
            "[retries]\nmax = 1\non = [\"connection\"]\n[providers.bad]\nurl = \"{}\"\n\
             breaker = {{ enabled = false }}\n",
            raw.url()
        ),
    );
    for round in 0..3 {
        let (_, response) = ask(&fleet, "bad:m", WAYS[0]);
        assert_eq!((response.status, response.text()), (200, "{}".to_owned()), "{round}");
    }
    wait::until_true("further connections", || raw.connections() >= 2);
    fleet.tells(&[
        ("lost", "one:m", &[("one:m", Breaks), ("one:m", Good)]),
        ("lost twice", "one:m", &[("one:m", Breaks), ("one:m", Breaks)]),
        ("silent", "one:m", &[("one:m", Silent)]),
        ("5xx", "one:m", &[("one:m", Status(503))]),
        ("429", "one:m", &[("one:m", Status(429))]),
    ]);
    for path in ["/v1/batches", "/v1/assistants", "/v1/files"] {
        fleet.server("one").script(path, Answer::broken());
        let request = Request::post(path, chat("one:m", false)).case(path);
        let response = h1::exchange(fleet.gateway.addr(), &request);
        refusal::provider_unreachable().assert_openai(path, &response);
        assert_eq!(fleet.asked(path), ["one"], "{path}");
    }
    fleet.gateway.assert_no_trap();
}

/// A connection that was kept open, and that the provider ends when the next request comes.
#[test]
fn a_stale_connection_is_hidden_from_the_caller() {
    let stale = vec![Act::ReadRequest, Act::Send(OK), Act::ReadRequest, Act::Reset];
    let raw = Raw::start(stale);
    let fleet = with_bad(&[("bad", raw.url())]);
    for round in 0..3 {
        let (_, response) = ask(&fleet, "bad:chain", WAYS[0]);
        assert_eq!((response.status, response.text()), (200, "{}".to_owned()), "{round}");
        assert_eq!(response.headers.all("x-gaud-provider"), ["bad"], "{round}");
    }
    wait::until_true("further connections", || raw.connections() >= 2);
    fleet.gateway.assert_no_trap();
}
