//! A provider is killed and comes back while many clients use it.

use super::crowd::{Crowd, Told};
use super::{LISTEN, breaker_is, metric, provider, transitions};
use crate::client::{Request, Response};
use crate::harness::{Gateway, wait};
use crate::refusal;
use crate::upstream::process::Process;
use std::time::{Duration, Instant};

const CLIENTS: usize = 24;

fn model(client: usize, number: usize) -> String {
    format!("client-{client}-request-{number}")
}

/// Every third client has its answer streamed.
fn ask(client: usize, number: usize) -> Request {
    let stream = client.is_multiple_of(3);
    Request::chat(format!(r#"{{"model":"p:{}","stream":{stream}}}"#, model(client, number)))
}

/// When things happened, and what the clients were told.
struct Outage {
    killed: Instant,
    restarted: Instant,
    closed: Instant,
    told: Vec<Told>,
}

fn suffer(gateway: &Gateway, process: &mut Process) -> Outage {
    let crowd = Crowd::start(gateway.addr(), CLIENTS, ask);
    crowd.wait_for_rounds(5, 0);
    let killed = Instant::now();
    process.kill();
    // It was open, a probe has failed, and it is open again.
    let opened = || metric(gateway, &transitions("p", "open"));
    wait::until_true("a failed probe", || opened() >= 2);
    crowd.wait_for_rounds(5, 0);
    let restarted = Instant::now();
    process.restart();
    wait::until_true("the closing", || breaker_is(gateway, "p", "closed"));
    let closed = Instant::now();
    crowd.wait_for_rounds(5, 0);
    Outage { killed, restarted, closed, told: crowd.join() }
}

#[test]
fn a_killed_provider_costs_few_callers_an_error_and_comes_back() {
    let mut process = Process::start();
    let breaker = "failures = 3, open_secs = 1, successes = 2";
    let table = provider("p", &process.url(), breaker, &["timeout_secs = 5"]);
    let gateway = Gateway::with_workers(4, &format!("{LISTEN}{table}"));
    let outage = suffer(&gateway, &mut process);
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

/// How many were refused, after everybody was told the truth.
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

/// One client has another's answer, or an answer when there was nobody to give it?
fn assert_right(told: &Told, response: &Response, outage: &Outage) {
    let dead = told.asked > outage.killed + Duration::from_millis(200)
        && told.asked + told.took < outage.restarted;
    assert!(!dead, "an answer from nobody");
    if response.complete {
        // The stand-in's sentence names the model; a stream has it in pieces.
        let model = model(told.client, told.number);
        let text = response.text();
        let named = text.contains(&format!("\"{model}\"")) || text.contains(&format!("{model}."));
        assert!(named, "{model}: {text}");
    } else {
        assert!(told.asked <= outage.killed, "a broken answer without a reason");
    }
}

fn is_refusal(response: &Response) -> bool {
    response.text().contains("provider_unavailable")
}

/// How many callers saw an error that was no refusal; none may before the death or after the end.
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
