//! Several deployments of one model: who gets a request, and what becomes of it when its deployment fails.

use super::attempts::chat;
use super::fleet::Fleet;
use crate::kit::client::{Request, Response, h1};
use crate::kit::upstream::raw::Closed;
use crate::kit::upstream::{Answer, Gate};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

const GROUPS: &str = r#"
[[models]]
name = "shared"
deployments = [{ target = "one:a", weight = 3 }, { target = "two:b", weight = 1 }]
[[models]]
name = "sticky"
deployments = [{ target = "one:a" }, { target = "two:b" }, { target = "three:c" }]
sticky = "key"
[[models]]
name = "busy"
deployments = [{ target = "one:a" }, { target = "two:b" }]
strategy = "least_busy"
[[models]]
name = "fast"
deployments = [{ target = "one:a" }, { target = "two:b" }]
strategy = "latency"
[aliases]
other-name = "shared"
[[fallbacks]]
model = "one:frail"
to = ["shared"]
[[fallbacks]]
model = "shared"
to = ["three:last"]
"#;

fn ask(fleet: &Fleet, model: &str, case: &str) -> Response {
    let request = Request::chat(chat(model, false)).case(case);
    h1::exchange(fleet.gateway.addr(), &request)
}

/// How many of these requests each provider has got.
fn spread(fleet: &Fleet, model: &str, count: usize) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for number in 0..count {
        let response = ask(fleet, model, &format!("{model} {number}"));
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.headers.all("x-gaud-attempts"), ["1"]);
        *seen.entry(response.header("x-gaud-provider").expect("a provider")).or_default() += 1;
    }
    seen
}

#[test]
fn deployments_get_requests_by_their_weights() {
    let fleet = Fleet::without_breakers("", GROUPS);
    // Before anything is measured: a deployment that has answered late once is not asked for a minute.
    let seen = spread(&fleet, "fast", 60);
    assert_eq!(seen.len(), 2, "fast: {seen:?}");
    let seen = spread(&fleet, "shared", 300);
    // The standard deviation is 7.5.
    assert!(seen["one"].abs_diff(225) < 45 && seen["two"] > 0, "{seen:?}");
    let sent =
        fleet.server("two").seen("shared 0").len() + fleet.server("one").seen("shared 0").len();
    assert_eq!(sent, 1);
    let by_alias = spread(&fleet, "other-name", 40);
    assert_eq!(by_alias.len(), 2, "{by_alias:?}");
    let seen = spread(&fleet, "busy", 60);
    assert_eq!(seen.len(), 2, "busy: {seen:?}");
    fleet.gateway.assert_no_trap();
}

