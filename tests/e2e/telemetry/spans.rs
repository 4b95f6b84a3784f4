//! Spans at a collector, compared with the ledger and with what providers were told.

use super::{admin, chat, completion, config, tracing};
use crate::kit::client::{Request, h1};
use crate::kit::harness::version::spans_say_more;
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::otlp::{CLIENT, SERVER, Span, spans, wait_for};
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn of_model(model: &'static str) -> impl Fn(&Span) -> bool {
    move |span: &Span| span.get("gen_ai.request.model") == model
}

/// Asks with a `traceparent` of the client's, whose sampled flag is `flags`.
fn ask(run: &Run, model: &str, flags: &str) -> u16 {
    let request = Request::chat(chat(model)).case(model);
    let request = request.header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"));
    h1::exchange(run.addr(), &request).status
}

#[test]
fn a_span_says_what_an_answer_has_used_as_the_ledger_does() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let further = "service_name = \"edge\"\n[usage]\nmeter = \"all\"\n";
    let run = Run::start(&config(&one, &two, &tracing(&collector, further)));
    one.always("straight", 200, completion(20, 7).to_string());
    assert_eq!(ask(&run, "straight", "01"), 200);
    let [span] = wait_for(&collector, [&of_model("straight")]);
    assert_eq!((&*span.name, span.kind, &*span.service), ("chat straight", SERVER, "edge"));
    assert_eq!((&*span.trace, &*span.parent), (TRACE, PARENT));
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "one"),
        ("gen_ai.usage.input_tokens", "20"),
        ("gen_ai.usage.output_tokens", "7"),
        ("gen_ai.usage.cache_read.input_tokens", "3"),
        ("gen_ai.response.finish_reasons", "length"),
        ("gaud.answered_by", "one"),
        ("gaud.attempt", "1"),
        ("url.path", "/v1/chat/completions"),
        ("http.status_code", "200"),
        ("error.type", ""),
    ] {
        assert_eq!(span.get(name), value, "{name} of {span:?}");
    }
    let given = one.wait("straight").header("traceparent").expect("a traceparent");
    assert_eq!(given, format!("00-{TRACE}-{}-01", span.id));
    let row = sums_of(&run, "straight");
    assert_eq!((&row["input"], &row["output"]), (&json!(20), &json!(7)), "{row}");
}

/// The ledger's sums of a model.
fn sums_of(run: &Run, model: &str) -> Value {
    wait::until("the model in the ledger", || {
        let rows = admin(run, Request::new("GET", "/admin/usage?by=model"))["rows"].clone();
        rows.as_array()?.iter().find(|row| row["model"] == model).cloned()
    })
}

#[test]
fn each_attempt_of_a_chain_is_a_span_below_the_requests() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "")));
    one.script("chain", Answer::json(503, &json!({"error": {"message": "no"}})));
    two.always("chain", 200, completion(30, 9).to_string());
    assert_eq!(ask(&run, "chain", "01"), 200);
    let is_request = |span: &Span| span.kind == SERVER;
    let number = |number: &'static str| {
        move |span: &Span| span.kind == CLIENT && span.get("gaud.attempt") == number
    };
    let [request, first, second] = wait_for(&collector, [&is_request, &number("1"), &number("2")]);
    assert_eq!((&*request.name, &*request.parent), ("chat chain", PARENT));
    assert_eq!((request.get("gaud.attempts"), request.get("gaud.answered_by")), ("2", "two"));
    // Each token is in one span.
    assert_eq!(request.get("gen_ai.usage.input_tokens"), "");
    for (span, name, provider, error, tokens) in
        [(&first, "chat chain", "one", "503", ""), (&second, "chat second", "two", "", "30")]
    {
        assert_eq!((&*span.name, &*span.trace, &span.parent), (name, TRACE, &request.id));
        assert_eq!(span.get("gen_ai.provider.name"), provider);
        assert_eq!(span.get("error.type"), error);
        assert_eq!(span.get("gen_ai.usage.input_tokens"), tokens);
        assert_eq!(span.get("gaud.request"), request.get("gaud.request"));
    }
    let given = two.wait("chain").header("traceparent").expect("a traceparent");
    assert_eq!(given, format!("00-{TRACE}-{}-01", second.id));
}

