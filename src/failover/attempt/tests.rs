//! Requests over the hop, attempt by attempt, as Envoy would show them.

use super::*;
use crate::breaker::{Outcome, Slot};
use crate::config::File;
use crate::failover::answer::AnswerHead;
use crate::failover::history::KEPT_MS;
use crate::failover::reader::Content;
use crate::failover::retry_after;
use crate::health::shared_breaker::{self, Watched};
use crate::host::memory::Memory;
use crate::host::metrics::RequestOutcome;
use crate::names::headers;
use crate::request::header_map::serialized;
use crate::route::ProviderId;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CHAT: &str = "/v1/chat/completions";
const EVENTS: AnswerHead<'_> = AnswerHead {
    status: 200,
    details: b"via_upstream",
    retry_after_secs: None,
    content: Content::Events,
    has_length: false,
    is_encoded: false,
    end: false,
};

struct World {
    host: Memory,
    gateway: Rc<Gateway>,
    histories: Rc<Histories>,
}

impl World {
    /// The provider `a`, then `b`, then `c`; one retry on each.
    fn new() -> Self {
        Self::with("none")
    }

    /// With this `auth` at `a`.
    fn with(auth: &str) -> Self {
        let json = r#"{"default_provider":"a","breaker":{"failures":2},
            "providers":{
                "a":{"url":"http://a","auth":"AUTH","first_token_secs":5,"idle_secs":7},
                "b":{"url":"http://b/base/v1","api_key":"os.environ/KEY"},
                "c":{"url":"http://c","auth":"none"}},
            "fallbacks":[{"model":"m","to":["b:mb","c:mb"]}]}"#;
        let file = File::from_json(json.replace("AUTH", auth).as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| Some("sk".to_owned())).unwrap();
        Self { host: Memory::default(), gateway: Rc::new(gateway), histories: Rc::default() }
    }

    /// The same requests under another configuration.
    fn reloaded(&mut self, json: &str) {
        let file = File::from_json(json.as_bytes()).unwrap();
        self.gateway = Rc::new(Gateway::compile(&file, &|_| Some("sk".to_owned())).unwrap());
    }

    fn try_begin(&self, path: &str, crossing: &str) -> Result<(Attempt, Outgoing), AttemptReply> {
        self.try_with(path, crossing, "Bearer client")
    }

    /// The same for a client with this `authorization`.
    fn try_with(
        &self,
        path: &str,
        crossing: &str,
        credential: &str,
    ) -> Result<(Attempt, Outgoing), AttemptReply> {
        let headers: [(&str, &[u8]); 5] = [
            ("authorization", credential.as_bytes()),
            (":method", b"POST"),
            (":path", path.as_bytes()),
            ("content-length", b"100"),
            (headers::CROSSING, crossing.as_bytes()),
        ];
        let (gateway, histories) = (Rc::clone(&self.gateway), Rc::clone(&self.histories));
        Attempt::begin(gateway, histories, &self.host, &Head::parse(&serialized(&headers)), true)
    }

    fn begin(&self) -> (Attempt, Outgoing) {
        self.try_begin(CHAT, "17;whole,0;m;json;10;11").unwrap()
    }

    /// Makes an attempt that gets this answer; returns the provider and the headers.
    fn answered(&self, status: u32, retry_after_secs: Option<u64>) -> (String, RetryHeaders) {
        let (mut attempt, _) = self.begin();
        let name = attempt.provider().unwrap().name.clone();
        let answer = AnswerHead {
            status,
            details: b"via_upstream",
            retry_after_secs,
            ..AnswerHead::default()
        };
        let headers = match attempt.respond(&self.host, self.host.now_ms(), &answer) {
            ResponseAction::Release(headers, None) => headers,
            ResponseAction::Hold => {
                released(attempt.feed(&self.host, self.host.now_ms(), 2, || b"{}".to_vec(), true))
            }
            other => panic!("{other:?}"),
        };
        attempt.end(&self.host, 0, b"via_upstream");
        (name, headers)
    }

    fn sent(&self, provider: usize, outcome: Outcome) -> usize {
        let id = ProviderId::new(provider);
        self.host.count_of(Metric::Request(id, RequestOutcome::Sent(outcome)))
    }
}

