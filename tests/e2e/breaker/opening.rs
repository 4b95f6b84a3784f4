//! Three failures of any kind open a breaker on every worker; from then on the provider sees
//! nothing, then one request whatever the concurrency, and two successes later all of them.

use super::crowd::{Crowd, Told, at_once};
use super::{LISTEN, provider};
use crate::kit::client::Request;
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::wait_for_metric;
use crate::kit::observe::{breaker_is, health, metric, probes, requests, transitions};
use crate::kit::refusal;
use crate::kit::upstream::Gate;
use crate::kit::upstream::raw::{Act, Closed, Raw};
use std::thread;
use std::time::{Duration, Instant};

const OPEN: Duration = Duration::from_secs(1);

/// How much later than asked for things may happen on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

/// The provider's deadline where the provider fails by not answering: longer than the crowd takes while the probe waits, on a
/// machine that does other things too.
const TIMEOUT_SECS: u64 = 8;

/// The provider's deadline where it fails otherwise: longer than any crowd takes while the probe waits.
const LONG_SECS: u64 = 60;
const CLIENTS: usize = 40;

/// A way to fail.
struct Kind {
    acts: Option<Vec<Act>>,
    /// What the client gets.
    status: u16,
    /// How long a failure takes.
    takes: Duration,
}

fn kind(acts: Vec<Act>, status: u16) -> Kind {
    Kind { acts: Some(acts), status, takes: Duration::ZERO }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// Lets the provider fail three times, lets the probe wait for the gate, and answers from then on.
fn plan(acts: Option<Vec<Act>>, gate: &Gate) -> Vec<Vec<Act>> {
    let probe = vec![Act::ReadRequest, Act::Pass(gate.clone()), Act::Send(OK)];
    let mut lists: Vec<_> = acts.iter().cycle().take(3 * acts.iter().len()).cloned().collect();
    lists.extend([probe, vec![Act::ReadRequest, Act::Send(OK)]]);
    lists
}

/// Half of the requests are for OpenAI's API and half for Anthropic's.
fn ask(number: u64) -> Request {
    let path = if number.is_multiple_of(2) { "/v1/chat/completions" } else { "/v1/messages" };
    Request::post(path, r#"{"model":"p:m"}"#)
}

/// A gateway with one provider, which fails.
struct Failing {
    gateway: Gateway,
    raw: Option<Raw>,
    closed: Closed,
    gate: Gate,
    workers: usize,
}

impl Failing {
    fn start(kind: &Kind, workers: usize) -> Self {
        let (gate, closed) = (Gate::closed(), Closed::bind());
        let raw = kind.acts.clone().map(|acts| Raw::start_each(plan(Some(acts), &gate)));
        let url = raw.as_ref().map_or_else(|| closed.url(), Raw::url);
        let breaker = "failures = 3, open_secs = 1, successes = 2";
        let timeout_secs = if kind.takes.is_zero() { LONG_SECS } else { TIMEOUT_SECS };
        let table = provider("p", &url, breaker, &[&format!("timeout_secs = {timeout_secs}")]);
        let gateway = Gateway::with_workers(workers, &format!("{LISTEN}{table}"));
        Self { gateway, raw, closed, gate, workers }
    }

    /// Three failures at the same time, each on another connection.
    fn fail(&mut self, kind: &Kind) {
        for told in at_once(self.gateway.addr(), 3, ask) {
            assert_eq!(told.status(), Some(kind.status));
        }
        wait::until_true("the opening", || breaker_is(&self.gateway, "p", "open"));
        // One that refused connections takes them from now on.
        self.raw.get_or_insert_with(|| Raw::start_at(&self.closed, plan(None, &self.gate)));
    }

    fn arrivals(&self) -> Vec<Instant> {
        self.raw.as_ref().expect("a started provider").arrivals()
    }

    /// Every worker has had a client.
    fn all_workers_were_asked(&self) {
        let stats = self.gateway.admin().stats();
        let asked = (0..self.workers).filter(|worker| {
            let name = format!(".worker_{worker}.downstream_cx_total");
            stats.iter().any(|(key, count)| {
                key.starts_with("listener.127") && key.ends_with(&name) && *count > 0
            })
        });
        assert_eq!(asked.count(), self.workers, "{stats:#?}");
    }
}

fn opens_and_closes(kind: &Kind, workers: usize) {
    let mut failing = Failing::start(kind, workers);
    let before = Instant::now();
    failing.fail(kind);
    let opened = Instant::now();
    let failures = failing.arrivals().len();
    assert_eq!(failures, 3 * kind.acts.iter().len());
    let crowd = Crowd::start(failing.gateway.addr(), CLIENTS, ask);
    let probe = wait::until("the probe", || failing.arrivals().get(failures).copied());
    let early = Duration::from_millis(5); // the gateway's clock counts whole milliseconds
    assert!(probe + early >= before + kind.takes + OPEN, "{:?}", probe - before);
    assert!(probe <= opened + OPEN + SLACK, "{:?}", probe - opened);
    crowd.load.wait_for_rounds(3, 1);
    assert!(breaker_is(&failing.gateway, "p", "half_open"));
    crowd.load.stop(1);
    assert_eq!(failing.arrivals().len(), failures + 1, "one probe at a time");
    failing.gate.open();
    let refused = only_one_was_let_through(crowd.join());
    failing.all_workers_were_asked();
    closes(&failing, failures + 1);
    count(&failing.gateway, refused);
    failing.gateway.assert_no_trap();
}

/// Fails unless one client had the probe's answer and all others were refused; how many they were.
fn only_one_was_let_through(told: Vec<Told>) -> usize {
    let (good, refused): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|told| told.status() == Some(200));
    assert_eq!(good.len(), 1, "the probe alone gets through");
    for told in &refused {
        let response = told.response.as_ref().expect("an answer");
        let refusal = refusal::provider_unavailable("p", response);
        assert_eq!(response.header("retry-after").as_deref(), Some("1"));
        match told.number.is_multiple_of(2) {
            true => refusal.assert_openai("refused", response),
            false => refusal.assert_anthropic("refused", response),
        }
    }
    refused.len()
}

/// The second success closes the breaker, and every request is admitted.
fn closes(failing: &Failing, arrived: usize) {
    assert!(breaker_is(&failing.gateway, "p", "half_open"), "one success is not enough");
    let addr = failing.gateway.addr();
    for clients in [1, CLIENTS] {
        let told = at_once(addr, clients, ask);
        assert!(told.iter().all(|told| told.status() == Some(200)));
        assert_eq!(health(&failing.gateway, "p")["breaker"], "closed");
    }
    assert_eq!(failing.arrivals().len(), arrived + 1 + CLIENTS);
}

fn count(gateway: &Gateway, refused: usize) {
    let successes = u64::try_from(CLIENTS + 2).expect("a number");
    wait_for_metric(gateway, &requests("p", "success"), successes);
    for (name, expected) in [
        (requests("p", "failure"), 3),
        (requests("p", "neutral"), 0),
        (requests("p", "rejected"), u64::try_from(refused).expect("a number")),
        (probes("p", "success"), 2),
        (probes("p", "failure"), 0),
        (transitions("p", "open"), 1),
        (transitions("p", "half_open"), 1),
        (transitions("p", "closed"), 1),
        ("gaud_store_contended_total{}".to_owned(), 0),
    ] {
        assert_eq!(metric(gateway, &name), expected, "{name}");
    }
}

/// With two workers and with four, at the same time.
fn on_all_workers(kind: &Kind) {
    thread::scope(|scope| {
        scope.spawn(|| opens_and_closes(kind, 2));
        scope.spawn(|| opens_and_closes(kind, 4));
    });
}

#[test]
fn errors_open_the_breaker() {
    const ERROR: &[u8] = b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    on_all_workers(&kind(vec![Act::ReadRequest, Act::Send(ERROR)], 500));
}

#[test]
fn timeouts_open_the_breaker() {
    let silent = kind(vec![Act::ReadRequest, Act::ReadOn], 504);
    on_all_workers(&Kind { takes: Duration::from_secs(TIMEOUT_SECS), ..silent });
}

#[test]
fn resets_open_the_breaker() {
    on_all_workers(&kind(vec![Act::ReadRequest, Act::Reset], 503));
}

#[test]
fn refused_connections_open_the_breaker() {
    on_all_workers(&Kind { acts: None, status: 503, takes: Duration::ZERO });
}

#[test]
fn broken_streams_open_the_breaker() {
    const BROKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
        transfer-encoding: chunked\r\n\r\nd\r\ndata: begin\n\n\r\n";
    on_all_workers(&kind(vec![Act::ReadRequest, Act::Send(BROKEN)], 200));
}
