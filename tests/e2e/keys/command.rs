//! `gaud key`, beside the running gateway and without it.

use super::Setup;
use std::time::{Duration, Instant};

fn gaud(setup: &Setup, arguments: &[&str]) -> Result<String, String> {
    setup.run.command(arguments)
}

/// Waits until a key gets this status on all workers, which takes a second at most.
#[track_caller]
fn assert_soon(setup: &Setup, key: &str, status: u16) {
    let start = Instant::now();
    while setup.statuses(key) != [status] {
        assert!(start.elapsed() < Duration::from_secs(1), "{status}: {}", setup.run.log());
    }
}

#[test]
fn keys_are_made_changed_and_revoked_beside_the_running_gateway() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let new =
        ["key", "new", "--name", "laptop", "--user", "ann", "--model", "own:*", "--expires", "30d"];
    let key = gaud(&setup, &new).expect("a key");
    let id = &key["sk-prx-".len()..][..12];
    assert_soon(&setup, &key, 200);
    let list = gaud(&setup, &["key", "list", "--user", "ann"]).expect("a list");
    assert!(list.contains(id) && list.contains("valid") && list.contains("own:*"), "{list}");
    assert!(!list.contains(&key));
    let shown = gaud(&setup, &["key", "show", id]).expect("a key");
    assert!(shown.contains("\"name\": \"laptop\"") && !shown.contains(&key), "{shown}");
    gaud(&setup, &["key", "update", id, "--model", "gpt-4o"]).expect("a change");
    assert_soon(&setup, &key, 403);
    gaud(&setup, &["key", "update", id, "--model", "*", "--expires", "never"]).expect("a change");
    assert_soon(&setup, &key, 200);
    gaud(&setup, &["key", "block", id]).expect("a change");
    assert_soon(&setup, &key, 401);
    gaud(&setup, &["key", "unblock", id]).expect("a change");
    assert_soon(&setup, &key, 200);
    gaud(&setup, &["key", "revoke", id]).expect("a change");
    assert_soon(&setup, &key, 401);
    for (arguments, said) in [
        (&["key", "revoke", id][..], "there is no key"),
        (&["key", "show", "nothing"], "there is no key"),
        (&["key", "new", "--expires", "soon"], "is not a length of time"),
        (&["key", "new", "--user", "a b"], "a user's id has"),
    ] {
        let problem = gaud(&setup, arguments).expect_err("a refusal");
        assert!(problem.contains(said), "{problem}");
    }
    setup.assert_nowhere(&key);
}

#[test]
fn users_are_made_changed_and_deleted_beside_the_running_gateway() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let new = ["user", "new", "ann", "--name", "Ann", "--email", "ann@example.com"];
    gaud(&setup, &new).expect("a user");
    let key = gaud(&setup, &["key", "new", "--user", "ann"]).expect("a key");
    assert_soon(&setup, &key, 200);
    let list = gaud(&setup, &["user", "list"]).expect("a list");
    assert!(list.contains("ann") && list.contains("valid") && list.contains("0.00"), "{list}");
    gaud(&setup, &["user", "set", "ann", "--name", "Anna", "--email", "none"]).expect("a change");
    let shown = gaud(&setup, &["user", "show", "ann"]).expect("a user");
    assert!(shown.contains("\"name\": \"Anna\"") && shown.contains("\"email\": null"), "{shown}");
    gaud(&setup, &["user", "block", "ann"]).expect("a change");
    assert_soon(&setup, &key, 401);
    gaud(&setup, &["user", "unblock", "ann"]).expect("a change");
    assert_soon(&setup, &key, 200);
    gaud(&setup, &["user", "delete", "ann"]).expect("a change");
    assert_soon(&setup, &key, 401);
    for (arguments, said) in [
        (&["user", "show", "ann"][..], "there is no user ann; `gaud user list` lists the users"),
        (&["user", "set", "ann", "--name", "x"], "there is no user ann"),
        (&["user", "delete", "ann"], "there is no user ann"),
        (&["user", "new", "a b"], "a user's id has"),
        (&["user", "new", "bob", "--rpm", "5"], "set usage.meter = \"all\""),
        (&["user", "new", "bob", "--rpm", "many"], "write a whole number, or none"),
    ] {
        let problem = gaud(&setup, arguments).expect_err("a refusal");
        assert!(problem.contains(said), "{problem}");
    }
    for (text, said) in [
        ("gpt-4o", "write a model, dollars and a window, as gpt-4o=5/day"),
        ("gpt-4o=five", "write dollars and a window"),
        ("gpt-4o=5/day", "set usage.meter"),
    ] {
        let problem = gaud(&setup, &["key", "new", "--model-budget", text]).expect_err("a refusal");
        assert!(problem.contains(said), "{problem}");
    }
    gaud(&setup, &["user", "new", "bob"]).expect("a user");
    let problem = gaud(&setup, &["user", "new", "bob"]).expect_err("a refusal");
    assert!(problem.contains("there is a user bob already"), "{problem}");
}
