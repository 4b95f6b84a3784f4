//! Which models have a chain.

use super::fault::Fault::{Good, Status};
use super::fleet::Fleet;

const TWO: &str = "two:second";

#[test]
fn a_chain_is_found_by_what_the_client_asks() {
    let failing = |target| [(target, Status(500)), (target, Status(500)), (TWO, Good)];
    let alias = [("one:aliased", Status(500)), ("one:aliased", Status(500)), ("three:t", Good)];
    Fleet::shared().tells(&[
        ("name", "one:pair", &failing("one:pair")),
        ("glob", "one:glob-", &failing("one:glob-")),
        ("longer glob", "one:glob-a-b", &failing("one:glob-a-b")),
        ("alias", "quick", &alias),
        ("its route once", "twice", &failing("one:twice")),
    ]);
}

#[test]
fn other_models_have_no_chain() {
    Fleet::shared().tells(&[
        ("other", "one:other", &[("one:other", Status(500))]),
        ("no glob", "one:glob", &[("one:glob", Status(500))]),
        ("target of an alias", "one:aliased", &[("one:aliased", Status(500))]),
        ("a fallback asked directly", "two:second", &[(TWO, Status(429))]),
        ("without a namespace", "pair", &[("one:pair", Status(503))]),
    ]);
}

#[test]
fn a_model_spelled_with_escapes_has_its_chain() {
    let fleet = Fleet::shared();
    let case = "escapes";
    let steps = [("one:pair", Status(500)), ("one:pair", Status(500)), (TWO, Good)];
    let _pumps = fleet.script(case, &steps, false);
    let body = r#"{"mod\u0065l":"\u006fne:p\u0061ir","a":[]}"#;
    let request = crate::kit::client::Request::chat(body).case(case);
    let response = crate::kit::client::h1::exchange(fleet.gateway.addr(), &request);
    assert_eq!(response.status, 200, "{}", response.text());
    let seen = fleet.attempts(case);
    let bodies: Vec<String> = seen.iter().map(|(_, seen)| seen.text()).collect();
    let expected = |model: &str| format!(r#"{{"mod\u0065l":"{model}","a":[]}}"#);
    assert_eq!(bodies, [expected("pair"), expected("pair"), expected("second")]);
    fleet.gateway.assert_no_trap();
}
