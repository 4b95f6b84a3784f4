//! A change of a key reaches all workers, within a second.

use super::{Made, Setup, code};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The time that a change has.
const LIMIT: Duration = Duration::from_secs(1);

/// Makes a key, which the filter has with the answer.
#[track_caller]
fn make_at_once(setup: &Setup, fields: &Value) -> Made {
    let answer = setup.ask_admin("POST", "/admin/keys", fields, 201);
    assert_eq!(answer["applied"], true, "{answer}\n{}", setup.run.log());
    Made::of(&answer)
}

#[test]
fn a_key_is_good_and_revoked_on_all_workers_with_the_answer() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    for round in 0..5 {
        let start = Instant::now();
        let made = make_at_once(&setup, &json!({"name": "any"}));
        let took = start.elapsed();
        assert_eq!(setup.statuses(&made.key), [200], "round {round}");
        let start = Instant::now();
        let gone = setup.ask_admin("DELETE", &format!("/admin/keys/{}", made.id), &json!({}), 200);
        println!("made in {took:?}, revoked in {:?}", start.elapsed());
        assert_eq!((&gone["applied"], &gone["state"]), (&json!(true), &json!("revoked")));
        assert_eq!(setup.statuses(&made.key), [401], "round {round}");
        assert!(start.elapsed() < LIMIT * 3, "{:?}", start.elapsed());
    }
}

#[test]
fn every_change_counts_with_its_answer() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    setup.ask_admin("POST", "/admin/users", &json!({"id": "ann", "name": "Ann"}), 201);
    let made = make_at_once(&setup, &json!({"user": "ann", "models": ["gpt-4o"]}));
    let path = format!("/admin/keys/{}", made.id);
    let change = |fields| setup.ask_admin("PATCH", &path, &fields, 200);
    assert_eq!(setup.statuses(&made.key), [403]);
    assert_eq!(change(json!({"models": []}))["applied"], true);
    assert_eq!(setup.statuses(&made.key), [200]);
    change(json!({"expires_secs": 5}));
    assert_eq!(code(&setup.ask(&made.key, "own:m")), "expired_key");
    change(json!({"expires_secs": null}));
    assert_eq!(setup.statuses(&made.key), [200]);
    for (action, status) in [("block", 401), ("unblock", 200)] {
        let answer = setup.ask_admin("POST", &format!("{path}/{action}"), &json!({}), 200);
        assert_eq!(answer["applied"], true, "{answer}");
        assert_eq!(setup.statuses(&made.key), [status]);
    }
    for (blocked, status) in [(true, 401), (false, 200)] {
        setup.ask_admin("PATCH", "/admin/users/ann", &json!({"blocked": blocked}), 200);
        assert_eq!(setup.statuses(&made.key), [status]);
    }
    setup.ask_admin("DELETE", "/admin/users/ann", &json!({}), 200);
    assert_eq!(setup.statuses(&made.key), [401]);
    setup.ask_admin("PATCH", &path, &json!({"blocked": false}), 404);
}

#[test]
fn a_reload_of_the_filter_loses_no_key_and_no_change() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let (kept, gone) = (setup.make_any(), setup.make_any());
    for round in 0..3 {
        setup.change("", &format!("[aliases]\na{round} = \"own:m\"\n"));
        assert_eq!(setup.statuses(&kept.key), [200]);
        let made = make_at_once(&setup, &json!({"name": "any"}));
        assert_eq!(setup.statuses(&made.key), [200]);
        let start = Instant::now();
        let path = format!("/admin/keys/{}", made.id);
        assert_eq!(setup.ask_admin("DELETE", &path, &json!({}), 200)["applied"], true);
        assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
        assert_eq!(setup.statuses(&made.key), [401]);
    }
    setup.ask_admin("DELETE", &format!("/admin/keys/{}", gone.id), &json!({}), 200);
    assert_eq!((setup.statuses(&kept.key), setup.statuses(&gone.key)), (vec![200], vec![401]));
}

/// The first question of a start comes before the gateway says that it is ready.
#[test]
fn a_start_knows_the_keys_of_before() {
    let mut setup = Setup::start("", "");
    let (kept, gone) = (setup.make_any(), setup.make_any());
    setup.ask_admin("DELETE", &format!("/admin/keys/{}", gone.id), &json!({}), 200);
    let folder = setup.run.folder().to_owned();
    setup.run.keep();
    setup.run.signal(rustix::process::Signal::TERM);
    assert!(setup.run.ended());
    setup.run = crate::kit::harness::Run::start_in(folder, &[]);
    assert_eq!((setup.statuses(&kept.key), setup.statuses(&gone.key)), (vec![200], vec![401]));
}
