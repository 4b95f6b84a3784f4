//! Discovery over time, in a store.

use super::*;
use crate::config::File;
use crate::gateway::Gateway;
use crate::host::memory::Memory;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW_MS: u64 = 1_000_000;

fn provider() -> Provider {
    let json = br#"{"discover_interval_secs":60,"providers":{"p":
        {"url":"http://a","models":["m1","p:m9"],"discover_models":true}}}"#;
    let gateway = Gateway::compile(&File::from_json(json).unwrap(), &|_| None).unwrap();
    gateway.providers()[0].clone()
}

fn list(ids: &[&str]) -> Vec<u8> {
    let data: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    format!(r#"{{"data":[{}]}}"#, data.join(",")).into_bytes()
}

struct World {
    store: Memory,
    provider: Provider,
}

impl World {
    fn new() -> Self {
        Self { store: Memory::default(), provider: provider() }
    }

    fn discovery(&self) -> &Discovery {
        self.provider.discovery.as_ref().unwrap()
    }

    fn claim(&self, now_ms: u64) -> bool {
        claim(&self.store, self.discovery(), now_ms)
    }

    fn report(&self, now_ms: u64, answer: Result<&[u8], Fault>) -> (bool, ListChange) {
        report(&self.store, &self.provider, self.discovery(), now_ms, answer)
    }

    fn ids(&self) -> Vec<String> {
        listed(&self.store, &self.provider).into_iter().map(|model| model.id).collect()
    }
}

#[test]
fn one_worker_asks_at_a_time() {
    let world = World::new();
    assert!(world.claim(NOW_MS));
    assert!(!world.claim(NOW_MS));
    assert!(!world.claim(NOW_MS + RETRY_MS - 1));
    // The asker died.
    assert!(world.claim(NOW_MS + RETRY_MS));
    world.report(NOW_MS + RETRY_MS, Ok(&list(&["a"])));
    assert!(!world.claim(NOW_MS + RETRY_MS + 59_999));
    assert!(world.claim(NOW_MS + RETRY_MS + 60_000));
}

#[test]
fn a_clock_that_was_set_back_delays_nothing() {
    let world = World::new();
    assert!(world.claim(NOW_MS));
    world.report(NOW_MS, Ok(&list(&["a"])));
    assert!(world.claim(NOW_MS - 500_000));
}

#[test]
fn the_last_good_list_stays_and_ages() {
    let world = World::new();
    let peek = || peek(&world.store, world.discovery());
    assert_eq!((peek().age_secs(NOW_MS), peek().models(&world.provider)), (None, 2));
    let change = world.report(NOW_MS, Ok(&list(&["m1", "m2"])));
    assert_eq!(change, (true, ListChange::Listed { models: 2, left_out: 0 }));
    assert_eq!((peek().age_secs(NOW_MS + 9999), peek().models(&world.provider)), (Some(9), 3));
    let change = world.report(NOW_MS, Err(Fault::Status(500)));
    assert_eq!(change, (false, ListChange::Failed(Fault::Status(500))));
    assert_eq!(world.ids(), ["m1", "m2"]);
    assert_eq!(peek().age_secs(NOW_MS + 70_000), Some(70));
    world.report(NOW_MS + 80_000, Ok(&list(&[])));
    assert_eq!((world.ids().len(), peek().models(&world.provider)), (0, 2));
}

#[test]
fn the_log_is_told_of_changes_only() {
    let world = World::new();
    let listed = (true, ListChange::Listed { models: 1, left_out: 0 });
    assert_eq!(world.report(NOW_MS, Ok(&list(&["a"]))), listed);
    assert_eq!(world.report(NOW_MS, Ok(&list(&["a"]))), (true, ListChange::None));
    assert_eq!(world.report(NOW_MS, Ok(&list(&["b"]))), listed);
    for fault in [Fault::NoAnswer, Fault::Status(500), Fault::Status(401), Fault::TooLong] {
        let change = world.report(NOW_MS, Err(fault.clone()));
        assert_eq!(change, (false, ListChange::Failed(fault.clone())));
        assert_eq!(world.report(NOW_MS, Err(fault)), (false, ListChange::None));
    }
    let (passed, change) = world.report(NOW_MS, Ok(b"<html>"));
    assert!(!passed && matches!(change, ListChange::Failed(Fault::Malformed(_))), "{change:?}");
    assert_eq!(world.report(NOW_MS, Ok(&list(&["b"]))), listed);
}

#[test]
fn a_refresh_makes_a_provider_due_but_not_at_once() {
    let world = World::new();
    assert!(world.claim(NOW_MS));
    world.report(NOW_MS, Ok(&list(&["a"])));
    refresh(&world.store, world.discovery());
    assert!(!world.claim(NOW_MS + REFRESH_MS - 1));
    assert!(world.claim(NOW_MS + REFRESH_MS));
}

#[test]
fn a_fault_says_what_to_check() {
    for (fault, expected) in [
        (Fault::NoAnswer, "gave no answer; check its url, and that it runs"),
        (Fault::Status(401), "answered 401; check its api_key and auth"),
        (Fault::Status(404), "answered 404; check its url, or set discover_models = false"),
        (
            Fault::Status(500),
            "answered 500; check its url and api_key (LiteLLM answers a missing key by 400 or 500)",
        ),
        (Fault::Status(503), "answered 503, or Envoy did for it; check its url, and that it runs"),
        (Fault::TooLong, "answered with more than 4194304 bytes"),
    ] {
        assert_eq!(fault.to_string(), expected);
    }
}

#[test]
fn a_record_of_another_version_counts_as_never_asked() {
    for bytes in [&b""[..], b"\x02", &[0xff; 64], &[VERSION, 0, 1]] {
        assert_eq!(DiscoveryState::from_bytes(Some(bytes)), DiscoveryState::default());
    }
    let state = DiscoveryState { due_ms: 1, asked_ms: 2, listed_ms: u64::MAX, models: 7, fault: 3 };
    assert_eq!(DiscoveryState::from_bytes(Some(&state.to_bytes())), state);
}
