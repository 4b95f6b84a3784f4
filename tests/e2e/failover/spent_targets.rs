//! Breakers that open for the next targets of a request that is on its way.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::observe::wait_until_due;
use crate::kit::samples::LISTEN;
use crate::kit::upstream::{Answer, Gate, Provider};
use serde_json::json;
use std::thread;

fn toml(server: &Provider, retries: u32, open_secs: u32) -> String {
    let table = |name: &str| {
        format!("[providers.{name}]\nurl = \"{}\"\napi_key = \"os.environ/KEY\"\n", server.url())
    };
    format!(
        "{LISTEN}[breaker]\nfailures = 1\nmodels = 1\nopen_secs = {open_secs}\n[retries]\nmax = {retries}\n{}{}\
         [[fallbacks]]\nmodel = \"a:m\"\nto = [\"b:m2\"]\n",
        table("a"),
        table("b"),
    )
}

fn ask(gateway: &Gateway, model: &str, case: &str) -> Response {
    h1::exchange(gateway.addr(), &Request::chat(format!(r#"{{"model":"{model}"}}"#)).case(case))
}

fn limited() -> Answer {
    let error = json!({"message": "Slowly.", "type": "requests", "param": null, "code": "slowly"});
    Answer::json(429, &json!({"error": error}))
}

/// Opens the breaker of `b`, and waits until it takes a request again.
fn open(gateway: &Gateway, server: &Provider) {
    server.script("opening", Answer::new(500, "text/plain", "no"));
    assert_eq!(ask(gateway, "b:m2", "opening").status, 500);
    wait_until_due(gateway, "b");
}

#[test]
fn an_answer_is_not_lost_to_a_target_that_takes_no_further_request() {
    let server = Provider::start();
    let gateway = Gateway::start(&toml(&server, 0, 1), &[("KEY", "k-71")]);
    open(&gateway, &server);
    let gate = Gate::closed();
    server.script("probe", Answer::completion().held_by(&gate));
    thread::scope(|scope| {
        let probe = scope.spawn(|| ask(&gateway, "b:m2", "probe"));
        server.wait("probe");
        server.script("other", limited());
        let response = ask(&gateway, "a:m", "other");
        gate.open();
        assert_eq!(probe.join().expect("the probe's end").status, 200);
        assert_eq!(server.seen("other").len(), 1);
        assert_eq!(
            (response.status, response.json()["error"]["code"].clone()),
            (429, "slowly".into())
        );
        assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("1"));
    });
    gateway.assert_no_trap();
}

#[test]
fn breakers_that_open_between_two_attempts_leave_an_error_that_counts_them() {
    let server = Provider::start();
    let gateway = Gateway::start(&toml(&server, 1, 30), &[("KEY", "k-71")]);
    // Both breakers must open within this time, on a machine that does other things too.
    server.script("waiting", limited().header("retry-after", "8"));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&gateway, "a:m", "waiting"));
        server.wait("waiting");
        for model in ["a:other", "b:m2"] {
            server.script("opening", Answer::new(500, "text/plain", "no"));
            assert_eq!(ask(&gateway, model, "opening").status, 500);
        }
        let response = waiting.join().expect("its end");
        assert_eq!(response.status, 503, "{}", response.text());
        assert_eq!(response.json()["error"]["code"], "provider_unavailable");
        assert!(response.header("retry-after").is_some());
        assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("1"));
    });
    gateway.assert_no_trap();
}