#[track_caller]
fn released(action: ResponseAction) -> RetryHeaders {
    match action {
        ResponseAction::Release(headers, None) => headers,
        other => panic!("not released: {other:?}"),
    }
}

fn again(attempts: u32, wait_secs: Option<u32>) -> RetryHeaders {
    RetryHeaders { again: Some(wait_secs), attempts, is_hopeless: false }
}

#[test]
fn each_attempt_has_the_model_path_and_credential_of_its_target() {
    let world = World::new();
    let (_, outgoing) = world.begin();
    assert_eq!((outgoing.path, outgoing.edit, outgoing.content_length), (None, None, None));
    let world = World::new();
    world.answered(500, None);
    world.answered(500, None);
    let (attempt, outgoing) = world.begin();
    assert_eq!(attempt.provider().unwrap().name, "b");
    assert_eq!(outgoing.path.as_deref(), Some("/base/v1/chat/completions"));
    assert_eq!(outgoing.edit.unwrap().with, b"mb");
    assert_eq!(outgoing.content_length, Some(101));
}

#[test]
fn a_model_in_the_path_is_that_of_the_target() {
    let world = World::new();
    let path = "/openai/deployments/m/embeddings?v=1";
    let begin = || world.try_begin(path, "17;whole,0;m;json;10;11").unwrap();
    let (mut attempt, outgoing) = begin();
    assert_eq!((outgoing.path.as_deref(), outgoing.edit.unwrap().with), (None, b"m".to_vec()));
    let answer =
        AnswerHead { status: 200, details: b"upstream_per_try_timeout", ..AnswerHead::default() };
    assert_eq!(
        attempt.respond(&world.host, world.host.now_ms(), &answer),
        ResponseAction::Release(again(1, None), None)
    );
    let (_, outgoing) = begin();
    let expected = "/base/openai/deployments/mb/embeddings?v=1";
    assert_eq!(outgoing.path.as_deref(), Some(expected));
}

#[test]
fn a_failure_leads_to_the_next_target_and_the_last_failure_is_the_answer() {
    let world = World::new();
    assert_eq!(world.answered(500, None), ("a".to_owned(), again(1, None)));
    assert_eq!(world.answered(503, Some(3)), ("a".to_owned(), again(2, None)));
    assert_eq!(world.answered(429, Some(3)), ("b".to_owned(), again(3, Some(3))));
    assert_eq!(world.answered(429, None), ("b".to_owned(), again(4, None)));
    assert_eq!(world.answered(429, None), ("c".to_owned(), again(5, None)));
    let last = RetryHeaders { again: None, attempts: 6, is_hopeless: true };
    assert_eq!(world.answered(429, Some(3)), ("c".to_owned(), last));
    assert_eq!((world.sent(0, Outcome::Failure), world.sent(1, Outcome::Success)), (2, 2));
    // Envoy's router may lose that answer, and send the request once more: the gateway then makes no further attempt.
    for _ in 0..2 {
        let lost = world.try_begin(CHAT, "17;whole,0;m;json;10;11").unwrap_err();
        assert_eq!((lost.reply.status, lost.headers), (503, last));
    }
    // Then the history is forgotten, and the request was one failure of a: too few to open a breaker.
    world.histories.purge(world.host.now_ms() + 20_000);
    assert_eq!(world.histories.count(), 0);
    assert_eq!(world.answered(200, None).0, "a");
}

#[test]
fn a_client_error_reaches_the_client() {
    for status in [400, 401, 404, 422] {
        let world = World::new();
        let headers = RetryHeaders { attempts: 1, ..RetryHeaders::default() };
        assert_eq!(world.answered(status, None), ("a".to_owned(), headers), "{status}");
    }
}

