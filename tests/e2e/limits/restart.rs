//! A budget knows what was spent before a restart, and counts on while the control server is away.

use super::{Setup, always, budget};
use crate::kit::upstream::Provider;
use rustix::process::Signal;

const COST: u64 = 200_000;

#[test]
fn a_gateway_that_was_killed_knows_what_was_spent() {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let setup = Setup::start_in(folder.clone(), Provider::start(), Provider::start());
    setup.run.keep();
    always(&setup.one, "priced", COST);
    let (key, _) = setup.key(&budget(5 * COST));
    for _ in 0..3 {
        assert_eq!(setup.ask(&key, "priced").status, 200);
    }
    setup.run.signal(Signal::KILL);
    let Setup { run, one, two } = setup;
    drop(run);
    let setup = Setup::start_in(folder.clone(), one, two);
    assert_eq!(setup.served(&key, "priced", 10), 2);
    std::fs::remove_file(folder.join("keep")).expect("a file");
}

#[test]
fn budgets_count_on_while_the_control_server_is_away() {
    let setup = Setup::start();
    always(&setup.one, "priced", COST);
    let (key, id) = setup.key(&budget(4 * COST));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    setup.run.signal(Signal::STOP);
    let served = setup.served(&key, "priced", 10);
    setup.run.signal(Signal::CONT);
    assert_eq!(served, 3);
    // A change brings what the ledger knows, and forgets nothing.
    let more = serde_json::json!({"budget": {"usd": 0.001, "window": "total"}});
    setup.admin("PATCH", &format!("/admin/keys/{id}"), &more, 200);
    assert_eq!(setup.served(&key, "priced", 10), 1);
}
