//! Bodies that mean harm, and clients that leave in the midst of one.

use super::case::{Case, Expected};
use super::{is_object, still_serves};
use crate::kit::client::{Request, h1, h2};
use crate::kit::pair::Pair;
use crate::kit::random::Random;
use crate::kit::refusal;

#[test]
fn a_model_cannot_write_headers() {
    for (index, model) in [
        "one:a\r\nx-evil: 1",
        "one:a\nx-evil: 1",
        "one:a\0b",
        r"one:a\r\nx-evil: 1",
        r"one:a\u000d\u000ax-evil: 1",
        r"one:a\u0000b",
        r"one:a\nb",
        r"\r\none:a",
        "\none:a",
        r"one\u0000:a",
        "one:\u{7f}",
        r"one:\u007f",
        "one:\u{85}",
        r"one:\u2028",
        r"none:a\u000d\u000ax-evil: 1",
        "one:\u{202e}evil",
        r"one:\ud800",
    ]
    .iter()
    .enumerate()
    {
        let case = format!("evil {index}");
        let body = format!(r#"{{"model":"{model}"}}"#);
        for (name, value) in [("x-none", "1"), ("content-type", "application/json")] {
            let request = Request::chat(&body).header(name, value).case(&case);
            let response = h1::exchange(Pair::shared().gateway.addr(), &request);
            assert!([200, 400].contains(&response.status), "{model:?}: {}", response.text());
            assert_eq!(response.header("x-evil"), None, "{model:?}");
            assert!(serde_json::from_slice::<serde_json::Value>(&response.body).is_ok());
        }
        for seen in Pair::shared().server.seen(&case) {
            assert_eq!(seen.header("x-evil"), None, "{model:?}");
        }
    }
    still_serves(&Pair::shared().gateway, "models with line breaks");
}

#[test]
fn empty_bodies_are_answered() {
    let addr = Pair::shared().gateway.addr();
    for request in [Request::chat(""), Request::chat("").chunked()] {
        for response in [h1::exchange(addr, &request), h2::exchange(addr, &request)] {
            refusal::empty_body().assert_openai("an empty body", &response);
        }
    }
    still_serves(&Pair::shared().gateway, "empty bodies");
}

#[test]
fn clients_may_leave_at_any_time() {
    let whole =
        format!(r#"{{"a":"{}","model":"one:m","b":"{}"}}"#, "x".repeat(500), "y".repeat(500));
    for at in (0..whole.len()).step_by(97) {
        let request = Request::chat(&whole).header("x-step", at.to_string());
        for bytes in [h1::head(&request)[..at.min(60)].to_vec(), h1::head(&request)] {
            let mut connection = h1::Connection::open(Pair::shared().gateway.addr());
            connection.send([&bytes[..], &whole.as_bytes()[..at]].concat()).expect("a gateway");
        }
        let connection = h2::Connection::open(Pair::shared().gateway.addr());
        let mut exchange = connection.start(&request);
        exchange.send(&whole.as_bytes()[..at]).expect("a listening gateway");
        exchange.reset();
    }
    still_serves(&Pair::shared().gateway, "clients that left");
}

#[test]
fn mutated_bodies_are_json_or_refused() {
    const SEED: &str =
        r#"{"a":[1,-2.5e+3,true,null,{"model":"x"}],"model":"one:gp\u0074\/é","b":"\ud83d\ude00"}"#;
    let connection = h2::Connection::open(Pair::shared().gateway.addr());
    for round in 0..1000 {
        let mut random = Random::of(("mutants", round));
        let mut body = SEED.as_bytes().to_vec();
        random.mutate(&mut body, b"\"\\{}[]:,019e-u.x\0\n\t\x80\xff\xc3 ");
        let at = random.below(body.len());
        let mut request = Request::chat(&body).cut(&[at]).case(&format!("mutant {round}"));
        // Envoy takes two empty frames for a flood.
        request.pieces.retain(|piece| !piece.is_empty());
        let response = connection.exchange(&request);
        let case = Case::new(&body[..], Expected::Json { is_object: is_object(&body) });
        let verdict = case.check(Some(&response));
        assert_eq!(verdict, Ok(()), "{round}: {}", String::from_utf8_lossy(&case.bytes));
    }
    still_serves(&Pair::shared().gateway, "mutated bodies");
}
