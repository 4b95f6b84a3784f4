//! A VM that traps, which no request can bring about but for a header that a build for tests knows:
//! the shared records survive, active checks go on, and the worker serves again.

use super::LISTEN;
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::upstream::{Answer, Provider};
use std::path::PathBuf;

/// The time from one active check to the next.
const INTERVAL_SECS: u32 = 1;

fn filter() -> PathBuf {
    let path = std::env::var_os("GAUD_TRAP_WASM").map(PathBuf::from);
    path.expect("GAUD_TRAP_WASM names the filter that can trap: `make test-e2e` builds it")
}

fn ask(gateway: &Gateway, name: &str) -> u16 {
    let request = Request::chat(format!(r#"{{"model":"{name}:m"}}"#)).case(name);
    h1::exchange(gateway.addr(), &request).status
}

/// How often a VM came back.
fn reloads(gateway: &Gateway) -> u64 {
    let stats = gateway.admin().stats();
    let came_back =
        |(name, count): (&String, &u64)| name.ends_with("vm_reload_success").then_some(*count);
    stats.iter().filter_map(came_back).sum()
}

/// How many active checks of the good provider have passed.
fn checks(gateway: &Gateway) -> u64 {
    let stats = gateway.admin().stats();
    let passed = |(name, count): (&String, &u64)| {
        name.contains("gaud_checks_total.provider.good.result.passed").then_some(*count)
    };
    stats.iter().find_map(passed).expect("a counter")
}

/// Takes down VMs, each on a new connection, until `count` have come back.
fn trap(gateway: &Gateway, count: u64) {
    let wanted = reloads(gateway) + count;
    wait::until_true("the VMs to come back", || {
        let request = Request::chat("{}").header("x-trap", "now");
        assert_eq!(h1::exchange(gateway.addr(), &request).status, 503);
        ask(gateway, "good");
        reloads(gateway) >= wanted
    });
}

#[test]
fn records_survive_a_trap_and_the_worker_serves_again() {
    let server = Provider::start();
    let table = |name: &str, path: &str| {
        format!(
            "[providers.{name}]\nurl = \"{}\"\nauth = \"none\"\nhealth_path = \"{path}\"\n",
            server.url()
        )
    };
    let toml = format!(
        "{LISTEN}health_interval_secs = {INTERVAL_SECS}\n{}{}",
        table("bad", ""),
        table("good", "/live")
    );
    let yaml = Gateway::render(&toml, &[]).expect("a configuration");
    let line = yaml.lines().find(|line| line.contains("local: { filename:")).expect("the filter");
    let with_trap = format!("code: {{ local: {{ filename: {:?} }} }}", filter());
    let yaml = yaml.replace(line.trim(), &with_trap);
    let gateway = Gateway::from_yaml(&yaml, &[], &["--concurrency", "2"]);

    wait::until_true("the first check", || checks(&gateway) >= 1);
    for _ in 0..3 {
        server.script("bad", Answer::new(500, "text/plain", "scripted"));
        assert_eq!(ask(&gateway, "bad"), 500);
    }
    let before = server.seen("bad").len();
    trap(&gateway, 4);
    // A VM comes back with the first request after 50 ms, whichever worker that is on.
    wait::until_true("all workers to serve", || (0..20).all(|_| ask(&gateway, "good") == 200));
    for _ in 0..20 {
        assert_eq!(ask(&gateway, "bad"), 503, "its breaker is open on every worker");
    }
    assert_eq!(server.seen("bad").len(), before, "the provider is left alone");
    let before = checks(&gateway);
    wait::until_true("further checks", || checks(&gateway) >= before + 2);
}
