//! Which questions are asked, when, and what their answers change.

use super::*;
use crate::breaker::Ask;
use crate::config::File;
use crate::health::asking::Asking;
use crate::health::shared_breaker;
use crate::host::memory::Memory;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn gateway() -> Gateway {
    let json = br#"{"breaker":{"failures":1},"providers":{
        "litellm":{"url":"http://a/base","api_key":"os.environ/KEY"},
        "q":{"url":"http://b","health_path":"/up"},
        "r":{"url":"http://c"}}}"#;
    let key = |_: &str| Some("sk-secret".to_owned());
    Gateway::compile(&File::from_json(json).unwrap(), &key).unwrap()
}

fn asked(questions: &[Question<'_>]) -> Vec<(String, String)> {
    let path = |question: &Question<'_>| question.headers[0].1.clone().into_owned();
    questions.iter().map(|question| (question.cluster.to_owned(), path(question))).collect()
}

#[test]
fn each_question_is_claimed_once_and_due_again_later() {
    let (gateway, host) = (gateway(), Memory::default());
    let first = due(&gateway, &host, 1);
    let expected =
        [("litellm", "/base/health/liveliness"), ("litellm", "/base/v1/models"), ("q", "/up")];
    assert_eq!(asked(&first), expected.map(|(c, p)| (c.to_owned(), p.to_owned())));
    assert_eq!(asked(&due(&gateway, &host, 2)), []);
    assert_eq!(due(&gateway, &host, 1 + 15_000).len(), 3);
    assert!(is_needed(&gateway));
}

#[test]
fn a_question_for_models_carries_the_credential_and_a_check_does_not() {
    let (gateway, host) = (gateway(), Memory::default());
    let questions = due(&gateway, &host, 1);
    let has_key = |question: &Question<'_>| {
        question
            .headers
            .iter()
            .any(|(name, value)| *name == "authorization" && *value == "Bearer sk-secret")
    };
    assert_eq!(questions.iter().map(has_key).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn debug_shows_no_credential() {
    let questions = format!("{:?}", due(&gateway(), &Memory::default(), 1));
    assert!(questions.contains(r#"("authorization", …)"#), "{questions}");
    assert!(!questions.contains("sk-secret"), "{questions}");
}

#[test]
fn a_check_without_a_good_answer_opens_the_breaker() {
    let gateway = gateway();
    for (status, is_open) in [(Some(404), false), (Some(503), true), (None, true)] {
        let host = Memory::default();
        let poll = due(&gateway, &host, 1)[2].poll;
        poll.answered(&gateway, &host, status, 0, Vec::new);
        let provider = gateway.provider(poll.provider).unwrap();
        assert_eq!(
            !shared_breaker::would_admit(&host, provider, None, Asking::Crossed(Ask::WHOLE)),
            is_open,
            "{status:?}"
        );
        assert_eq!(host.count_of(Metric::Check(poll.provider, !is_open)), 1);
    }
}

#[test]
fn a_list_is_read_only_from_a_good_answer_of_bounded_length() {
    for (status, size, passed) in [
        (Some(200), 2, true),
        (Some(200), discovery::LIST_BYTES_MAX + 1, false),
        (Some(401), 2, false),
        (None, 0, false),
    ] {
        let (gateway, host) = (gateway(), Memory::default());
        let poll = due(&gateway, &host, 1)[1].poll;
        poll.answered(&gateway, &host, status, size, || b"[]".to_vec());
        assert_eq!(host.count_of(Metric::Discovery(poll.provider, passed)), 1, "{status:?} {size}");
    }
}

#[test]
fn a_question_that_cannot_be_sent_is_a_failed_discovery_and_not_a_failed_check() {
    let (gateway, host) = (gateway(), Memory::default());
    let questions = due(&gateway, &host, 1);
    let (check, models) = (questions[0].poll, questions[1].poll);
    check.unsent(&gateway, &host);
    models.unsent(&gateway, &host);
    assert_eq!(host.count_of(Metric::Check(check.provider, false)), 0);
    assert_eq!(host.count_of(Metric::Discovery(models.provider, false)), 1);
}
