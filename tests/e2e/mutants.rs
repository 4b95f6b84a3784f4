//! Bodies that mean harm, and clients that leave in the midst of one.

use crate::client::{Request, h1, h2};
use crate::hostile::still_serves;
use crate::pair::Pair;
use crate::refusal;

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
        r"nobody:a\u000d\u000ax-evil: 1",
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

/// Whether a body is a JSON object. Half a surrogate pair is one of JSON's strings, so values are
/// not decoded.
fn is_object(body: &[u8]) -> bool {
    let begins = body.trim_ascii_start().starts_with(b"{");
    let parses = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    begins && parses && std::str::from_utf8(body).is_ok()
}

#[test]
fn mutated_bodies_are_json_or_refused() {
    const SEED: &str =
        r#"{"a":[1,-2.5e+3,true,null,{"model":"x"}],"model":"one:gp\u0074\/é","b":"\ud83d\ude00"}"#;
    let connection = h2::Connection::open(Pair::shared().gateway.addr());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % limit
    };
    for round in 0..1000 {
        let mut body = SEED.as_bytes().to_vec();
        for _ in 0..=next(3) {
            let at = next(body.len());
            match next(3) {
                0 => body[at] = b"\"\\{}[]:,0e-\0\n\xff\xc3 "[next(16)],
                1 => drop(body.remove(at)),
                _ => body.insert(at, b"\"\\{}[]:,19eu.x\x80\t"[next(16)]),
            }
        }
        let at = next(body.len());
        let request = Request::chat(&body).cut(&[at]).case(&format!("mutant {round}"));
        let response = connection.exchange(&request);
        let shown = String::from_utf8_lossy(&body);
        match response.status {
            200 => assert!(is_object(&body), "{round}: {shown}"),
            400 => {
                let code = response.json()["error"]["code"].as_str().expect("a code").to_owned();
                assert_eq!(
                    code == "invalid_json",
                    !is_object(&body),
                    "{round}: {code} for {shown}"
                );
            }
            status => panic!("{round}: {status} for {shown}: {}", response.text()),
        }
    }
    still_serves(&Pair::shared().gateway, "mutated bodies");
}
