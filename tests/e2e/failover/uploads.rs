//! Uploads that are slow: the first attempt fails before the caller has sent all, or just after.

use super::fleet::Fleet;
use crate::client::{Request, Response, h1, h2};
use crate::samples::{Place, body};
use crate::upstream::{Answer, sha256};

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
fn over_http1(fleet: &Fleet, case: &str, request: &Request) -> Response {
    let mut client = h1::Connection::open(fleet.gateway.addr());
    client.send(h1::head(request)).expect("a listening gateway");
    client.send_piece(request, &request.pieces[0]).expect("a listening gateway");
    fleet.server("one").wait_until(case, |_| true);
    let _ = client.send_piece(request, &request.pieces[1]);
    if request.chunked {
        let _ = client.send(b"0\r\n\r\n");
    }
    client.response()
}

fn over_http2(fleet: &Fleet, case: &str, request: &Request) -> Response {
    let connection = h2::Connection::open(fleet.gateway.addr());
    let mut exchange = connection.start(request);
    exchange.send(&request.pieces[0]).expect("a listening gateway");
    fleet.server("one").wait_until(case, |_| true);
    let _ = exchange.send(&request.pieces[1]);
    exchange.end(&request.trailers);
    exchange.response()
}

type Upload = fn(&Fleet, &str, &Request) -> Response;

fn exact_at_the_second_attempt(failure: Failure) {
    let fleet = Fleet::shared();
    for (name, upload) in [("h1", over_http1 as Upload), ("h2", over_http2)] {
        for chunked in [false, true] {
            for cut in [100, SIZE / 2] {
                let case = format!("{failure:?} {name} {chunked} {cut}");
                fleet.server("one").script(&case, failure.answer());
                let sent = body("one:chain", Place::First, SIZE);
                let mut request = Request::chat(sent).cut(&[cut]).case(&case);
                request.chunked = chunked;
                let response = upload(fleet, &case, &request);
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
fn an_error_before_all_was_sent() {
    exact_at_the_second_attempt(ErrorBefore);
}

#[test]
fn an_end_before_all_was_sent() {
    exact_at_the_second_attempt(EndBefore);
}

#[test]
fn an_error_after_all_was_sent() {
    exact_at_the_second_attempt(ErrorAfter);
}

#[test]
fn an_end_after_all_was_sent() {
    exact_at_the_second_attempt(EndAfter);
}

/// What turns out to be no request is sent to nobody else.
#[test]
fn a_request_that_goes_wrong_late_is_not_sent_again() {
    let fleet = Fleet::shared();
    for (name, upload) in [("h1", over_http1 as Upload), ("h2", over_http2)] {
        let case = format!("late {name}");
        fleet.server("one").script(&case, Answer::new(500, "text/plain", "failed"));
        let mut sent = body("one:chain", Place::First, SIZE);
        sent.pop();
        sent.extend(br#","model":"one:other"}"#);
        let request = Request::chat(sent).cut(&[SIZE / 2]).case(&case);
        let response = upload(fleet, &case, &request);
        assert_eq!(response.status, 400, "{case}: {}", response.text());
        let attempts = fleet.attempts(&case);
        assert!(attempts.len() <= 1, "{case}");
        fleet.server("one").wait_for_ends(&case, attempts.len());
        assert!(fleet.attempts(&case).iter().all(|(_, seen)| !seen.complete), "{case}");
    }
    fleet.gateway.assert_no_trap();
}
