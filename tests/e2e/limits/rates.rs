//! Requests a minute, tokens a minute, requests at the same time.

use super::{Setup, answer, chat, code};
use crate::kit::client::h1::{self, Connection};
use crate::kit::harness::wait;
use crate::kit::upstream::{Answer, Gate};
use serde_json::{Value, json};
use std::thread;
use std::time::Instant;

#[test]
fn requests_are_counted_by_all_workers_to_the_buckets_arithmetic() {
    let setup = Setup::start();
    let rpm = 30;
    let (key, _) = setup.key(&json!({"rpm": rpm}));
    let (addr, request) = (setup.run.addr(), chat(&key, "priced"));
    let start = Instant::now();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let each = || (0..12).map(|_| h1::exchange(addr, &request).status).collect::<Vec<_>>();
        let clients: Vec<_> = (0..6).map(|_| scope.spawn(each)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    // A request comes back each two seconds.
    let gained = start.elapsed().as_secs() / 2 + 1;
    let served = statuses.iter().filter(|status| **status == 200).count() as u64;
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert!((rpm..=rpm + gained).contains(&served), "{served} of {rpm}, {gained} gained");
    assert_eq!(setup.one.seen("priced").len() as u64, served);
}

#[test]
fn a_refusal_says_when_the_next_request_fits() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"rpm": 6}));
    for left in ["5", "4", "3"] {
        let answer = setup.ask(&key, "priced");
        assert_eq!(answer.headers.get("x-ratelimit-remaining-requests").as_deref(), Some(left));
        assert_eq!(answer.headers.get("x-ratelimit-limit-requests").as_deref(), Some("6"));
    }
    let refused =
        wait::until("a refusal", || Some(setup.ask(&key, "priced")).filter(|a| a.status == 429));
    assert_eq!(code(&refused), "rate_limit_exceeded");
    let wait_secs: u64 =
        refused.headers.get("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=10).contains(&wait_secs), "{wait_secs}");
    assert_eq!(refused.headers.get("x-ratelimit-remaining-requests").as_deref(), Some("0"));
    assert_eq!(refused.headers.get("x-should-retry"), None);
}

#[test]
fn tokens_are_taken_as_they_were_used() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"tpm": 6_000}));
    for model in ["priced", "chain"] {
        setup.one.script(model, answer(2_000, 500));
    }
    let remaining = |model| {
        let answer = setup.ask(&key, model);
        let text = answer.headers.get("x-ratelimit-remaining-tokens").unwrap_or_default();
        (answer.status, text.parse::<u64>().unwrap_or_default())
    };
    let (status, first) = remaining("priced");
    assert!(status == 200 && (5_900..6_000).contains(&first), "the estimate: {first}");
    // A hundred come back each second.
    let (status, second) = remaining("chain");
    assert!(status == 200 && (3_400..5_000).contains(&second), "2500 were used: {second}");
    let (_, third) = remaining("other");
    assert!((900..3_000).contains(&third), "and 2500 over the hop: {third}");
}

#[test]
fn places_are_given_back_however_a_request_ends() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"max_parallel_requests": 1}));
    for model in ["priced", "chain"] {
        let gate = Gate::closed();
        setup.one.script(model, answer(1, 1).held_by(&gate));
        let mut first = Connection::open(setup.run.addr());
        first.send_request(&chat(&key, model));
        setup.one.wait(model);
        let refused = setup.ask(&key, "second");
        assert_eq!((refused.status, code(&refused)), (429, "rate_limit_exceeded".to_owned()));
        gate.open();
        assert_eq!(first.response().status, 200);
        assert_eq!(setup.ask(&key, "second").status, 200, "a place is free");
        // The client leaves.
        let model = &format!("{model}-left");
        let gate = Gate::closed();
        setup.one.script(model, answer(1, 1).held_by(&gate));
        let mut leaving = Connection::open(setup.run.addr());
        leaving.send_request(&chat(&key, model));
        setup.one.wait(model);
        assert_eq!(setup.ask(&key, "second").status, 429);
        drop(leaving);
        wait::until_true("the place", || setup.ask(&key, "second").status == 200);
        // The provider leaves.
        setup.one.script("broken", Answer::broken());
        setup.ask(&key, "broken");
        assert_eq!(setup.ask(&key, "second").status, 200);
    }
}

