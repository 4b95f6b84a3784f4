//! A request whose configuration is replaced, or whose VM goes, is settled once.

use super::{Setup, always, answer, budget, chat, config};
use crate::kit::client::Request;
use crate::kit::client::h1::{self, Connection};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Gate, Provider};
use serde_json::json;
use std::time::{Duration, Instant};

const ROOM: usize = 5;
const COST: u64 = 200_000;

#[test]
fn a_configuration_that_is_replaced_under_a_request_settles_the_request_once() {
    let setup = Setup::start();
    let (key, _) = setup.key(&budget(ROOM as u64 * COST));
    for model in ["priced", "chain"] {
        let gate = Gate::closed();
        setup.one.script(model, answer(COST / super::INPUT_NANOS, 0).held_by(&gate));
        let mut connection = Connection::open(setup.run.addr());
        connection.send_request(&chat(&key, model));
        setup.one.wait(model);
        let alias = format!("[aliases]\nalias-of-{model} = \"one:priced\"\n");
        setup.run.change(&config(&setup.one, &setup.two, &alias));
        gate.open();
        assert_eq!(connection.response().status, 200);
    }
    always(&setup.one, "priced", COST);
    assert_eq!(setup.served(&key, "priced", ROOM + 3), ROOM - 2);
}

/// A lease ends within two minutes.
const LEASES_LIMIT: Duration = Duration::from_secs(150);

/// `gaud run` with the filter that a header takes down.
fn start_trapping() -> Setup {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder").keep();
    let toml = config(&one, &two, "").replace("workers = 2", "workers = 1");
    std::fs::write(folder.join("gaud.toml"), toml).expect("a file");
    let filter = std::env::var("GAUD_TRAP_WASM").expect("GAUD_TRAP_WASM names the filter");
    Setup { run: Run::start_in(folder, &["--wasm", &filter]), one, two }
}

/// The VM of the only worker goes, and another takes its place.
fn trap(setup: &Setup, key: &str) {
    let request = Request::chat("{}").header("x-trap", "now");
    assert_eq!(h1::exchange(setup.run.addr(), &request).status, 503);
    wait::until_true("another VM", || setup.ask(key, "priced").status == 200);
}

#[test]
#[ignore = "two minutes: a lease must end"]
fn a_request_whose_vm_is_gone_counts_as_what_was_reserved_and_gives_its_place_back() {
    let setup = start_trapping();
    always(&setup.one, "priced", 0);
    let (free, _) = setup.key(&json!({}));
    let mut fields = budget(ROOM as u64 * COST);
    fields["max_parallel_requests"] = json!(1);
    let (key, id) = setup.key(&fields);
    let gate = Gate::closed();
    setup.one.script("priced", answer(COST / super::INPUT_NANOS, 0).held_by(&gate));
    let mut connection = Connection::open(setup.run.addr());
    connection.send_request(&chat(&key, "priced"));
    setup.one.wait("priced");
    trap(&setup, &free);
    gate.open();
    drop(connection);
    // The request holds its place until its lease has ended.
    assert_eq!(setup.ask(&key, "priced").status, 429);
    let start = Instant::now();
    let served = || setup.ask(&key, "priced").status == 200;
    wait::until_within(LEASES_LIMIT, "a place", || served().then_some(()));
    assert!(start.elapsed() > Duration::from_secs(30), "{:?}", start.elapsed());
    // What was reserved is spent: a token for each byte, and one token of output.
    let body = json!({"model": "priced", "max_tokens": 1, "messages": []}).to_string();
    let reserved = body.len() as u64 * super::INPUT_NANOS + super::OUTPUT_NANOS;
    always(&setup.one, "priced", reserved);
    let left = budget(3 * reserved);
    setup.change(&format!("/admin/keys/{id}"), &left);
    assert_eq!(setup.served(&key, "priced", 9), 2);
}