#[test]
fn a_context_that_is_too_long_needs_another_model() {
    let world = World::new();
    for (provider, expected) in [
        ("a", again(1, None)),
        ("b", RetryHeaders { attempts: 2, is_hopeless: false, again: None }),
    ] {
        let (mut attempt, _) = world.begin();
        assert_eq!(attempt.provider().unwrap().name, provider);
        let answer = AnswerHead { status: 400, content: Content::Json, ..EVENTS };
        let body = || br#"{"error":{"code":"context_length_exceeded"}}"#.to_vec();
        let step = match attempt.respond(&world.host, world.host.now_ms(), &answer) {
            ResponseAction::Hold => attempt.feed(&world.host, world.host.now_ms(), 44, body, true),
            step => step,
        };
        // The third one serves the same model as the second.
        assert_eq!(step, ResponseAction::Release(expected, None));
        attempt.end(&world.host, 0, b"via_upstream");
    }
}

#[test]
fn a_head_without_a_body_is_held() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    assert_eq!(attempt.respond(&world.host, world.host.now_ms(), &EVENTS), ResponseAction::Hold);
    assert_eq!(
        attempt.feed(&world.host, world.host.now_ms(), 0, Vec::new, false),
        ResponseAction::Hold
    );
    world.host.set_clock(4999);
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
    world.host.set_clock(5000);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!((late.reply.status, late.headers), (504, again(1, None)));
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
    attempt.end(&world.host, 0, b"gaud_provider_timeout");
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    assert_eq!(world.begin().0.provider().unwrap().name, "b");
}

