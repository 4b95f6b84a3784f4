//! Streams that say their usage only if they are asked for it: the gateway asks, and the client sees nothing of that.

use super::{assert_sums, config, wait_for_sums};
use crate::kit::client::h1::Connection;
use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Run;
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;

const ASKING: &str = r#"{"stream_options":{"include_usage":true},"#;

const CHOICE: &str = "data: {\"id\":\"é\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}],\"usage\":null}\n\n";
const USAGE: &str = "data: {\"id\":\"é\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":7,\"total_tokens\":27}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

const CHAIN: &str = "[retries]\nmax = 0\n[[fallbacks]]\nmodel = \"hop*\"\nto = [\"two:second\"]\n";

/// A client's request, without its brace: the gateway's member goes between.
fn rest(model: &str) -> String {
    format!(
        r#""model": "{model}", "messages":[{{"role":"user","content":"\"}}"}}], "stream":true}}"#
    )
}

fn streaming(model: &str) -> Request {
    Request::chat(format!("{{{}", rest(model))).case(model)
}

fn asked(model: &str) -> String {
    format!("{ASKING}{}", rest(model))
}

/// What the client gets in HTTP/1.1 and in HTTP/2.
fn over_both(run: &Run, request: &Request, script: &dyn Fn()) -> [Response; 2] {
    [h1::exchange, h2::exchange].map(|exchange| {
        script();
        exchange(run.addr(), request)
    })
}

#[test]
fn the_gateway_asks_for_the_usage_and_keeps_it_to_itself() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    for model in ["straight", "hop"] {
        // The body is cut at every kind of place, and has a length or has none.
        let length = streaming(model).pieces.concat().len();
        let requests = [
            streaming(model),
            streaming(model).cut_every(1),
            streaming(model).chunked().cut_every(7),
            streaming(model).cut(&[1, length - 1]),
        ];
        for request in &requests {
            let stream = [CHOICE, CHOICE, USAGE, DONE].concat();
            let answer = || one.script(model, Answer::new(200, "text/event-stream", &*stream));
            for response in over_both(&run, request, &answer) {
                assert_eq!((response.status, response.complete), (200, true));
                assert_eq!(response.text(), [CHOICE, CHOICE, DONE].concat());
            }
        }
        for seen in one.seen(model) {
            assert_eq!(String::from_utf8_lossy(&seen.body), asked(model));
            assert!(seen.complete);
        }
        let row = wait_for_sums(&run, "one", model, 8);
        assert_sums(&row, &json!({"guessed": 0, "failed": 0, "input": 160, "output": 56}));
    }
}

#[test]
fn a_stream_in_pieces_of_every_kind_reaches_the_client_without_the_usage() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    let stream = [": alive\n\n", CHOICE, USAGE, ": alive\n\n", DONE].concat();
    let expected = [": alive\n\n", CHOICE, ": alive\n\n", DONE].concat();
    let usage_at = 9 + CHOICE.len();
    for model in ["straight", "hop"] {
        // One byte a piece, the usage apart, and cuts within it.
        for cuts in [
            (1..stream.len()).collect(),
            vec![usage_at, usage_at + USAGE.len()],
            vec![usage_at + 3],
        ] {
            let (answer, mut pump) = Answer::events();
            one.script(model, answer);
            let response = std::thread::scope(|scope| {
                let response = scope.spawn(|| h1::exchange(run.addr(), &streaming(model)));
                let ends = cuts.iter().copied().chain([stream.len()]);
                let mut start = 0;
                for end in ends {
                    pump.send(&stream.as_bytes()[start..end]).expect("a reader");
                    start = end;
                }
                drop(pump);
                response.join().expect("a response")
            });
            assert_eq!((response.status, response.complete), (200, true));
            assert_eq!(response.text(), expected);
        }
        let row = wait_for_sums(&run, "one", model, 3);
        assert_sums(&row, &json!({"guessed": 0, "input": 60, "output": 21}));
    }
}

#[test]
fn a_request_that_asks_itself_changes_in_nothing() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    for model in ["straight", "hop"] {
        let body = asked(model);
        one.script(model, Answer::new(200, "text/event-stream", [CHOICE, USAGE, DONE].concat()));
        let response = h1::exchange(run.addr(), &Request::chat(&body).case(model));
        assert_eq!(response.text(), [CHOICE, USAGE, DONE].concat());
        assert!(
            response
                .header("content-length")
                .is_none_or(|length| length == response.body.len().to_string())
        );
        assert_eq!(one.wait(model).body, body.as_bytes());
        let row = wait_for_sums(&run, "one", model, 1);
        assert_sums(&row, &json!({"guessed": 0, "input": 20, "output": 7}));
    }
    // An answer that is not a stream has its own usage.
    one.script("plain", super::completion(3, 2));
    let response = h1::exchange(run.addr(), &streaming("plain"));
    assert_eq!(response.json(), super::completion_json(3, 2));
    assert_sums(&wait_for_sums(&run, "one", "plain", 1), &json!({"guessed": 0, "input": 3}));
}

#[test]
fn each_target_of_a_chain_is_asked_as_it_can_be() {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, CHAIN).replacen(
        "[providers.two]\n",
        "[providers.two]\ninclude_usage = false\n",
        1,
    );
    let run = Run::start(&toml);
    one.script("hop", Answer::json(503, &json!({"error": {"message": "no"}})));
    two.script("hop", Answer::new(200, "text/event-stream", [CHOICE, DONE].concat()));
    let response = h1::exchange(run.addr(), &streaming("hop"));
    assert_eq!(response.text(), [CHOICE, DONE].concat());
    assert_eq!(String::from_utf8_lossy(&one.wait("hop").body), asked("hop"));
    let sent = format!("{{{}", rest("second"));
    assert_eq!(String::from_utf8_lossy(&two.wait("hop").body), sent);
    // Nobody has counted.
    let row = wait_for_sums(&run, "two", "second", 1);
    assert_sums(&row, &json!({"guessed": 1, "failed": 0, "output": 2}));
}

#[test]
fn the_model_and_the_question_are_two_edits_of_one_body() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    for (model, sent) in [("two:other", "other"), ("two:a\\u006eother", "another")] {
        two.script("edits", Answer::new(200, "text/event-stream", [CHOICE, USAGE, DONE].concat()));
        let body = format!("{{{}", rest(model));
        let response = h1::exchange(run.addr(), &Request::chat(body).case("edits").cut_every(5));
        assert_eq!(response.text(), [CHOICE, DONE].concat());
        let seen = two.seen("edits").pop().expect("a request");
        assert_eq!(String::from_utf8_lossy(&seen.body), asked(sent));
    }
}

#[test]
fn a_body_that_is_not_read_whole_is_not_asked_and_its_usage_is_an_estimate() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    let body = json!({"model": "long", "stream": true, "user": "x".repeat(300_000)}).to_string();
    one.script("long", Answer::new(200, "text/event-stream", [CHOICE, DONE].concat()));
    let request = Request::chat(&body).case("long");
    let mut connection = Connection::open(run.addr());
    connection.send(h1::head(&request)).expect("a gateway");
    let (first, rest) = body.as_bytes().split_at(60);
    connection.send_piece(&request, first).expect("a gateway");
    one.wait_until("long", |seen| seen.length > 0);
    connection.send_piece(&request, rest).expect("a gateway");
    assert_eq!(connection.response().text(), [CHOICE, DONE].concat());
    assert_eq!(one.wait("long").length, body.len());
    let row = wait_for_sums(&run, "one", "long", 1);
    assert_sums(&row, &json!({"guessed": 1, "input": body.len().div_ceil(4), "output": 2}));
}
