//! Providers that do not answer in time are left for the next at once.

use super::fault::Fault::{Begins, Good, Silent, Status};
use super::fleet::{CHAINS, Fleet};
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
fn without_a_byte_in_first_token_secs_the_next_target_is_asked() {
    let fleet = Fleet::without_breakers("first_token_secs = 1\n", CHAINS);
    fleet.tells(&[
        ("first", "one:chain", &[(ONE, Begins), (TWO, Good)]),
        ("after an error", "one:chain", &[(ONE, Status(500)), (ONE, Begins), (TWO, Good)]),
        ("two", "one:chain", &[(ONE, Begins), (TWO, Begins), (THREE, Good)]),
        ("all", "one:chain", &[(ONE, Begins), (TWO, Begins), (THREE, Begins)]),
        ("no chain", "one:m", &[("one:m", Begins)]),
    ]);
}

/// With a table for retries, but without another target. The second deadline passes long after the first.
#[test]
fn a_silent_provider_is_not_asked_again() {
    let fleet =
        Fleet::without_breakers("timeout_secs = 1\nfirst_token_secs = 3\n", "[retries]\nmax = 3\n");
    fleet.tells(&[
        ("silent", "one:m", &[("one:m", Silent)]),
        ("begins", "one:m", &[("one:m", Begins)]),
    ]);
}

#[test]
fn timeouts_can_be_excluded() {
    let tables = format!("{CHAINS}[retries]\non = [\"5xx\", \"429\", \"connection\"]\n");
    let fleet = Fleet::without_breakers("timeout_secs = 1\n", &tables);
    fleet.tells(&[("silent", "one:chain", &[(ONE, Silent)])]);
}
