//! What a budget reserves for a request.

use super::{OUTPUT_NANOS, Setup, answer, budget, code, config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Gate, Provider};
use serde_json::json;
use std::thread;

/// Of a model whose longest answer nobody knows, this many tokens are reserved.
const MOST_TOKENS: u64 = 128 * 1024;
const CLIENTS: usize = 8;

/// How many of several requests at once reach the provider; the others are refused.
fn under_way(setup: &Setup, key: &str, case: &str) -> usize {
    let body = json!({"model": "priced", "messages": []}).to_string();
    let request = Request::chat(body).case(case);
    let request = request.header("authorization", format!("Bearer {key}"));
    let gate = Gate::closed();
    for _ in 0..CLIENTS {
        setup.one.script(case, answer(0, 10).held_by(&gate));
    }
    let seen = || setup.one.seen(case).len();
    thread::scope(|scope| {
        let ask = || h1::exchange(setup.run.addr(), &request);
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
        wait::until_true("all requests are refused or at the provider", || {
            let refused = clients.iter().filter(|client| client.is_finished()).count();
            refused + seen() == CLIENTS
        });
        let seen = seen();
        gate.open();
        for client in clients {
            let answer = client.join().expect("a client");
            assert!(
                answer.status == 200 || code(&answer) == "insufficient_quota",
                "{}",
                answer.text()
            );
        }
        seen
    })
}

#[test]
fn a_calibrated_estimate_lets_through_what_usually_fits() {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let setup = Setup::start_in(folder.clone(), Provider::start(), Provider::start());
    setup.run.keep();
    let one_and_a_part = budget(MOST_TOKENS * OUTPUT_NANOS * 11 / 10);
    let (key, _) = setup.key(&one_and_a_part);
    // One request that fits, and one that may use the rest.
    assert_eq!(under_way(&setup, &key, "most"), 2);
    let (free, _) = setup.key(&json!({}));
    for _ in 0..20 {
        setup.one.script("priced", answer(0, 10));
        assert_eq!(setup.ask(&free, "priced").status, 200);
    }
    let Setup { run, one, two } = setup;
    drop(run);
    let toml = config(&one, &two, "[limits]\nestimate = \"calibrated\"\n");
    std::fs::write(folder.join("gaud.toml"), toml).expect("a file");
    let setup = Setup { run: Run::start_in(folder.clone(), &[]), one, two };
    let (key, _) = setup.key(&one_and_a_part);
    assert_eq!(under_way(&setup, &key, "calibrated"), CLIENTS);
    std::fs::remove_file(folder.join("keep")).expect("a file");
}
