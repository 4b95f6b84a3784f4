//! A provider that limits its clients, and what `retry-after` says.

use super::fault::Fault::{Good, Later, Status};
use super::fleet::{CHAINS, Fleet};

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

/// `retry-after` may be a date (RFC 9110, section 10.2.3), and is anything at all from a bad provider.
#[test]
fn an_invalid_retry_after_is_ignored() {
    for (name, value) in [
        ("zero", "0"),
        ("negative", "-1"),
        ("words", "soon"),
        ("date", "Fri, 31 Dec 1999 23:59:59 GMT"),
    ] {
        let steps = [(ONE, Later(429, value)), (TWO, Good)];
        Fleet::shared().tells(&[(name, "one:chain", &steps)]);
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
