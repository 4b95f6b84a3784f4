//! A provider that limits its clients, and what `retry-after` says.

use super::attempts::chat;
use super::fault::Fault::{self, Good, Later, Says, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Request, h1};
use crate::kit::upstream::Answer;
use std::sync::OnceLock;

const ONE: &str = "one:chain";
const TWO: &str = "two:second";

#[test]
fn a_429_without_retry_after_goes_to_the_next() {
    Fleet::shared().tells(&[
        ("once", "one:chain", &[(ONE, Status(429)), (TWO, Good)]),
        ("both", "one:pair", &[("one:pair", Status(429)), (TWO, Status(429)), (TWO, Good)]),
        (
            "for ever",
            "one:pair",
            &[("one:pair", Status(429)), (TWO, Status(429)), (TWO, Status(429))],
        ),
    ]);
}

#[test]
fn a_short_retry_after_is_waited_for() {
    let limited = |status| [(ONE, Later(status, "1")), (ONE, Good)];
    let ever = |status| [(ONE, Later(status, "1")), (ONE, Later(status, "1")), (TWO, Good)];
    Fleet::shared().tells(&[
        ("429 once", "one:chain", &limited(429)),
        ("503 once", "one:chain", &limited(503)),
        ("429 for ever", "one:chain", &ever(429)),
        ("503 for ever", "one:chain", &ever(503)),
        ("two seconds", "one:chain", &[(ONE, Later(429, "2")), (ONE, Good)]),
    ]);
}

#[test]
fn a_long_retry_after_is_not_waited_for() {
    let long = |secs| [(ONE, Later(429, secs)), (TWO, Good)];
    Fleet::shared().tells(&[
        ("429", "one:chain", &long("11")),
        ("429 an hour", "one:chain", &long("3600")),
        ("429 for ages", "one:chain", &long("99999999999999999999999")),
        ("503", "one:chain", &[(ONE, Later(503, "11")), (TWO, Good)]),
    ]);
}

/// `retry-after` may be a date (RFC 9110, section 10.2.3).
#[test]
fn a_date_is_a_time_to_wait() {
    let far = "Wed, 21 Oct 2099 07:28:00 GMT";
    let past = "Fri, 31 Dec 1999 23:59:59 GMT";
    Fleet::shared().tells(&[
        ("429 far", "one:chain", &[(ONE, Later(429, far)), (TWO, Good)]),
        ("503 far", "one:chain", &[(ONE, Later(503, far)), (TWO, Good)]),
        ("503 past", "one:chain", &[(ONE, Later(503, past)), (ONE, Good)]),
    ]);
    once(&[("503 far", Later(503, far)), ("429 far", Later(429, far))]);
}

#[test]
fn a_part_of_a_second_is_waited_for() {
    Fleet::shared().tells(&[
        ("a second and a half", "one:chain", &[(ONE, Later(503, "1.5")), (ONE, Good)]),
        ("less than a second", "one:chain", &[(ONE, Later(429, "0.4")), (ONE, Good)]),
        ("too long", "one:chain", &[(ONE, Later(429, "10.1")), (TWO, Good)]),
    ]);
}

/// Who asks for time in words that the gateway does not know is not asked again.
#[test]
fn an_unreadable_retry_after_is_longer_than_any_wait() {
    for value in ["-1", "soon", "1e1", "Wed, 21 Xxx 2099 07:28:00 GMT"] {
        Fleet::shared().tells(&[
            (value, "one:chain", &[(ONE, Later(503, value)), (TWO, Good)]),
            (value, "one:chain", &[(ONE, Later(429, value)), (TWO, Good)]),
        ]);
        once(&[(value, Later(503, value)), (value, Later(429, value))]);
    }
}

/// Nobody can wait for money.
#[test]
fn a_spent_quota_is_asked_once_and_moves_on() {
    let spent = Says(
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
    );
    Fleet::shared().tells(&[
        ("moves on", "one:chain", &[(ONE, spent), (TWO, Good)]),
        ("the last", "one:pair", &[("one:pair", spent), (TWO, spent)]),
    ]);
    once(&[("no chain", spent)]);
}

#[test]
fn who_says_not_to_retry_is_asked_once_and_moves_on() {
    let fleet = Fleet::shared();
    for status in [429, 500, 503] {
        let case = format!("should not {status}");
        let answer = Answer::new(status, "text/plain", "no").header("x-should-retry", "false");
        fleet.server("one").script(&case, answer);
        let request = Request::chat(chat("one:chain", false)).case(&case);
        assert_eq!(h1::exchange(fleet.gateway.addr(), &request).status, 200, "{case}");
        assert_eq!(fleet.asked(&case), ["one", "two"], "{case}");
    }
}

/// LiteLLM passes on what its provider has said under a name of its own.
#[test]
fn the_other_headers_are_read_too() {
    let fleet = Fleet::shared();
    for (name, value, asked) in [
        ("retry-after-ms", "20000.5", ["one", "two"]),
        ("retry-after-ms", "10.5", ["one", "one"]),
        ("llm_provider-retry-after", "60", ["one", "two"]),
        ("llm_provider-retry-after", "1", ["one", "one"]),
    ] {
        let case = format!("{name} {value}");
        let answer = Answer::new(503, "text/plain", "later").header(name, value);
        fleet.server("one").script(&case, answer);
        let request = Request::chat(chat("one:chain", false)).case(&case);
        assert_eq!(h1::exchange(fleet.gateway.addr(), &request).status, 200, "{case}");
        assert_eq!(fleet.asked(&case), asked, "{case}");
    }
}

/// Fails unless each is the only attempt where every model is tried twice more.
fn once(rows: &[(&str, Fault)]) {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    let fleet = FLEET.get_or_init(|| Fleet::without_breakers("", "[retries]\nmax = 2\n"));
    for (name, fault) in rows {
        fleet.tells(&[(name, "one:m", &[("one:m", *fault)])]);
    }
}

#[test]
fn the_limit_can_be_set() {
    let fleet =
        Fleet::without_breakers("", &format!("{CHAINS}[retries]\nretry_after_max_secs = 1\n"));
    fleet.tells(&[
        ("within", "one:chain", &[(ONE, Later(429, "1")), (ONE, Good)]),
        ("beyond", "one:chain", &[(ONE, Later(429, "2")), (TWO, Good)]),
    ]);
}

#[test]
fn without_another_target_the_same_is_asked_again() {
    let fleet = Fleet::without_breakers("", "[retries]\nmax = 1\n");
    fleet.tells(&[
        ("without", "one:m", &[("one:m", Status(429)), ("one:m", Good)]),
        ("for ever", "one:m", &[("one:m", Status(429)), ("one:m", Status(429))]),
        ("short", "one:m", &[("one:m", Later(429, "1")), ("one:m", Good)]),
    ]);
}