#[test]
fn each_deployment_gets_its_own_model_and_key() {
    let fleet = Fleet::without_breakers("", GROUPS);
    let (mut models, mut number) = (BTreeMap::new(), 0);
    while models.len() < 2 {
        let case = format!("model {number}");
        number += 1;
        assert!(number < 200, "one deployment gets all: {models:?}");
        assert_eq!(ask(&fleet, "shared", &case).status, 200);
        let (member, seen) = fleet.attempts(&case).remove(0);
        let key = seen.header("authorization").or_else(|| seen.header("x-api-key"));
        models.insert(member.name, (seen.text().contains(r#""model":"a""#), key));
    }
    assert_eq!(models["one"], (true, Some("Bearer sk-one".to_owned())));
    assert_eq!(models["two"], (false, Some("sk-two".to_owned())));
}

#[test]
fn a_failed_deployment_is_left_out_for_the_rest_of_the_request() {
    let fleet = Fleet::without_breakers("", GROUPS);
    for number in 0..10 {
        let case = format!("fails {number}");
        for name in ["one", "two"] {
            fleet.server(name).script(&case, Answer::new(500, "text/plain", "failed"));
        }
        let response = ask(&fleet, "shared", &case);
        assert_eq!(response.status, 200, "{}", response.text());
        let asked = fleet.asked(&case);
        // Of the deployments the last alone is tried again.
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert!(asked[0] != asked[1] && asked[1] == asked[2], "{asked:?}");
    }
}

#[test]
fn each_deployment_has_its_own_deadline() {
    let tables = "[[models]]\nname = \"late\"\ndeployments = [{ target = \"one:a\", weight = 1000000 }, { target = \"two:b\" }]\n\
                  [retries]\nmax = 0\n";
    let fleet = Fleet::start_each(["timeout_secs = 1\n", "timeout_secs = 60\n", ""], tables);
    // The first would answer after its own deadline, and the second does so within its own.
    let [first, second] = [(); 2].map(|()| Gate::closed());
    fleet.server("one").script("late", Answer::completion().held_by(&first));
    fleet.server("two").script("late", Answer::completion().held_by(&second));
    let start = Instant::now();
    let client = thread::scope(|scope| {
        let client = scope.spawn(|| ask(&fleet, "late", "late"));
        fleet.server("two").wait("late");
        assert!(start.elapsed() >= Duration::from_secs(1));
        second.open();
        client.join().expect("an answer")
    });
    assert_eq!((client.status, fleet.asked("late")), (200, vec!["one", "two"]));
    first.open();
}

#[test]
fn a_chain_may_name_a_group() {
    let fleet = Fleet::without_breakers("", GROUPS);
    for number in 0..6 {
        let case = format!("chain {number}");
        for _ in 0..2 {
            fleet.server("one").script(&case, Answer::new(500, "text/plain", "failed"));
        }
        let response = ask(&fleet, "one:frail", &case);
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(fleet.asked(&case)[..2], ["one", "one"]);
    }
}

#[test]
fn a_client_stays_on_its_deployment() {
    let fleet = Fleet::without_breakers("", GROUPS);
    let served = |key: &str| {
        let request = Request::chat(chat("sticky", false)).header("authorization", key);
        let response = h1::exchange(fleet.gateway.addr(), &request);
        response.header("x-gaud-provider").expect("a provider")
    };
    let mut all = BTreeMap::new();
    for number in 0..30 {
        let key = format!("Bearer sk-client-{number}");
        let first = served(&key);
        assert_eq!((served(&key), served(&key)), (first.clone(), first.clone()));
        *all.entry(first).or_insert(0) += 1;
    }
    assert_eq!(all.len(), 3, "{all:?}");
}

#[test]
fn an_open_deployment_gets_no_requests() {
    let closed = Closed::bind();
    let tables = format!(
        "[providers.frail]\nurl = \"{}\"\nauth = \"none\"\nbreaker = {{ failures = 2, open_secs = 60 }}\n\
         [[models]]\nname = \"half\"\ndeployments = [{{ target = \"frail:m\" }}, {{ target = \"two:m\" }}]\n",
        closed.url()
    );
    let fleet = Fleet::without_breakers("", &tables);
    let attempts: Vec<String> = (0..40)
        .map(|number| {
            let response = ask(&fleet, "half", &format!("half {number}"));
            assert_eq!(response.status, 200, "{}", response.text());
            response.header("x-gaud-attempts").expect("a number")
        })
        .collect();
    assert!(attempts.iter().filter(|own| *own != "1").count() <= 2, "{attempts:?}");
}

#[test]
fn a_path_that_a_provider_does_not_have_goes_to_the_default_provider() {
    let tables = "[aliases]\nclaude = \"three:sonnet\"\n";
    let fleet = Fleet::start_each(["", "", "paths = [\"/v1/messages\"]\n"], tables);
    let served = |path: &str, model: &str, case: &str| {
        let request = Request::post(path, chat(model, false)).case(case);
        let response = h1::exchange(fleet.gateway.addr(), &request);
        assert_eq!(response.status, 200, "{}", response.text());
        let (member, seen) = fleet.attempts(case).remove(0);
        (member.name, seen.text().contains(&format!(r#""model":"{model}""#)))
    };
    assert_eq!(served("/v1/messages", "claude", "direct"), ("three", false));
    assert_eq!(served("/v1/chat/completions", "claude", "default"), ("one", true));
    assert_eq!(served("/v1/chat/completions", "three:x", "named"), ("one", true));
}

#[test]
fn azure_has_the_model_in_the_path() {
    let server = crate::kit::upstream::Provider::start();
    let toml = format!(
        "{}[providers.azure]\nurl = \"{}\"\nauth = \"none\"\napi_path = \"/openai/deployments/{{model}}\"\n\
         api_query = \"api-version=2024-10-21\"\n[aliases]\n\"gpt-4o\" = \"azure:our model\"\n",
        crate::kit::samples::LISTEN,
        server.url()
    );
    let gateway = crate::kit::harness::Gateway::start(&toml, &[]);
    let request = Request::chat(chat("gpt-4o", false)).case("azure");
    assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    let seen = server.seen("azure").remove(0);
    assert_eq!(
        seen.path,
        "/openai/deployments/our%20model/chat/completions?api-version=2024-10-21"
    );
    assert!(seen.text().contains(r#""model":"our model""#));
}

#[test]
fn a_deployment_that_has_had_its_requests_comes_last() {
    let tables = "[[models]]\nname = \"limited\"\n\
                  deployments = [{ target = \"one:a\", weight = 1000, rpm = 5 }, { target = \"two:b\" }]\n";
    let fleet = Fleet::without_breakers("", tables);
    let seen = spread(&fleet, "limited", 40);
    // A request gives its place back after 12 s.
    assert!(seen["one"] >= 5 && seen["one"] < 20, "{seen:?}");
}

#[test]
fn a_deployment_that_has_had_its_tokens_comes_last() {
    let tables = "[usage]\nmeter = \"all\"\n[[models]]\nname = \"limited\"\n\
                  deployments = [{ target = \"one:a\", weight = 1000, tpm = 1 }, { target = \"two:b\" }]\n";
    let fleet = Fleet::without_breakers("", tables);
    let seen = spread(&fleet, "limited", 20);
    assert!(seen["one"] >= 1 && seen["one"] < 4, "{seen:?}");
}
