//! Names and places of counters.

use super::*;
use crate::breaker::{BreakerState, Outcome};
use crate::config::File;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn two_providers() -> Gateway {
    let json = br#"{"providers":{"p":{"url":"http://a"},"q":{"url":"http://b"}}}"#;
    Gateway::compile(&File::from_json(json).unwrap(), &|_| None).unwrap()
}

#[test]
fn every_counter_has_a_name_of_its_own() {
    let mut names = counter_names(&two_providers());
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_logger_of_ends_counts_what_the_filter_reads() {
    let gateway = two_providers();
    let at = Metric::NotedEnd.index(gateway.providers().len());
    assert_eq!(counter_names(&gateway)[at], NOTED_ENDS);
}

#[test]
fn a_metric_finds_its_name() {
    use Outcome::{Failure, Neutral, Success};
    use RequestOutcome::{Rejected, Sent};
    let gateway = two_providers();
    let names = counter_names(&gateway);
    let [p, q] = gateway.ids().collect::<Vec<_>>()[..] else { panic!("two providers") };
    for (metric, name) in [
        (Metric::Request(p, Sent(Success)), "gaud_requests_total.provider.p.outcome.success"),
        (Metric::Request(q, Sent(Failure)), "gaud_requests_total.provider.q.outcome.failure"),
        (Metric::Request(q, Rejected), "gaud_requests_total.provider.q.outcome.rejected"),
        (
            Metric::Transition(q, BreakerState::HalfOpen),
            "gaud_breaker_transitions_total.provider.q.to.half_open",
        ),
        (
            Metric::Transition(p, BreakerState::Closed),
            "gaud_breaker_transitions_total.provider.p.to.closed",
        ),
        (Metric::Probe(p, Neutral), "gaud_probes_total.provider.p.outcome.neutral"),
        (Metric::Check(p, true), "gaud_checks_total.provider.p.result.passed"),
        (Metric::Check(q, false), "gaud_checks_total.provider.q.result.failed"),
        (Metric::Discovery(q, true), "gaud_discoveries_total.provider.q.result.passed"),
        (
            Metric::ModelTransition(q, BreakerState::Open),
            "gaud_model_breaker_transitions_total.provider.q.to.open",
        ),
        (Metric::Retried(p), "gaud_retried_total.provider.p"),
        (Metric::CredentialRefused(q), "gaud_credential_refused_total.provider.q"),
        (Metric::Contended, "gaud_store_contended_total"),
        (Metric::Shortage, "gaud_shortages_total"),
    ] {
        assert_eq!(names[metric.index(2)], name, "{metric:?}");
    }
    for code in Code::ALL {
        let name = format!("gaud_refused_total.code.{}", code.as_str());
        assert_eq!(names[Metric::Refused(code).index(2)], name);
    }
    assert_eq!(state_gauge("p"), "gaud_breaker_state.provider.p");
    assert_eq!(models_gauge("p"), "gaud_models_not_closed.provider.p");
    let name = "gaud_model_breaker_state.provider.p.model.gpt-4_1";
    assert_eq!(model_gauge("p", "gpt-4.1"), name);
}
