//! What a provider gets from all clients together.

use super::{answer, code};
use crate::kit::client::h1::{self, Connection};
use crate::kit::client::{Request, Response};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Gate, Provider};

/// Two providers without keys or meters; the first has these limits.
fn start(limits: &str) -> (Run, Provider, Provider) {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n[providers.one]\nurl = \"{}/v1\"\nauth = \"none\"\n{limits}\n\
         [providers.two]\nurl = \"{}/v1\"\nauth = \"none\"\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n\
         [[models]]\nname = \"group\"\ndeployments = [{{ target = \"one:a\" }}, {{ target = \"two:b\" }}]\n",
        one.url(),
        two.url(),
    );
    (Run::start(&toml), one, two)
}

fn chat(model: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{model}"}}"#)).case(model)
}

fn ask(run: &Run, model: &str) -> Response {
    h1::exchange(run.addr(), &chat(model))
}

#[test]
fn a_provider_gets_as_many_requests_a_minute_as_it_may() {
    let (run, one, two) = start("rpm = 2");
    let statuses = [0; 4].map(|_| ask(&run, "m").status);
    assert_eq!(statuses, [200, 200, 429, 429]);
    let refused = ask(&run, "m");
    assert_eq!(code(&refused), "rate_limit_exceeded");
    let wait_secs: u64 =
        refused.headers.get("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=30).contains(&wait_secs), "{wait_secs}");
    assert_eq!(one.seen("m").len(), 2);
    // In a chain the next provider is asked.
    let answer = ask(&run, "chain");
    assert_eq!(answer.headers.get("x-gaud-provider").as_deref(), Some("two"), "{}", answer.text());
    assert_eq!((one.seen("chain").len(), two.seen("chain").len()), (0, 1));
}

#[test]
fn a_provider_has_as_many_requests_at_once_as_it_may() {
    let (run, one, two) = start("max_parallel_requests = 1");
    for model in ["m", "chain"] {
        let gate = Gate::closed();
        one.script(model, answer(1, 1).held_by(&gate));
        let mut first = Connection::open(run.addr());
        first.send_request(&chat(model));
        one.wait(model);
        assert_eq!(ask(&run, "n").status, 429);
        let other = ask(&run, "chain");
        assert_eq!(other.headers.get("x-gaud-provider").as_deref(), Some("two"));
        gate.open();
        assert_eq!(first.response().status, 200);
        wait::until_true("a place", || ask(&run, "n").status == 200);
    }
    assert_eq!(two.seen("chain").len(), 2);
}

#[test]
fn a_place_at_a_provider_is_given_back_however_a_request_ends() {
    let (run, one, _two) = start("max_parallel_requests = 1\nbreaker = { enabled = false }");
    let has_place = || wait::until_true("a place", || ask(&run, "n").status == 200);
    for model in ["left", "chain"] {
        // The client leaves.
        let gate = Gate::closed();
        one.script(model, answer(1, 1).held_by(&gate));
        let mut leaving = Connection::open(run.addr());
        leaving.send_request(&chat(model));
        one.wait(model);
        assert_eq!(ask(&run, "n").status, 429);
        drop(leaving);
        has_place();
    }
    // The provider breaks before its answer, and within.
    one.script("broken", Answer::broken());
    assert!(ask(&run, "broken").status >= 500);
    has_place();
    let (events, mut pump) = Answer::events();
    one.script("cut", events);
    let mut connection = Connection::open(run.addr());
    connection.send_request(&chat("cut"));
    pump.send("data: {}\n\n").expect("room");
    assert_eq!(connection.try_head().expect("a head").status, 200);
    assert_eq!(ask(&run, "n").status, 429);
    pump.fail();
    has_place();
}

#[test]
fn a_group_passes_over_a_deployment_at_its_limit() {
    let (run, one, two) = start("rpm = 1");
    assert_eq!(ask(&run, "m").status, 200);
    assert_eq!(ask(&run, "m").status, 429);
    // Each order of the two deployments comes up.
    for _ in 0..12 {
        let answer = ask(&run, "group");
        let provider = answer.header("x-gaud-provider");
        assert_eq!((answer.status, provider.as_deref()), (200, Some("two")), "{}", answer.text());
    }
    assert_eq!((one.seen("group").len(), two.seen("group").len()), (0, 12));
}