/// The rest has `timeout_secs`, which Envoy knows.
#[test]
fn the_deadline_for_the_first_token_is_for_streams_alone() {
    let json = AnswerHead { content: Content::Json, ..EVENTS };
    for (body, answer, is_late) in [
        (r#"{"model":"m","stream" : true}"#, None, true),
        (r#"{"model":"m","stream":false}"#, None, false),
        (r#"{"model":"m","messages":[{"stream":true}]}"#, None, false),
        (r#"{"model":"m"}"#, None, false),
        (r#"{"model":"m"}"#, Some(EVENTS), true),
        (r#"{"model":"m","stream":true}"#, Some(json), false),
    ] {
        for cut in [0, 5, body.len()] {
            let world = World::new();
            let (mut attempt, _) = world.begin();
            let (first, second) = body.as_bytes().split_at(cut);
            for piece in [first, second] {
                attempt.read_request(piece.len(), |at, size| piece[at..at + size].to_vec());
            }
            if let Some(answer) = answer {
                let action = attempt.respond(&world.host, world.host.now_ms(), &answer);
                assert_eq!(action, ResponseAction::Hold, "{body}: another target could answer");
            }
            world.host.set_clock(4999);
            assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None, "{body}");
            world.host.set_clock(5000);
            let late = attempt.tick(&world.host, world.host.now_ms());
            assert_eq!(late.is_some(), is_late, "{body} {answer:?}");
        }
    }
}

/// Nothing has reached the client, so another target may answer.
#[test]
fn a_body_that_does_not_begin_in_idle_secs_leaves_for_the_next_target() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let json = AnswerHead { content: Content::Json, ..EVENTS };
    world.host.set_clock(6000);
    assert_eq!(attempt.respond(&world.host, 6000, &json), ResponseAction::Hold);
    world.host.set_clock(9000);
    assert_eq!(feed(&world, &mut attempt, b" ", false), ResponseAction::Hold);
    world.host.set_clock(15_999);
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
    world.host.set_clock(16_000);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!((late.reply.status, late.headers), (504, again(1, None)));
    attempt.end(&world.host, 0, b"gaud_provider_timeout");
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    assert_eq!(world.begin().0.provider().unwrap().name, "b");
}

/// A form can have a part that looks like JSON.
#[test]
fn a_form_asks_for_no_stream() {
    let world = World::new();
    let headers: [(&str, &[u8]); 4] = [
        (":method", b"POST"),
        (":path", b"/v1/audio/transcriptions"),
        ("content-type", b"multipart/form-data; boundary=x"),
        (headers::CROSSING, b"17;whole,0;m;form;10;11"),
    ];
    let map = serialized(&headers);
    let (gateway, histories) = (Rc::clone(&world.gateway), Rc::clone(&world.histories));
    let begun = Attempt::begin(gateway, histories, &world.host, &Head::parse(&map), false);
    let (mut attempt, _) = begun.unwrap();
    attempt.read_request(15, |_, _| br#"{"stream":true}"#.to_vec());
    attempt.request_passed(&world.host, 15, true);
    world.host.set_clock(5000);
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
}

#[test]
fn a_silent_stream_has_five_minutes_unless_the_file_says_otherwise() {
    let world = World::new();
    // The provider `b` has no deadlines.
    world.answered(500, None);
    world.answered(500, None);
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    released(feed(&world, &mut attempt, b"data: {}\n\n", false));
    world.host.set_clock(299_999);
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
    world.host.set_clock(300_000);
    assert!(attempt.tick(&world.host, world.host.now_ms()).is_some());
    assert_eq!(world.sent(1, Outcome::Failure), 1);
}

#[test]
fn a_stream_that_stalls_is_a_failure() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    released(attempt.feed(
        &world.host,
        world.host.now_ms(),
        10,
        || b"data: {}\n\n".to_vec(),
        false,
    ));
    world.host.set_clock(6999);
    assert_eq!(attempt.tick(&world.host, world.host.now_ms()), None);
    world.host.set_clock(7000);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!(late.headers, RetryHeaders { attempts: 1, ..RetryHeaders::default() });
    attempt.end(&world.host, 0, b"gaud_provider_timeout");
    assert_eq!(world.sent(0, Outcome::Failure), 1);
}

#[test]
fn a_stream_without_its_last_event_gets_an_error() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    released(attempt.feed(
        &world.host,
        world.host.now_ms(),
        10,
        || b"data: {}\n\n".to_vec(),
        false,
    ));
    let ResponseAction::Append(event) =
        attempt.feed(&world.host, world.host.now_ms(), 0, Vec::new, true)
    else {
        panic!()
    };
    assert!(event.starts_with("\n\ndata: {\"error\":{"), "{event}");
    attempt.end(&world.host, 0, b"via_upstream");
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    // Whole ones do not.
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    released(attempt.feed(
        &world.host,
        world.host.now_ms(),
        14,
        || b"data: [DONE]\n\n".to_vec(),
        true,
    ));
    attempt.end(&world.host, 0, b"via_upstream");
    assert_eq!(world.sent(0, Outcome::Success), 1);
}

#[test]
fn a_stream_that_ends_before_it_begins_is_tried_elsewhere() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    assert_eq!(
        released(attempt.feed(&world.host, world.host.now_ms(), 0, Vec::new, true)),
        again(1, None)
    );
}

#[test]
fn a_connection_that_breaks_while_the_head_is_held_is_tried_again() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    // Envoy's router retries before this attempt is over.
    let flags = 1 << 23 | CLIENT_LEFT;
    attempt.end(&world.host, flags, b"upstream_reset_after_response_started{protocol_error}");
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    let (attempt, _) = world.begin();
    assert_eq!((attempt.provider().unwrap().name.as_str(), attempt.id.number), ("a", 2));
}

#[test]
fn a_client_that_has_left_causes_no_further_attempt() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let flag = CLIENT_LEFT;
    attempt.end(&world.host, flag, b"downstream_remote_disconnect");
    assert_eq!(world.sent(0, Outcome::Neutral), 1);
    assert_eq!(world.begin().0.id.number, 1);
}

#[test]
fn the_end_of_an_old_attempt_does_not_change_the_next() {
    let world = World::new();
    let (mut first, _) = world.begin();
    let answer = AnswerHead { status: 500, details: b"via_upstream", ..AnswerHead::default() };
    first.respond(&world.host, world.host.now_ms(), &answer);
    let (mut second, _) = world.begin();
    first.end(&world.host, 0, b"via_upstream");
    let step = second.respond(&world.host, world.host.now_ms(), &answer);
    assert_eq!(step, ResponseAction::Release(again(2, None), None));
}

#[test]
fn without_a_target_the_error_names_a_wait() {
    let world = World::new();
    for id in world.gateway.ids() {
        (0..2).for_each(|_| Watched::of(&world.gateway, id).unwrap().check_failed(&world.host));
    }
    let AttemptReply { reply, headers } = world.try_begin(CHAT, "17;whole,0;m").unwrap_err();
    assert_eq!(headers, RetryHeaders::default());
    assert_eq!((reply.status, reply.retry_after_secs), (503, Some(30)));
    assert!(reply.body.contains("provider_unavailable"), "{}", reply.body);
}

