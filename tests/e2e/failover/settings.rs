//! What `[retries]` says.

use super::attempts::Row;
use super::fault::Fault::{Breaks, Good, Later, Says, Status};
use super::fleet::{CHAINS, Fleet};

const M: &str = "one:m";
const ONE: &str = "one:chain";
const TWO: &str = "two:second";
const THREE: &str = "three:the-third-models-longer-name";

fn with(retries: &str) -> Fleet {
    Fleet::without_breakers("", &format!("{CHAINS}[retries]\nbackoff_ms = 10\n{retries}\n"))
}

#[test]
fn with_a_table_of_retries_every_model_is_retried() {
    with("").tells(&[
        ("once", "one:m", &[(M, Status(500)), (M, Good)]),
        ("for ever", "one:m", &[(M, Status(500)), (M, Status(503))]),
        ("broken", "one:m", &[(M, Breaks), (M, Good)]),
        ("then rejected", "one:m", &[(M, Status(500)), (M, Status(404))]),
        ("rejected", "one:m", &[(M, Status(404))]),
        ("http2", "two:m", &[("two:m", Breaks), ("two:m", Good)]),
        ("chain", "one:pair", &[("one:pair", Breaks), ("one:pair", Status(500)), (TWO, Good)]),
    ]);
}

#[test]
fn attempts_never_exceed_max() {
    let mut steps = vec![(M, Status(500)), (M, Breaks), (M, Status(502)), (M, Status(503))];
    let fleet = with("max = 3");
    fleet.tells(&[("no chain", "one:m", &steps)]);
    steps.pop();
    steps.push((M, Good));
    fleet.tells(&[("the last succeeds", "one:m", &steps)]);
    let all: Vec<_> =
        [ONE, TWO, THREE].iter().flat_map(|target| [(*target, Status(500)); 4]).collect();
    fleet.tells(&[("chain", "one:chain", &all)]);
    let good = [&all[..7], &[(TWO, Good)]].concat();
    fleet.tells(&[("the eighth", "one:chain", &good)]);
}

#[test]
fn with_max_0_no_provider_is_asked_twice() {
    with("max = 0").tells(&[
        ("no chain", "one:m", &[(M, Status(500))]),
        ("no chain, broken", "one:m", &[(M, Breaks)]),
        ("no chain, 429", "one:m", &[(M, Later(429, "1"))]),
        ("chain", "one:chain", &[(ONE, Status(500)), (TWO, Breaks), (THREE, Status(429))]),
        ("short wait", "one:chain", &[(ONE, Later(429, "1")), (TWO, Good)]),
    ]);
}

/// Each kind alone, with failures of the other kinds.
#[test]
fn each_kind_of_failure_can_be_excluded() {
    let long = r#"{"error":{"message":"Too long.","code":"context_length_exceeded"}}"#;
    let server_error: Row<'_> = ("5xx", "one:pair", &[("one:pair", Status(500))]);
    let limited: Row<'_> = ("429", "one:pair", &[("one:pair", Later(429, "1"))]);
    let broken: Row<'_> = ("broken", "one:pair", &[("one:pair", Breaks)]);
    let too_long = [("one:pair", Says(400, long)), (TWO, Good)];
    with("on = [\"timeout\"]").tells(&[
        server_error,
        limited,
        broken,
        ("too long", "one:pair", &too_long),
    ]);
    let after = |fault| [("one:pair", fault), ("one:pair", Good)];
    with("on = [\"5xx\"]").tells(&[limited, broken, ("500", "one:pair", &after(Status(500)))]);
    with("on = [\"connection\"]").tells(&[
        server_error,
        limited,
        ("cut", "one:pair", &after(Breaks)),
    ]);
    with("on = [\"429\"]").tells(&[
        server_error,
        broken,
        ("limited", "one:pair", &[("one:pair", Status(429)), (TWO, Good)]),
    ]);
}