#[test]
fn a_stream_of_anthropics_says_its_tokens_and_its_end() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "")));
    let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n\
        event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":5}}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    one.script("claude", Answer::new(200, "text/event-stream", events));
    let request = Request::post("/v1/messages", chat("claude")).case("claude");
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    let [span] = wait_for(&collector, [&of_model("claude")]);
    let tokens = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];
    assert_eq!(tokens.map(|name| span.get(name)), ["12", "5"]);
    assert_eq!(span.get("gen_ai.response.finish_reasons"), "max_tokens");
    assert!(!run.log().contains("gaud.journal"), "nothing is recorded: {}", run.log());
}

#[test]
fn an_error_of_the_gateways_has_its_code_and_no_span_has_a_query() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "")));
    let request = Request::post("/v1/chat/completions?key=sk-in-a-query", r#"{"model": 7}"#)
        .header("authorization", "Bearer sk-in-a-header");
    assert_eq!(h1::exchange(run.addr(), &request).status, 400);
    let is_refused = |span: &Span| span.get("http.status_code") == "400";
    let [span] = wait_for(&collector, [&is_refused]);
    assert_eq!((&*span.name, span.get("error.type")), ("POST", "invalid_type"));
    for span in spans(&collector) {
        assert!(!format!("{span:?}").contains("sk-in-a"), "{span:?}");
    }
}

#[test]
fn tracing_begins_and_ends_while_the_gateway_runs() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    assert_eq!(ask(&run, "before", "01"), 200);
    let given = one.wait("before").header("traceparent").expect("a traceparent");
    assert_eq!(given, format!("00-{TRACE}-{PARENT}-01"), "without tracing it passes as it is");
    run.change(&config(&one, &two, &tracing(&collector, "sample_percent = 0\n")));
    // Of a client's traces the client decides; of the others nothing is sampled here.
    assert_eq!(h1::exchange(run.addr(), &Request::chat(chat("unsampled"))).status, 200);
    assert_eq!(ask(&run, "refused", "00"), 200);
    assert_eq!(ask(&run, "sampled", "01"), 200);
    wait_for(&collector, [&of_model("sampled")]);
    run.change(&config(&one, &two, ""));
    assert_eq!(ask(&run, "after", "01"), 200);
    let models: Vec<_> =
        spans(&collector).iter().map(|span| span.get("gen_ai.request.model").to_owned()).collect();
    assert_eq!(models, ["sampled"]);
}

/// The provider is told of each span, and of the traces that are not sampled too.
#[test]
fn a_part_of_the_traces_is_sampled() {
    const ASKED: usize = 200;
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "sample_percent = 25\n")));
    for _ in 0..ASKED {
        assert_eq!(h1::exchange(run.addr(), &Request::chat(chat("part"))).status, 200);
    }
    let told = one.all().into_iter().filter_map(|seen| seen.header("traceparent"));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), ASKED);
    let sampled: BTreeSet<String> = told
        .iter()
        .filter(|own| own.ends_with("-01"))
        .filter_map(|own| Some(own.split('-').nth(2)?.to_owned()))
        .collect();
    // 50 are expected; so far from that is one of a million draws.
    assert!((20..=82).contains(&sampled.len()), "{} of {ASKED}", sampled.len());
    let ids = || spans(&collector).into_iter().map(|span| span.id).collect::<BTreeSet<_>>();
    wait::until("all sampled spans", || ids().is_superset(&sampled).then_some(()));
    assert_eq!(ids(), sampled);
}

#[test]
fn a_rendered_configuration_sends_spans_too() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let gateway = Gateway::start(&config(&one, &two, &tracing(&collector, "")), &[]);
    one.always("rendered", 200, completion(4, 2).to_string());
    let request = Request::chat(chat("rendered")).case("rendered");
    assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    let [span] = wait_for(&collector, [&of_model("rendered")]);
    assert_eq!(span.get("gen_ai.usage.input_tokens"), "4");
}

#[test]
fn every_envoy_sends_spans_and_tells_providers_of_them() {
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "")));
    assert_eq!(ask(&run, "any", "01"), 200);
    let [span] = wait_for(&collector, [&|span: &Span| span.parent == PARENT]);
    assert_eq!((span.get("http.status_code"), span.get("upstream_cluster.name")), ("200", "one"));
    assert!(!span.get("http.url").contains('?'));
    let given = one.wait("any").header("traceparent").expect("a traceparent");
    assert_eq!(given, format!("00-{TRACE}-{}-01", span.id));
}