#[test]
fn a_request_that_did_not_come_over_the_hop_is_refused() {
    for crossing in ["", "17", "17;", "17;whole", "17;whole,0;a;json;x;y"] {
        let AttemptReply { reply, .. } = World::new().try_begin(CHAT, crossing).unwrap_err();
        assert_eq!(reply.status, 500, "{crossing}");
    }
}

#[test]
fn a_history_that_is_over_is_forgotten() {
    let world = World::new();
    let over = |ends: fn(&World, &mut Attempt)| {
        let (mut attempt, _) = world.begin();
        ends(&world, &mut attempt);
        attempt.end(&world.host, 0, b"via_upstream");
        assert_eq!(world.begin().0.id.number, 1);
        world.histories.forget("17");
    };
    over(|world, attempt| {
        attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
        attempt.feed(&world.host, world.host.now_ms(), 7, || b"data:\n\n".to_vec(), false);
        attempt.feed(&world.host, world.host.now_ms(), 0, Vec::new, true);
    });
    over(|world, attempt| {
        attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
        attempt.feed(&world.host, world.host.now_ms(), 7, || b"data:\n\n".to_vec(), false);
        world.host.set_clock(100_000);
        attempt.tick(&world.host, world.host.now_ms()).unwrap();
    });
    let (mut attempt, _) = world.begin();
    attempt.end(
        &world.host,
        1 << 6,
        b"upstream_reset_before_response_started{connection_termination}",
    );
    world.histories.purge(KEPT_MS + 99_999);
    assert_eq!(world.begin().0.id.number, 2);
    // It is under way again.
    world.histories.purge(2 * KEPT_MS + 100_000);
    assert_eq!(world.histories.count(), 1);
    world.histories.forget("17");
    assert_eq!(world.histories.count(), 0);
}

#[test]
fn an_error_without_an_end_is_cut_off() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let answer = AnswerHead { status: 400, content: Content::Json, ..EVENTS };
    assert_eq!(attempt.respond(&world.host, world.host.now_ms(), &answer), ResponseAction::Hold);
    assert_eq!(
        attempt.feed(&world.host, world.host.now_ms(), 1, || b"{".to_vec(), false),
        ResponseAction::Hold
    );
    world.host.set_clock(deadline::ERROR_MS_MAX);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!((late.reply.status, late.headers.again), (502, None));
}

#[test]
fn one_request_is_one_failure_of_a_target() {
    let world = World::new();
    let failures = || {
        let levels = shared_breaker::peek(&world.host, &world.gateway.providers()[0]);
        (levels.provider().state(), levels.model(Slot::of("m")).state())
    };
    assert_eq!(world.answered(500, None).1, again(1, None));
    assert_eq!(world.answered(500, None).0, "a");
    assert_eq!(world.sent(0, Outcome::Failure), 2);
    let closed = |failures| crate::breaker::State::Closed { failures };
    assert_eq!(failures(), (closed(0), closed(1)));
    world.histories.forget("17");
    world.answered(500, None);
    assert!(failures().1 != closed(1), "another request is another failure");
}

#[test]
fn a_tunnel_has_no_deadline_and_its_end_says_nothing() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let answer = AnswerHead { status: 101, details: b"via_upstream", ..AnswerHead::default() };
    let headers = RetryHeaders { attempts: 1, ..RetryHeaders::default() };
    let action = attempt.respond(&world.host, world.host.now_ms(), &answer);
    assert_eq!(action, ResponseAction::Release(headers, None));
    assert_eq!(attempt.tick(&world.host, world.host.now_ms() + 1_000_000), None);
    let details = b"upstream_reset_after_response_started{connection_termination}";
    attempt.end(&world.host, 1 << 6, details);
    assert_eq!(world.sent(0, Outcome::Neutral), 1);
    assert_eq!(world.histories.count(), 0);
}

