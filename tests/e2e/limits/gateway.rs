//! What all clients may ask for together, and the status of a budget that is used up.

use super::{Setup, answer, budget, code, config};
use crate::kit::client::h1::{self, Connection};
use crate::kit::client::{Request, Response};
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::upstream::{Answer, Gate, Provider};
use serde_json::json;

/// A gateway with these limits, without keys and meters; the model `chain` goes over the hop.
fn start(limits: &str) -> (Gateway, Provider) {
    let provider = Provider::start();
    let toml = format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n[limits]\n{limits}\n[providers.one]\nurl = \"{}/v1\"\nauth = \"none\"\n\
         breaker = {{ enabled = false }}\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"one:second\"]\n",
        provider.url(),
    );
    (Gateway::with_workers(2, &toml), provider)
}

fn chat(model: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{model}"}}"#)).case(model)
}

fn ask(gateway: &Gateway, model: &str) -> Response {
    h1::exchange(gateway.addr(), &chat(model))
}

#[test]
fn all_clients_together_have_as_many_requests_a_minute_as_the_gateway_lets_through() {
    let (gateway, provider) = start("rpm = 3");
    // What never leaves for a provider does not count.
    assert_eq!(ask(&gateway, "").status, 400);
    assert_eq!(h1::exchange(gateway.addr(), &Request::new("GET", "/v1/models")).status, 200);
    for model in ["m", "chain", "m"] {
        let answer = ask(&gateway, model);
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    }
    let refused = ask(&gateway, "chain");
    assert_eq!((refused.status, code(&refused).as_str()), (429, "rate_limit_exceeded"));
    let message = refused.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(
        message.starts_with("All clients together may make 3 requests a minute; try again in "),
        "{message}"
    );
    let wait_secs: u64 = refused.header("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=20).contains(&wait_secs), "{wait_secs}");
    assert_eq!(provider.all().len(), 3);
}

/// Waits until no request is under way: a client may see the end of an answer before the request's place is given back.
fn quiet(gateway: &Gateway) {
    let is_clients =
        |name: &str| name.ends_with(".downstream_rq_active") && !name.starts_with("http.admin");
    wait::until_true("the end of all requests", || {
        gateway
            .admin()
            .stats()
            .iter()
            .filter(|(name, _)| is_clients(name))
            .all(|(_, own)| *own == 0)
    });
}

/// Sends a request that the provider holds.
fn hold(gateway: &Gateway, provider: &Provider, model: &str) -> (Connection, Gate) {
    quiet(gateway);
    let gate = Gate::closed();
    let before = provider.seen(model).len();
    provider.script(model, answer(1, 1).held_by(&gate));
    let mut connection = Connection::open(gateway.addr());
    connection.send_request(&chat(model));
    wait::until_true("a request that is held", || provider.seen(model).len() > before);
    (connection, gate)
}

#[test]
fn a_place_of_the_gateway_is_given_back_however_a_request_ends() {
    let (gateway, provider) = start("max_parallel_requests = 1");
    let has_place = || wait::until_true("a place", || ask(&gateway, "n").status == 200);
    for model in ["m", "chain"] {
        let (mut first, gate) = hold(&gateway, &provider, model);
        let refused = ask(&gateway, "n");
        let message = refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            message,
            "All clients together may have 1 requests under way at once; try again in 1 s."
        );
        gate.open();
        assert_eq!(first.response().status, 200);
        has_place();
        // The client leaves, and the provider breaks off.
        let (left, _gate) = hold(&gateway, &provider, "left");
        drop(left);
        has_place();
        (0..2).for_each(|_| provider.script("broken", Answer::broken()));
        wait::until_true("a broken answer", || ask(&gateway, "broken").status >= 500);
        has_place();
        // The body is refused after the request has left.
        let twice = Request::chat(format!(r#"{{"model":"{model}","model":"x"}}"#));
        let refused = || h1::exchange(gateway.addr(), &twice).status == 400;
        wait::until_true("a refusal", refused);
        has_place();
    }
    gateway.assert_no_trap();
}

#[test]
fn the_status_of_a_budget_that_is_used_up_is_a_setting() {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = |status: u16| config(&one, &two, &format!("[limits]\nbudget_status = {status}\n"));
    let run = Run::start(&toml(402));
    let setup = Setup { run, one: one.clone(), two: two.clone() };
    let (key, _) = setup.key(&budget(0));
    let refused = setup.ask(&key, "priced");
    assert_eq!((refused.status, code(&refused).as_str()), (402, "insufficient_quota"));
    assert_eq!(refused.header("x-should-retry").as_deref(), Some("false"));
    setup.run.change(&toml(403));
    wait::until_true("the other status", || setup.ask(&key, "priced").status == 403);
    // A rate is another matter.
    let (key, _) = setup.key(&json!({"rpm": 0}));
    assert_eq!(setup.ask(&key, "priced").status, 429);
}
