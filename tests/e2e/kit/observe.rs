//! What the gateway says of its providers: in `/health`, and by its metrics.

use super::client::{Request, h1};
use super::harness::{Gateway, wait};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A provider in `/health`.
pub(crate) fn shown(gateway: &Gateway, name: &str) -> Value {
    let response = h1::exchange(gateway.addr(), &Request::new("GET", "/health"));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["providers"][name].clone()
}

/// A provider in `/health`, as a request for its only model meets it.
pub(crate) fn health(gateway: &Gateway, name: &str) -> Value {
    of_model(&shown(gateway, name))
}

/// A provider with the breaker of its first failing model, where the provider's has seen no failure.
pub(crate) fn of_model(provider: &Value) -> Value {
    let mut provider = provider.clone();
    let Some(shown) = provider.as_object_mut() else { return provider };
    let models = shown.remove("failing_models");
    if shown["breaker"] == "closed"
        && shown["consecutive_failures"] == 0
        && let Some(Value::Object(mut model)) = models.map(|models| models[0].clone())
    {
        model.remove("model");
        shown.append(&mut model);
    }
    provider
}

pub(crate) fn breaker_is(gateway: &Gateway, name: &str, state: &str) -> bool {
    health(gateway, name)["breaker"] == state
}

/// Waits until the breaker of a provider would admit the next request.
pub(crate) fn wait_until_due(gateway: &Gateway, name: &str) {
    wait::until_true("the end of the open time", || {
        health(gateway, name).get("retry_after_secs").is_none()
    });
}

/// The counter of a provider's requests with this outcome.
pub(crate) fn requests(name: &str, outcome: &str) -> String {
    format!(r#"gaud_requests_total{{outcome="{outcome}",provider="{name}"}}"#)
}

/// The counter of a provider's probes with this outcome.
pub(crate) fn probes(name: &str, outcome: &str) -> String {
    format!(r#"gaud_probes_total{{outcome="{outcome}",provider="{name}"}}"#)
}

/// The counter of the changes of a provider's breaker and of its models' breakers; see [`metric`].
pub(crate) fn transitions(name: &str, to: &str) -> String {
    format!(r#"gaud_breaker_transitions_total{{provider="{name}",to="{to}"}}"#)
}

/// The counter of a provider's active checks with this result.
pub(crate) fn checks(name: &str, result: &str) -> String {
    format!(r#"gaud_checks_total{{provider="{name}",result="{result}"}}"#)
}

/// A metric. The changes of breakers are those of both levels: the failures of a suite tell which level it means.
pub(crate) fn metric(gateway: &Gateway, name: &str) -> u64 {
    let metrics = gateway.admin().metrics();
    let get = |name: &str| {
        *metrics.get(name).unwrap_or_else(|| panic!("no {name} among {:#?}", metrics.keys()))
    };
    let of_models = name.strip_prefix("gaud_breaker_").filter(|rest| rest.starts_with("trans"));
    get(name) + of_models.map_or(0, |rest| get(&format!("gaud_model_breaker_{rest}")))
}

/// Waits until a metric has come to a value, and fails at once where it is past it.
#[track_caller]
pub(crate) fn wait_for_metric(gateway: &Gateway, name: &str, expected: u64) {
    wait::until_true(name, || {
        let found = metric(gateway, name);
        assert!(found <= expected, "{name} is {found}, not {expected}");
        found == expected
    });
}

/// Waits until a request to a provider has been counted; its outcome.
pub(crate) fn wait_for_outcome(gateway: &Gateway, name: &str) -> &'static str {
    let counted = || {
        let all = ["success", "failure", "neutral"];
        all.into_iter().find(|outcome| metric(gateway, &requests(name, outcome)) > 0)
    };
    wait::until("an outcome", counted)
}

/// Does something and watches Envoy's memory meanwhile: the result, and by how many bytes the memory has grown at most.
pub(crate) fn growth_while<T>(gateway: &Gateway, act: impl FnOnce() -> T) -> (T, usize) {
    let before = gateway.memory();
    let is_over = AtomicBool::new(false);
    let (result, highest) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut highest = 0;
            while !is_over.load(Ordering::Relaxed) {
                highest = highest.max(gateway.memory());
                thread::yield_now();
            }
            highest.max(gateway.memory())
        });
        let end = End(&is_over);
        let result = act();
        drop(end);
        (result, watch.join().expect("a watch"))
    });
    (result, usize::try_from(highest.saturating_sub(before)).expect("a size"))
}

/// Ends the watch, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until the filter has taken a change of a key or of a user. On a busy machine the filter may need more than the second that the
/// answer to the change waits; `ask_again` makes a change of nothing, whose answer says whether the filter has all.
#[track_caller]
pub(crate) fn wait_until_applied(answer: &Value, ask_again: impl Fn() -> Value) {
    if answer["applied"] != true {
        wait::until_true("the filter's taking the change", || ask_again()["applied"] == true);
    }
}