/// What follows when `a` answers so to a client with this `authorization`; and the failures of `a`.
fn refused(
    auth: &str,
    credential: &str,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> (RetryHeaders, usize) {
    let world = World::with(auth);
    let begun = world.try_with(CHAT, "17;whole,0;m;json;10;11", credential);
    let (mut attempt, _) = begun.unwrap();
    let headers = match attempt.respond(&world.host, world.host.now_ms(), answer) {
        ResponseAction::Hold => released(feed(&world, &mut attempt, body, true)),
        action => released(action),
    };
    attempt.end(&world.host, 0, b"via_upstream");
    (headers, world.sent(0, Outcome::Failure))
}

#[test]
fn a_limit_of_the_clients_own_credential_is_the_clients() {
    let passed = RetryHeaders { attempts: 1, ..RetryHeaders::default() };
    let json = AnswerHead { content: Content::Json, ..EVENTS };
    let limited = AnswerHead { status: 429, ..json };
    let inside = br#"{"error":{"code":429}}"#;
    for (answer, body) in [(&limited, &b"{}"[..]), (&json, inside)] {
        for credential in ["Bearer client", ""] {
            assert_eq!(refused("passthrough", credential, answer, body), (passed, 0));
        }
        assert_eq!(refused("none", "", answer, body), (again(1, None), 0));
    }
}

#[test]
fn a_5xx_to_a_request_without_a_credential_is_the_clients() {
    let passed = RetryHeaders { attempts: 1, ..RetryHeaders::default() };
    let json = AnswerHead { content: Content::Json, ..EVENTS };
    let failed = AnswerHead { status: 500, ..json };
    let inside = br#"{"error":{"code":500}}"#;
    for (answer, body) in [(&failed, &b"{}"[..]), (&json, inside)] {
        assert_eq!(refused("passthrough", "Bearer", answer, body), (passed, 0));
        assert_eq!(refused("passthrough", "Bearer client", answer, body), (again(1, None), 1));
        assert_eq!(refused("none", "", answer, body), (again(1, None), 1));
    }
}

#[test]
fn a_spent_quota_is_not_asked_again_and_moves_on() {
    let json = AnswerHead { content: Content::Json, ..EVENTS };
    let quota = br#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#;
    for (retry_after_secs, body, expected) in [
        (Some(3), &b"{}"[..], again(1, Some(3))),
        (Some(3), quota, again(1, None)),
        (Some(retry_after::NEVER), b"{}", again(1, None)),
        (None, quota, again(1, None)),
    ] {
        let limited = AnswerHead { status: 429, retry_after_secs, ..json };
        assert_eq!(refused("none", "", &limited, body), (expected, 0), "{retry_after_secs:?}");
    }
    // With no other target left, the client gets the answer.
    for (body, expected) in [(&b"{}"[..], Some(None)), (quota, None)] {
        let world = World::new();
        for _ in 0..4 {
            world.answered(500, None);
        }
        let (mut attempt, _) = world.begin();
        assert_eq!(attempt.provider().unwrap().name, "c");
        let limited = AnswerHead { status: 429, ..json };
        let held = attempt.respond(&world.host, world.host.now_ms(), &limited);
        assert_eq!(held, ResponseAction::Hold);
        assert_eq!(released(feed(&world, &mut attempt, body, true)).again, expected);
    }
}

#[test]
fn a_429_whose_body_does_not_end_moves_on() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let limited =
        AnswerHead { status: 429, retry_after_secs: Some(3), content: Content::Json, ..EVENTS };
    let held = attempt.respond(&world.host, world.host.now_ms(), &limited);
    assert_eq!(held, ResponseAction::Hold);
    world.host.set_clock(deadline::ERROR_MS_MAX);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!(late.headers, again(1, Some(3)));
}

const OVERLOADED: &[u8] =
    b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";

fn feed(world: &World, attempt: &mut Attempt, piece: &[u8], end: bool) -> ResponseAction {
    attempt.feed(&world.host, world.host.now_ms(), piece.len(), || piece.to_vec(), end)
}

