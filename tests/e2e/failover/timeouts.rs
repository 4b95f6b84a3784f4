//! Providers that do not answer in time are left for the next at once.

use super::attempts::chat;
use super::fault::Fault::{Begins, Good, Silent, Status};
use super::fleet::{CHAINS, Fleet};
use super::pass_through::more_than_a_second;
use crate::kit::client::{CLIENTS, Request};
use crate::kit::upstream::{Answer, Gate};
use std::thread;
use std::time::{Duration, Instant};

const ONE: &str = "one:chain";
const TWO: &str = "two:second";
const THREE: &str = "three:the-third-models-longer-name";

#[test]
fn without_an_answer_in_timeout_secs_the_next_target_is_asked() {
    let fleet = Fleet::without_breakers("timeout_secs = 1\n", CHAINS);
    let start = Instant::now();
    fleet.tells(&[
        ("first", "one:chain", &[(ONE, Silent), (TWO, Good)]),
        ("after an error", "one:chain", &[(ONE, Status(500)), (ONE, Silent), (TWO, Good)]),
        ("two", "one:chain", &[(ONE, Silent), (TWO, Silent), (THREE, Good)]),
        ("all", "one:chain", &[(ONE, Silent), (TWO, Silent), (THREE, Silent)]),
        ("then an error", "one:pair", &[("one:pair", Silent), (TWO, Status(500)), (TWO, Good)]),
        ("no chain", "one:m", &[("one:m", Silent)]),
    ]);
    assert!(start.elapsed() >= Duration::from_secs(3));
}

#[test]
fn a_stream_that_does_not_begin_in_first_token_secs_leaves_for_the_next_target() {
    let fleet = Fleet::without_breakers("first_token_secs = 1\n", CHAINS);
    fleet.tells_of_streams(&[
        ("no head", "one:chain", &[(ONE, Silent), (TWO, Good)]),
        ("a head, then none", "one:chain", &[(ONE, Begins), (TWO, Silent), (THREE, Good)]),
        ("first", "one:chain", &[(ONE, Begins), (TWO, Good)]),
        ("after an error", "one:chain", &[(ONE, Status(500)), (ONE, Begins), (TWO, Good)]),
        ("two", "one:chain", &[(ONE, Begins), (TWO, Begins), (THREE, Good)]),
        ("all", "one:chain", &[(ONE, Begins), (TWO, Begins), (THREE, Begins)]),
        ("no chain", "one:m", &[("one:m", Begins)]),
    ]);
}

/// A response without a stream has `timeout_secs` to begin, and then as long as pieces come.
#[test]
fn the_deadline_for_the_first_token_is_for_streams_alone() {
    let fleet = Fleet::without_breakers("first_token_secs = 1\n", CHAINS);
    for client in CLIENTS {
        for (what, has_head) in [("before the head", false), ("after the head", true)] {
            let case = format!("slow {what} {client:?}");
            let gate = Gate::closed();
            let (piped, mut pump) = Answer::piped("application/json");
            let answer = if has_head { piped } else { Answer::completion().held_by(&gate) };
            fleet.server("one").script(&case, answer);
            let request = Request::chat(chat("one:chain", false)).case(&case);
            let response = thread::scope(|scope| {
                let asked = scope.spawn(|| client.send(&fleet.gateway, &request));
                fleet.server("one").wait(&case);
                more_than_a_second();
                gate.open();
                let _ = pump.send(r#"{"choices":[{"finish_reason":"stop"}]}"#);
                drop(pump);
                asked.join().expect("a response")
            });
            assert_eq!((response.status, response.complete), (200, true), "{case}");
            assert_eq!(fleet.asked(&case), ["one"], "{case}");
        }
    }
    fleet.gateway.assert_no_trap();
}

/// With a table for retries, but without another target. The second deadline passes long after the first.
#[test]
fn a_silent_provider_is_not_asked_again() {
    let fleet =
        Fleet::without_breakers("timeout_secs = 1\nfirst_token_secs = 3\n", "[retries]\nmax = 3\n");
    fleet.tells(&[("silent", "one:m", &[("one:m", Silent)])]);
    fleet.tells_of_streams(&[("begins", "one:m", &[("one:m", Begins)])]);
}

#[test]
fn timeouts_can_be_excluded() {
    let tables = format!("{CHAINS}[retries]\non = [\"5xx\", \"429\", \"connection\"]\n");
    let fleet = Fleet::without_breakers("timeout_secs = 1\n", &tables);
    fleet.tells(&[("silent", "one:chain", &[(ONE, Silent)])]);
}
