//! A provider is killed and comes back while many clients use it.

use super::crowd::{Crowd, Told};
use super::{LISTEN, provider};
use crate::kit::client::{Request, Response};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{breaker_is, metric, transitions};
use crate::kit::refusal;
use crate::kit::upstream::{Answer, Provider, Seen};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CLIENTS: usize = 24;

fn model(number: u64) -> String {
    format!("request-{number}")
}

/// Every third request has its answer streamed.
fn ask(number: u64) -> Request {
    let stream = number.is_multiple_of(3);
    Request::chat(format!(r#"{{"model":"p:{}","stream":{stream}}}"#, model(number)))
}

/// Answers with the model's name, streamed where the request wants that.
fn answer(seen: &Seen) -> Answer {
    let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    let name = json!({ "model": body["model"] }).to_string();
    match body["stream"] == true {
        true => Answer::new(200, "text/event-stream", format!("data: {name}\n\ndata: [DONE]\n\n")),
        false => Answer::new(200, "application/json", name),
    }
}

/// When things happened, and what the clients were told.
struct Outage {
    killed: Instant,
    restarted: Instant,
    closed: Instant,
    told: Vec<Told>,
}

fn suffer(gateway: &Gateway, server: &Provider) -> Outage {
    let crowd = Crowd::start(gateway.addr(), CLIENTS, ask);
    crowd.load.wait_for_rounds(5, 0);
    let killed = Instant::now();
    server.kill();
    // It was open, a probe has failed, and it is open again.
    let opened = || metric(gateway, &transitions("p", "open"));
    wait::until_true("a failed probe", || opened() >= 2);
    crowd.load.wait_for_rounds(5, 0);
    let restarted = Instant::now();
    server.open();
    wait::until_true("the closing", || breaker_is(gateway, "p", "closed"));
    let closed = Instant::now();
    crowd.load.wait_for_rounds(5, 0);
    Outage { killed, restarted, closed, told: crowd.join() }
}

#[test]
fn a_killed_provider_costs_few_callers_an_error_and_comes_back() {
    let server = Provider::answering(|seen| Box::pin(async move { answer(&seen) }));
    let breaker = "failures = 3, open_secs = 1, successes = 2";
    let table = provider("p", &server.url(), breaker, &["timeout_secs = 5"]);
    let gateway = Gateway::with_workers(4, &format!("{LISTEN}{table}"));
    let outage = suffer(&gateway, &server);
    let probes = metric(&gateway, &transitions("p", "half_open"));
    let refused = every_answer_is_right(&outage);
    let errors = errors(&outage);
    // At most what was under way, what opened it, and the probes.
    let bound = CLIENTS + 3 + usize::try_from(probes).expect("a number");
    assert!(errors <= bound, "{errors} errors");
    assert!(breaker_is(&gateway, "p", "closed"));
    report(&outage, errors, refused);
    assert_eq!(metric(&gateway, "gaud_store_contended_total{}"), 0);
    gateway.assert_no_trap();
}

/// Checks every answer; how many were refusals.
fn every_answer_is_right(outage: &Outage) -> usize {
    let mut refused = 0;
    for told in &outage.told {
        let Some(response) = &told.response else { continue };
        match response.status {
            200 => assert_right(told, response, outage),
            _ if is_refusal(response) => {
                let refusal = refusal::provider_unavailable("p", response);
                refusal.assert_openai("refused", response);
                refused += 1;
            }
            _ => refusal::provider_unreachable().assert_openai("unreachable", response),
        }
    }
    refused
}

/// Fails where a client has another client's answer, or an answer from a time without a provider.
fn assert_right(told: &Told, response: &Response, outage: &Outage) {
    let dead = told.asked > outage.killed + Duration::from_millis(200)
        && told.asked + told.took < outage.restarted;
    assert!(!dead, "an answer while the provider was down");
    if response.complete {
        let (model, text) = (model(told.number), response.text());
        assert!(text.contains(&format!("\"{model}\"")), "{model}: {text}");
    } else {
        assert!(told.asked <= outage.killed, "a broken answer without a reason");
    }
}

fn is_refusal(response: &Response) -> bool {
    response.text().contains("provider_unavailable")
}

/// How many callers saw an error that was not a refusal; none may before the death or after the end.
fn errors(outage: &Outage) -> usize {
    let good = |told: &&Told| {
        told.response.as_ref().is_some_and(|response| response.complete && response.status == 200)
    };
    let bad: Vec<_> = outage.told.iter().filter(|told| !good(told)).collect();
    for told in &bad {
        let (end, status) = (told.asked + told.took, told.status());
        assert!(end >= outage.killed, "{status:?} before the provider was killed");
        assert!(told.asked <= outage.closed, "{status:?} after the breaker has closed");
    }
    let refused = |told: &&&Told| told.response.as_ref().is_some_and(is_refusal);
    bad.len() - bad.iter().filter(refused).count()
}

fn report(outage: &Outage, errors: usize, refused: usize) {
    let is_refused = |told: &&Told| told.response.as_ref().is_some_and(is_refusal);
    let mut times: Vec<_> = outage.told.iter().filter(is_refused).map(|told| told.took).collect();
    times.sort_unstable();
    let (median, late, last) =
        (times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]);
    let after = |told: &&Told| told.status() == Some(200) && told.asked > outage.killed;
    let ends = outage.told.iter().filter(after).map(|told| told.asked + told.took);
    let first = ends.filter(|end| *end > outage.restarted).min().expect("an answer");
    println!("restart: {CLIENTS} clients, {} requests, {errors} errors", outage.told.len());
    println!("restart: {refused} refused in {median:?} (median), {late:?} (99 %), {last:?} (all)");
    println!(
        "restart: first answer {:?} after the restart, closed after {:?}; down for {:?}",
        first - outage.restarted,
        outage.closed - outage.restarted,
        outage.restarted - outage.killed,
    );
}
