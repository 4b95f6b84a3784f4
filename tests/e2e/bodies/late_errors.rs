//! Errors after the model: the request is on its way already, and must not arrive complete.

use crate::kit::client::{CLIENTS, Client, Request, Response, h1, h2};
use crate::kit::harness::version::a_break_shows;
use crate::kit::pair::Pair;
use crate::kit::upstream::Answer;

/// Bytes that follow a model that was read and sent on already.
const LATE: [(&str, &[u8]); 9] = [
    ("second model", br#","model":"two:m"}"#),
    ("escaped second model", br#","mod\u0065l":"two:m"}"#),
    ("bytes after the object", b"} x"),
    ("a second object", br#"}{"model":"two:m"}"#),
    ("no end", b""),
    ("no literal", br#","a":tru}"#),
    ("no UTF-8", b",\"a\":\"\xff\"}"),
    ("control character", b",\"a\":\"\n\"}"),
    ("comma", b",}"),
];

#[test]
fn nothing_after_an_error_is_forwarded() {
    for (name, tail) in LATE {
        for provider in ["one", "two"] {
            let start = format!(r#"{{"model":"{provider}:m","pad":"{}""#, "x".repeat(2000));
            let whole = [start.as_bytes(), tail].concat();
            let at_once = Request::chat(&whole).case("late at once");
            let expected = h1::exchange(Pair::shared().gateway.addr(), &at_once);
            assert_eq!(expected.status, 400, "{name}: {}", expected.text());
            for client in CLIENTS {
                for chunked in [false, true] {
                    let case = format!("late {name} {provider} {client:?} {chunked}");
                    let mut request = Request::chat(&whole).cut(&[start.len() - 10]).case(&case);
                    request.chunked = chunked;
                    let response = late(client, &case, &request);
                    assert_eq!(response.status, 400, "{case}: {}", response.text());
                    assert_eq!(response.json(), expected.json(), "{case}");
                    Pair::shared().never_complete(&case);
                }
            }
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

/// Sends the second piece when the provider has got the first.
fn late(client: Client, case: &str, request: &Request) -> Response {
    let mut exchange = client.begin(&Pair::shared().gateway, request);
    exchange.send(&request.pieces[0]).expect("a listening gateway");
    Pair::shared().server.wait_until(case, |seen| seen.length > 1000);
    let _ = exchange.send(&request.pieces[1]);
    exchange.end();
    exchange.response()
}

#[test]
fn a_bad_end_after_an_answer_is_not_forwarded() {
    for provider in ["one", "two"] {
        let case = format!("answered {provider}");
        Pair::shared().server.script(&case, Answer::completion().early());
        let start = format!(r#"{{"model":"{provider}:m","pad":"{}""#, "x".repeat(3000));
        let request = Request::chat(&start).chunked().case(&case);
        let connection = h2::Connection::open(Pair::shared().gateway.addr());
        let mut exchange = connection.start(&request);
        exchange.send(start.as_bytes()).expect("a listening gateway");
        assert_eq!(exchange.head().0, 200, "{case}");
        let _ = exchange.send(br#","model":"x"}"#);
        exchange.end(&request.trailers);
        let seen = Pair::shared().server.wait_until(&case, |seen| seen.ended);
        assert!(!seen.complete || !a_break_shows(seen.http2), "{case}");
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_wrong_length_makes_no_complete_request() {
    let body = format!(r#"{{"model":"one:m","pad":"{}"}}"#, "x".repeat(3000));
    for provider in ["one", "two"] {
        let body = body.replace("one", provider);
        for length in [1, 10, body.len() - 1, body.len() + 1, body.len() + 1000] {
            let case = format!("length {length} {provider}");
            let request = Request::chat(&body).chunked().cut_every(1000).case(&case);
            let request = request.header("content-length", length.to_string());
            let connection = h2::Connection::open(Pair::shared().gateway.addr());
            let mut exchange = connection.start(&request);
            for piece in &request.pieces {
                if exchange.send(piece).is_err() {
                    break;
                }
            }
            exchange.end(&request.trailers);
            assert!(exchange.try_head().is_none_or(|(status, _)| status == 400), "{case}");
            Pair::shared().never_complete(&case);
        }
    }
    Pair::shared().gateway.assert_no_trap();
}
