//! Errors that a provider answers with.

use super::attempts::{assert_no_secrets, chat};
use super::fault::Fault::{Good, Later, Says, Status};
use super::fleet::Fleet;
use crate::kit::client::{Request, h1};
use crate::kit::upstream::Answer;

const ONE: &str = "one:chain";
const TWO: &str = "two:second";
const THREE: &str = "three:the-third-models-longer-name";

#[test]
fn a_success_is_not_retried() {
    Fleet::shared().tells(&[
        ("good", "one:chain", &[(ONE, Good)]),
        ("no chain", "one:m", &[("one:m", Good)]),
        ("one model", "one:pair", &[("one:pair", Good)]),
    ]);
}

#[test]
fn a_5xx_is_retried_once_and_then_goes_to_the_next() {
    Fleet::shared().tells(&[
        ("once", "one:chain", &[(ONE, Status(500)), (ONE, Good)]),
        ("500s", "one:chain", &[(ONE, Status(500)), (ONE, Status(500)), (TWO, Good)]),
        ("503s", "one:chain", &[(ONE, Status(503)), (ONE, Status(503)), (TWO, Good)]),
        ("502s", "one:chain", &[(ONE, Status(502)), (ONE, Status(502)), (TWO, Good)]),
        ("504s", "one:chain", &[(ONE, Status(504)), (ONE, Status(504)), (TWO, Good)]),
        ("overloaded", "one:chain", &[(ONE, Status(529)), (ONE, Status(529)), (TWO, Good)]),
        (
            "the second fails once",
            "one:chain",
            &[(ONE, Status(500)), (ONE, Status(502)), (TWO, Status(500)), (TWO, Good)],
        ),
    ]);
}

#[test]
fn where_all_fail_the_last_answer_reaches_the_caller() {
    let first = [(ONE, Status(500)), (ONE, Status(500)), (TWO, Status(502)), (TWO, Status(503))];
    let all = |last: [_; 2]| [&first[..], &last[..]].concat();
    Fleet::shared().tells(&[
        ("500", "one:chain", &all([(THREE, Status(503)), (THREE, Status(500))])),
        ("503", "one:chain", &all([(THREE, Status(500)), (THREE, Status(503))])),
        ("429", "one:chain", &all([(THREE, Status(500)), (THREE, Status(429))])),
        ("good at last", "one:chain", &all([(THREE, Status(500)), (THREE, Good)])),
        ("long", "one:chain", &all([(THREE, Status(500)), (THREE, Later(429, "3600"))])),
    ]);
}

#[test]
fn a_fallback_that_rejects_the_request_has_the_last_word() {
    let failed = [(ONE, Status(500)), (ONE, Status(500))];
    for status in [400, 401, 403, 404, 422] {
        let steps = [&failed[..], &[(TWO, Status(status))]].concat();
        Fleet::shared().tells(&[(&format!("then {status}"), "one:chain", &steps)]);
    }
    let says =
        r#"{"error":{"message":"No.","type":"invalid_request_error","code":"content_filter"}}"#;
    let steps = [&failed[..], &[(TWO, Says(400, says))]].concat();
    Fleet::shared().tells(&[("then a policy", "one:chain", &steps)]);
}

#[test]
fn other_4xx_errors_reach_the_caller() {
    for status in [400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 424, 451] {
        let steps = [(ONE, Status(status))];
        Fleet::shared().tells(&[(&status.to_string(), "one:chain", &steps)]);
    }
}

/// LiteLLM says so when its provider has not answered in time.
#[test]
fn a_provider_without_time_moves_on() {
    for status in [408, 425] {
        let steps = [(ONE, Status(status)), (TWO, Good)];
        Fleet::shared().tells(&[(&status.to_string(), "one:chain", &steps)]);
    }
}

#[test]
fn other_statuses_reach_the_caller() {
    let steps = [(ONE, Says(202, "{}"))];
    Fleet::shared().tells(&[("202", "one:chain", &steps)]);
    let moved = [(ONE, Says(307, "elsewhere"))];
    Fleet::shared().tells(&[("307", "one:chain", &moved)]);
}

/// A provider cannot use the headers by which the gateway's parts speak to each other.
#[test]
fn a_provider_cannot_order_a_further_attempt() {
    let fleet = Fleet::shared();
    for (case, status) in [("ordered good", 200), ("ordered bad", 400)] {
        let answer = Answer::new(status, "text/plain", "it")
            .header("x-gaud-retry", "1")
            .header("x-gaud-wait", "1")
            .header("x-gaud-attempts", "7")
            .header("x-gaud-provider", "other");
        fleet.server("one").script(case, answer);
        let response =
            h1::exchange(fleet.gateway.addr(), &Request::chat(chat(ONE, false)).case(case));
        assert_eq!((response.status, response.text()), (status, "it".to_owned()), "{case}");
        assert_eq!(fleet.asked(case), ["one"], "{case}");
        assert_eq!(response.headers.all("x-gaud-attempts"), ["1"], "{case}");
        assert_eq!(response.headers.all("x-gaud-provider"), ["one"], "{case}");
        assert_no_secrets(case, &response);
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn anthropics_messages_are_retried_alike() {
    Fleet::shared().tells_at(
        "/v1/messages",
        &[
            ("once", "one:chain", &[(ONE, Status(500)), (ONE, Good)]),
            ("overloaded", "one:chain", &[(ONE, Status(529)), (ONE, Status(529)), (TWO, Good)]),
            ("rejected", "one:chain", &[(ONE, Status(404))]),
        ],
    );
}