#[test]
fn an_error_inside_a_200_counts_as_what_it_is_and_moves_on() {
    let passed = RetryHeaders { attempts: 1, ..RetryHeaders::default() };
    let json = AnswerHead { content: Content::Json, has_length: true, ..EVENTS };
    for (answer, body, expected, outcome) in [
        (EVENTS, OVERLOADED, again(1, None), Outcome::Failure),
        (
            json,
            br#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#,
            again(1, None),
            Outcome::Failure,
        ),
        (json, br#"[{"error":{"code":429}}]"#, again(1, None), Outcome::Success),
        (
            json,
            br#"{"error":{"code":"context_length_exceeded"}}"#,
            again(1, None),
            Outcome::Neutral,
        ),
        (json, br#"{"error":{"type":"invalid_request_error"}}"#, passed, Outcome::Neutral),
        (json, br#"{"choices":[]}"#, passed, Outcome::Success),
    ] {
        let world = World::new();
        let (mut attempt, _) = world.begin();
        let held = attempt.respond(&world.host, world.host.now_ms(), &answer);
        assert_eq!(held, ResponseAction::Hold);
        let text = String::from_utf8_lossy(body);
        assert_eq!(released(feed(&world, &mut attempt, body, false)), expected, "{text}");
        attempt.end(&world.host, 0, b"via_upstream");
        assert_eq!(world.sent(0, outcome), 1, "{text}");
    }
}

#[test]
fn an_error_of_the_last_target_counts_though_the_client_has_it() {
    for pieces in [&[OVERLOADED][..], &[b"data: {\"delta\":1}\n\n", OVERLOADED]] {
        let world = World::new();
        let (mut attempt, _) = world.begin();
        let answer = AnswerHead { has_length: false, ..EVENTS };
        attempt.phase =
            AttemptPhase::Streaming { reader: attempt.reader(&answer), bytes: 0, last_ms: 0 };
        attempt.note(&world.host, Evidence::Answered);
        for piece in pieces {
            assert_eq!(feed(&world, &mut attempt, piece, false), ResponseAction::Pass);
        }
        attempt.end(&world.host, CLIENT_LEFT, b"downstream_remote_disconnect");
        assert_eq!(world.sent(0, Outcome::Failure), 1);
    }
}

#[test]
fn comments_are_no_first_token() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    let ping = b": wait\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n";
    assert_eq!(feed(&world, &mut attempt, ping, false), ResponseAction::Hold);
    world.host.set_clock(5000);
    let late = attempt.tick(&world.host, world.host.now_ms()).unwrap();
    assert_eq!((late.reply.status, late.headers), (504, again(1, None)));
}

#[test]
fn comments_are_not_held_for_ever() {
    let world = World::new();
    // The provider `b` has no deadline for the first token.
    world.answered(500, None);
    world.answered(500, None);
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, world.host.now_ms(), &EVENTS);
    world.host.set_clock(opening::HELD_MS_MAX - 1);
    assert_eq!(feed(&world, &mut attempt, b": wait\n\n", false), ResponseAction::Hold);
    world.host.set_clock(opening::HELD_MS_MAX);
    assert_eq!(released(feed(&world, &mut attempt, b": wait\n\n", false)).again, None);
}

/// A configuration in which all providers have another place.
const TURNED: &str = r#"{"default_provider":"a","providers":{
    "c":{"url":"http://c","auth":"none"},"b":{"url":"http://b","auth":"none"},"a":{"url":"http://a"}}}"#;

#[test]
fn a_request_goes_on_under_a_new_configuration() {
    let mut world = World::new();
    assert_eq!(world.answered(500, None).0, "a");
    world.reloaded(TURNED);
    let (attempt, _) = world.begin();
    assert_eq!((attempt.provider().unwrap().name.as_str(), attempt.id.number), ("a", 2));
    drop(attempt);
    assert_eq!(world.answered(500, None).0, "b");
}

#[test]
fn a_request_passes_over_a_provider_that_is_gone() {
    for (gone, next) in [("a", "b"), ("b", "a")] {
        let mut world = World::new();
        assert_eq!(world.answered(500, None).0, "a");
        let json =
            TURNED.replace(&format!("\"{gone}\":{{"), "\"d\":{").replace(":\"a\",", ":\"c\",");
        world.reloaded(&json);
        assert_eq!(world.begin().0.provider().unwrap().name, next, "without {gone}");
    }
}
