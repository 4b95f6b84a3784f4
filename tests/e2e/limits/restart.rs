//! A budget knows what was spent before a restart, and counts on while the control server is away.

use super::{Setup, always, budget, chat, config};
use crate::kit::client::h1;
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use rustix::process::Signal;
use serde_json::json;

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
    let more = json!({"budget": {"usd": 0.001, "window": "total"}});
    setup.change(&format!("/admin/keys/{id}"), &more);
    assert_eq!(setup.served(&key, "priced", 10), 1);
}

#[test]
fn an_envoy_that_was_killed_alone_knows_what_was_spent() {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let (one, two) = (Provider::start(), Provider::start());
    std::fs::write(folder.join("gaud.toml"), config(&one, &two, "")).expect("a file");
    let setup = Setup { run: Run::start_in(folder, &["--restart"]), one, two };
    always(&setup.one, "priced", COST);
    let mut user = budget(7 * COST);
    user["id"] = json!("ann");
    setup.admin("POST", "/admin/users", &user, 201);
    let mut fields = budget(5 * COST);
    fields["user"] = json!("ann");
    let keys = [setup.key(&fields).0, setup.key(&fields).0];
    for _ in 0..3 {
        assert_eq!(setup.ask(&keys[0], "priced").status, 200);
    }
    let addr = setup.run.kill_envoy();
    let served = |key: &str| {
        let request = chat(key, "priced");
        let ask = || h1::exchange(addr, &request).status;
        std::iter::repeat_with(ask).take(10).take_while(|status| *status == 200).count()
    };
    // Of the key's budget two requests are left, and then two of the user's.
    assert_eq!((served(&keys[0]), served(&keys[1])), (2, 2), "{}", setup.run.log());
}
