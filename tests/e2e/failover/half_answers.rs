//! Half an answer: errors of which only the head has come, and streams that only talk of their end.

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::observe::{metric, requests, wait_for_outcome};
use crate::kit::samples::LISTEN;
use crate::kit::upstream::raw::{Act, Raw};
use crate::kit::upstream::{Answer, Gate, Provider};

fn start(first: &str, second: &str) -> Gateway {
    let toml = format!(
        "{LISTEN}[providers.a]\nurl = \"{first}\"\nauth = \"none\"\n[providers.b]\nurl = \"{second}\"\n\
         api_key = \"os.environ/KEY\"\n[[fallbacks]]\nmodel = \"a:m\"\nto = [\"b:m2\"]\n"
    );
    Gateway::start(&toml, &[("KEY", "k-33")])
}

#[test]
fn half_a_429_counts_as_a_429() {
    let head: &[u8] =
        b"HTTP/1.1 429 Error\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let gate = Gate::closed();
    let half = Raw::start(vec![Act::ReadHead, Act::Send(head), Act::Pass(gate.clone())]);
    let whole = Provider::start();
    let gateway = start(&half.url(), &whole.url());
    let response = h1::exchange(gateway.addr(), &Request::chat(r#"{"model":"a:m"}"#));
    assert_eq!((response.status, response.header("x-gaud-attempts")), (200, Some("2".into())));
    gate.open();
    assert_eq!(wait_for_outcome(&gateway, "a"), "success");
    let counts =
        ["success", "failure", "neutral"].map(|outcome| metric(&gateway, &requests("a", outcome)));
    assert_eq!(counts, [1, 0, 0]);
    gateway.assert_no_trap();
}

#[test]
fn text_about_the_end_does_not_end_a_stream() {
    let server = Provider::start();
    let gateway = start(&server.url(), &server.url());
    for content in ["[DONE]", r#"\"error\""#, r#"\"finish_reason\":\"stop\""#] {
        let event = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{content}"}}}}]}}"#);
        let answer = Answer::new(200, "text/event-stream", format!("data: {event}\n\n"));
        server.script("talk", answer);
        let request = Request::chat(r#"{"model":"a:m","stream":true}"#).case("talk");
        let response = h1::exchange(gateway.addr(), &request);
        let text = response.text();
        assert!(!response.complete || text.contains("bad_provider_response"), "{content}: {text}");
    }
    gateway.assert_no_trap();
}