/// A user with a limit, and two keys of the user: the first with a limit of the key's own, the second without.
fn user_with_two_keys(setup: &Setup, limit: &Value, of_key: &Value) -> [String; 2] {
    let mut user = limit.clone();
    user["id"] = json!("ann");
    setup.admin("POST", "/admin/users", &user, 201);
    [of_key.clone(), json!({})].map(|mut fields| {
        fields["user"] = json!("ann");
        setup.key(&fields).0
    })
}

#[track_caller]
fn assert_refused(setup: &Setup, key: &str, says: &str) {
    let refused = setup.ask(key, "priced");
    let message = refused.json()["error"]["message"].to_string();
    assert_eq!((refused.status, code(&refused).as_str()), (429, "rate_limit_exceeded"));
    assert!(message.contains(says), "{message}");
}

#[test]
fn requests_a_minute_of_a_user_are_those_of_all_keys_of_the_user() {
    let setup = Setup::start();
    let [limited, free] = user_with_two_keys(&setup, &json!({"rpm": 2}), &json!({"rpm": 1}));
    let answer = setup.ask(&limited, "priced");
    // Of the two limits the limit with less left is told.
    let left = answer.header("x-ratelimit-remaining-requests");
    assert_eq!((answer.status, left.as_deref()), (200, Some("0")));
    assert_refused(&setup, &limited, "This API key may make 1 requests a minute");
    // What the key has refused is not taken of the user's.
    let answer = setup.ask(&free, "priced");
    let limit = answer.header("x-ratelimit-limit-requests");
    assert_eq!((answer.status, limit.as_deref()), (200, Some("2")));
    assert_refused(&setup, &free, "The user of this API key may make 2 requests a minute");
}

#[test]
fn tokens_a_minute_of_a_user_are_those_of_all_keys_of_the_user() {
    let setup = Setup::start();
    let limits = [json!({"tpm": 1_000}), json!({"tpm": 100_000})];
    let [limited, free] = user_with_two_keys(&setup, &limits[0], &limits[1]);
    setup.one.script("priced", answer(4_000, 1_000));
    assert_eq!(setup.ask(&limited, "priced").status, 200);
    for key in [&limited, &free] {
        assert_refused(&setup, key, "The user of this API key may use 1000 tokens a minute");
    }
}

#[test]
fn requests_at_once_of_a_user_are_those_of_all_keys_of_the_user() {
    let setup = Setup::start();
    let limits = [json!({"max_parallel_requests": 2}), json!({"max_parallel_requests": 1})];
    let [limited, free] = user_with_two_keys(&setup, &limits[0], &limits[1]);
    let gate = Gate::closed();
    let hold = |key: &str, model: &str| {
        setup.one.script(model, answer(1, 1).held_by(&gate));
        let mut connection = Connection::open(setup.run.addr());
        connection.send_request(&chat(key, model));
        setup.one.wait(model);
        connection
    };
    let mut held = vec![hold(&limited, "one")];
    assert_refused(&setup, &limited, "This API key may have 1 requests under way at once");
    held.push(hold(&free, "two"));
    for key in [&limited, &free] {
        let refused = setup.ask(key, "priced");
        assert_eq!((refused.status, code(&refused).as_str()), (429, "rate_limit_exceeded"));
    }
    assert_refused(&setup, &free, "The user of this API key may have 2 requests under way at once");
    gate.open();
    assert!(held.iter_mut().all(|connection| connection.response().status == 200));
    for key in [&limited, &free] {
        wait::until_true("a place", || setup.ask(key, "priced").status == 200);
    }
}
