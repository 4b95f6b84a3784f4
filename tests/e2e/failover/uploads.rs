//! Slow uploads: the first attempt fails before the caller has sent the whole body, or just after.

use super::fleet::Fleet;
use crate::kit::client::{CLIENTS, Client, Request, Response};
use crate::kit::samples::{Place, body};
use crate::kit::upstream::{Answer, sha256};

const SIZE: usize = 200_000;

/// When and how the first attempt fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    ErrorBefore,
    EndBefore,
    ErrorAfter,
    EndAfter,
}

use Failure::{EndAfter, EndBefore, ErrorAfter, ErrorBefore};

impl Failure {
    fn answer(self) -> Answer {
        let error = || Answer::new(500, "text/plain", "failed");
        match self {
            ErrorBefore => error().early(),
            EndBefore => Answer::broken().early(),
            ErrorAfter => error(),
            EndAfter => Answer::broken(),
        }
    }
}

/// Sends a part of the body, then what is left when the provider has seen something of it.
fn upload(fleet: &Fleet, client: Client, case: &str, request: &Request) -> Response {
    let mut exchange = client.begin(&fleet.gateway, request);
    exchange.send(&request.pieces[0]).expect("a listening gateway");
    fleet.server("one").wait_until(case, |_| true);
    let _ = exchange.send(&request.pieces[1]);
    exchange.end();
    exchange.response()
}

fn exact_at_the_second_attempt(failure: Failure) {
    let fleet = Fleet::shared();
    for client in CLIENTS {
        for chunked in [false, true] {
            for cut in [100, SIZE / 2] {
                let case = format!("{failure:?} {client:?} {chunked} {cut}");
                fleet.server("one").script(&case, failure.answer());
                let sent = body("one:chain", Place::First, SIZE);
                let mut request = Request::chat(sent).cut(&[cut]).case(&case);
                request.chunked = chunked;
                let response = upload(fleet, client, &case, &request);
                assert_eq!(response.status, 200, "{case}: {}", response.text());
                assert_eq!(response.headers.all("x-gaud-attempts"), ["2"], "{case}");
                assert_eq!(fleet.asked(&case), ["one", "one"], "{case}");
                let expected = body("chain", Place::First, SIZE);
                let (_, second) = &fleet.attempts(&case)[1];
                assert_eq!(second.length, expected.len(), "{case}");
                assert_eq!((second.complete, &second.sha256), (true, &sha256(&expected)), "{case}");
            }
        }
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn an_error_before_the_end_of_an_upload_is_retried() {
    exact_at_the_second_attempt(ErrorBefore);
}

#[test]
fn an_ended_connection_before_the_end_of_an_upload_is_retried() {
    exact_at_the_second_attempt(EndBefore);
}

#[test]
fn an_error_after_an_upload_is_retried() {
    exact_at_the_second_attempt(ErrorAfter);
}

#[test]
fn an_ended_connection_after_an_upload_is_retried() {
    exact_at_the_second_attempt(EndAfter);
}

/// A request that proves malformed is sent to no other target.
#[test]
fn a_request_that_goes_wrong_late_is_not_sent_again() {
    let fleet = Fleet::shared();
    for client in CLIENTS {
        let case = format!("late {client:?}");
        fleet.server("one").script(&case, Answer::new(500, "text/plain", "failed"));
        let mut sent = body("one:chain", Place::First, SIZE);
        sent.pop();
        sent.extend(br#","model":"one:other"}"#);
        let request = Request::chat(sent).cut(&[SIZE / 2]).case(&case);
        let response = upload(fleet, client, &case, &request);
        assert_eq!(response.status, 400, "{case}: {}", response.text());
        let attempts = fleet.attempts(&case);
        assert!(attempts.len() <= 1, "{case}");
        fleet.server("one").wait_for_ends(&case, attempts.len());
        assert!(fleet.attempts(&case).iter().all(|(_, seen)| !seen.complete), "{case}");
    }
    fleet.gateway.assert_no_trap();
}
