//! Requests over the hop, attempt by attempt, as Envoy would show them.

use super::*;
use crate::config::{File, ProviderId};
use crate::head::tests::serialized;
use crate::host::memory::Memory;
use crate::metrics::RequestOutcome;
use crate::run::KEPT_MS;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CHAT: &str = "/v1/chat/completions";
const EVENTS: Answer<'_> = Answer {
    status: 200,
    details: b"via_upstream",
    retry_after_secs: None,
    is_open_stream: true,
    is_encoded: false,
    end: false,
};

struct World {
    host: Memory,
    gateway: Rc<Gateway>,
    runs: Rc<Runs>,
}

impl World {
    /// The provider `a`, then `b`, then `c`; one retry on each.
    fn new() -> Self {
        let json = br#"{"default_provider":"a","breaker":{"failures":2},
            "providers":{
                "a":{"url":"http://a","first_token_secs":5,"idle_secs":7},
                "b":{"url":"http://b/base/v1","api_key":"os.environ/KEY"},
                "c":{"url":"http://c","auth":"none"}},
            "fallbacks":[{"model":"m","to":["b:mb","c:mb"]}]}"#;
        let file = File::from_json(json).unwrap();
        let gateway = Gateway::compile(&file, &|_| Some("sk".to_owned())).unwrap();
        Self { host: Memory::default(), gateway: Rc::new(gateway), runs: Rc::default() }
    }

    fn try_begin(&self, path: &str, crossing: &str) -> Result<(Attempt, Release), Instead> {
        let headers: [(&str, &[u8]); 4] = [
            (":method", b"POST"),
            (":path", path.as_bytes()),
            ("content-length", b"100"),
            ("x-gaud-run", crossing.as_bytes()),
        ];
        let (gateway, runs) = (Rc::clone(&self.gateway), Rc::clone(&self.runs));
        Attempt::begin(gateway, runs, &self.host, &Head::parse(&serialized(&headers)), true)
    }

    fn begin(&self) -> (Attempt, Release) {
        self.try_begin(CHAT, "17;m;json;10;11").unwrap()
    }

    /// An attempt that gets this answer; who was asked, and the marks.
    fn answered(&self, status: u32, retry_after_secs: Option<u64>) -> (String, Marks) {
        let (mut attempt, _) = self.begin();
        let name = attempt.provider().unwrap().name.clone();
        let answer =
            Answer { status, details: b"via_upstream", retry_after_secs, ..Answer::default() };
        let marks = match attempt.respond(&self.host, &answer) {
            Step::Release(marks) => marks,
            Step::Hold => released(attempt.feed(&self.host, 2, || b"{}".to_vec(), true)),
            other => panic!("{other:?}"),
        };
        attempt.end(&self.host, 0, || b"via_upstream".to_vec());
        (name, marks)
    }

    fn sent(&self, provider: usize, outcome: Outcome) -> usize {
        let id = ProviderId::new(provider);
        self.host.count_of(Metric::Request(id, RequestOutcome::Sent(outcome)))
    }
}

#[track_caller]
fn released(step: Step) -> Marks {
    match step {
        Step::Release(marks) => marks,
        other => panic!("not released: {other:?}"),
    }
}

fn again(attempts: u32, wait_secs: Option<u32>) -> Marks {
    Marks { again: Some(wait_secs), attempts, is_hopeless: false }
}

#[test]
fn each_attempt_is_its_targets_own() {
    let world = World::new();
    let (_, release) = world.begin();
    assert_eq!((release.path, release.edit, release.content_length), (None, None, None));
    let world = World::new();
    world.answered(500, None);
    world.answered(500, None);
    let (attempt, release) = world.begin();
    assert_eq!(attempt.provider().unwrap().name, "b");
    assert_eq!(release.path.as_deref(), Some("/base/v1/chat/completions"));
    assert_eq!(release.edit.unwrap().with, b"mb");
    assert_eq!(release.content_length, Some(101));
}

#[test]
fn a_model_in_the_path_is_each_targets_own() {
    let world = World::new();
    let path = "/openai/deployments/m/embeddings?v=1";
    let begin = || world.try_begin(path, "17;m;json;10;11").unwrap();
    let (mut attempt, release) = begin();
    assert_eq!((release.path.as_deref(), release.edit.unwrap().with), (None, b"m".to_vec()));
    let answer = Answer { status: 200, details: b"upstream_per_try_timeout", ..Answer::default() };
    assert_eq!(attempt.respond(&world.host, &answer), Step::Release(again(1, None)));
    let (_, release) = begin();
    let expected = "/base/openai/deployments/mb/embeddings?v=1";
    assert_eq!(release.path.as_deref(), Some(expected));
}

#[test]
fn failures_go_on_and_the_last_one_is_the_answer() {
    let world = World::new();
    assert_eq!(world.answered(500, None), ("a".to_owned(), again(1, None)));
    // Its second failure has opened the breaker of a.
    assert_eq!(world.answered(503, Some(3)), ("a".to_owned(), again(2, None)));
    assert_eq!(world.answered(429, Some(3)), ("b".to_owned(), again(3, Some(3))));
    assert_eq!(world.answered(429, None), ("b".to_owned(), again(4, None)));
    assert_eq!(world.answered(429, None), ("c".to_owned(), again(5, None)));
    let last = Marks { again: None, attempts: 6, is_hopeless: true };
    assert_eq!(world.answered(429, Some(3)), ("c".to_owned(), last));
    assert_eq!((world.sent(0, Outcome::Failure), world.sent(1, Outcome::Success)), (2, 2));
    // It is forgotten, and the next one finds a left alone.
    assert_eq!(world.answered(200, None).0, "b");
}

#[test]
fn what_is_the_clients_own_fault_reaches_it() {
    for status in [400, 401, 404, 422] {
        let world = World::new();
        let marks = Marks { attempts: 1, ..Marks::default() };
        assert_eq!(world.answered(status, None), ("a".to_owned(), marks), "{status}");
    }
}

#[test]
fn a_context_that_is_too_long_needs_another_model() {
    let world = World::new();
    for (provider, expected) in
        [("a", again(1, None)), ("b", Marks { attempts: 2, is_hopeless: false, again: None })]
    {
        let (mut attempt, _) = world.begin();
        assert_eq!(attempt.provider().unwrap().name, provider);
        let answer = Answer { status: 400, is_open_stream: false, ..EVENTS };
        let body = || br#"{"error":{"code":"context_length_exceeded"}}"#.to_vec();
        let step = match attempt.respond(&world.host, &answer) {
            Step::Hold => attempt.feed(&world.host, 44, body, true),
            step => step,
        };
        // The third one serves the same model as the second.
        assert_eq!(step, Step::Release(expected));
        attempt.end(&world.host, 0, || b"via_upstream".to_vec());
    }
}

#[test]
fn a_head_alone_is_no_answer() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    assert_eq!(attempt.respond(&world.host, &EVENTS), Step::Hold);
    assert_eq!(attempt.feed(&world.host, 0, Vec::new, false), Step::Hold);
    world.host.now_ms.set(4999);
    assert_eq!(attempt.tick(&world.host), None);
    world.host.now_ms.set(5000);
    let late = attempt.tick(&world.host).unwrap();
    assert_eq!((late.reply.status, late.marks), (504, again(1, None)));
    assert_eq!(attempt.tick(&world.host), None);
    attempt.end(&world.host, 0, || b"gaud_provider_timeout".to_vec());
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    assert_eq!(world.begin().0.provider().unwrap().name, "b");
}

#[test]
fn a_stream_that_stalls_is_a_failure() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, &EVENTS);
    released(attempt.feed(&world.host, 9, || b"data: {}\n".to_vec(), false));
    world.host.now_ms.set(6999);
    assert_eq!(attempt.tick(&world.host), None);
    world.host.now_ms.set(7000);
    let late = attempt.tick(&world.host).unwrap();
    assert_eq!(late.marks, Marks { attempts: 1, ..Marks::default() });
    attempt.end(&world.host, 0, || b"gaud_provider_timeout".to_vec());
    assert_eq!(world.sent(0, Outcome::Failure), 1);
}

#[test]
fn a_stream_without_its_end_gets_an_error() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, &EVENTS);
    released(attempt.feed(&world.host, 10, || b"data: {}\n\n".to_vec(), false));
    let Step::Append(event) = attempt.feed(&world.host, 0, Vec::new, true) else { panic!() };
    assert!(event.starts_with("\n\ndata: {\"error\":{"), "{event}");
    attempt.end(&world.host, 0, || b"via_upstream".to_vec());
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    // Whole ones do not.
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, &EVENTS);
    released(attempt.feed(&world.host, 14, || b"data: [DONE]\n\n".to_vec(), true));
    attempt.end(&world.host, 0, || b"via_upstream".to_vec());
    assert_eq!(world.sent(0, Outcome::Success), 1);
}

#[test]
fn a_stream_that_ends_before_it_begins_is_tried_elsewhere() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, &EVENTS);
    assert_eq!(released(attempt.feed(&world.host, 0, Vec::new, true)), again(1, None));
}

#[test]
fn a_connection_that_breaks_while_the_head_is_held_is_tried_again() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    attempt.respond(&world.host, &EVENTS);
    // Envoy's router goes on before this one is over.
    let flags = 1 << 23 | outcome::flags::DOWNSTREAM_CONNECTION_TERMINATION;
    attempt.end(&world.host, flags, || {
        b"upstream_reset_after_response_started{protocol_error}".to_vec()
    });
    assert_eq!(world.sent(0, Outcome::Failure), 1);
    let (attempt, _) = world.begin();
    assert_eq!((attempt.provider().unwrap().name.as_str(), attempt.number), ("a", 2));
}

#[test]
fn who_has_left_is_not_served_further() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let flag = outcome::flags::DOWNSTREAM_CONNECTION_TERMINATION;
    attempt.end(&world.host, flag, || b"downstream_remote_disconnect".to_vec());
    assert_eq!(world.sent(0, Outcome::Neutral), 1);
    assert_eq!(world.begin().0.number, 1);
}

#[test]
fn the_end_of_an_old_attempt_says_nothing_of_the_next() {
    let world = World::new();
    let (mut first, _) = world.begin();
    let answer = Answer { status: 500, details: b"via_upstream", ..Answer::default() };
    first.respond(&world.host, &answer);
    let (mut second, _) = world.begin();
    first.end(&world.host, 0, || b"via_upstream".to_vec());
    let step = second.respond(&world.host, &answer);
    assert_eq!(step, Step::Release(again(2, None)));
}

#[test]
fn without_anybody_left_there_is_an_error_with_a_time() {
    let world = World::new();
    for provider in world.gateway.providers() {
        for _ in 0..2 {
            let id = ProviderId::new(0);
            crate::breaker::shared::check_failed(&world.host, id, provider);
        }
    }
    let Instead { reply, marks } = world.try_begin(CHAT, "17;m").unwrap_err();
    assert_eq!(marks, Marks::default());
    assert_eq!((reply.status, reply.retry_after_secs), (503, Some(30)));
    assert!(reply.body.contains("provider_unavailable"), "{}", reply.body);
}

#[test]
fn what_is_no_run_is_refused() {
    for crossing in ["", "17", "17;", "17;a;json;x;y"] {
        let Instead { reply, .. } = World::new().try_begin(CHAT, crossing).unwrap_err();
        assert_eq!(reply.status, 500, "{crossing}");
    }
}

#[test]
fn a_run_that_is_over_is_forgotten() {
    let world = World::new();
    let over = |ends: fn(&World, &mut Attempt)| {
        let (mut attempt, _) = world.begin();
        ends(&world, &mut attempt);
        attempt.end(&world.host, 0, || b"via_upstream".to_vec());
        assert_eq!(world.begin().0.number, 1);
        world.runs.forget("17");
    };
    over(|world, attempt| {
        attempt.respond(&world.host, &EVENTS);
        attempt.feed(&world.host, 1, || b"x".to_vec(), false);
        attempt.feed(&world.host, 0, Vec::new, true);
    });
    over(|world, attempt| {
        attempt.respond(&world.host, &EVENTS);
        attempt.feed(&world.host, 1, || b"x".to_vec(), false);
        world.host.now_ms.set(100_000);
        attempt.tick(&world.host).unwrap();
    });
    let (mut attempt, _) = world.begin();
    attempt.end(&world.host, 1 << 6, || {
        b"upstream_reset_before_response_started{connection_termination}".to_vec()
    });
    world.runs.purge(KEPT_MS + 99_999);
    assert_eq!(world.begin().0.number, 2);
    // It is under way again.
    world.runs.purge(2 * KEPT_MS + 100_000);
    assert_eq!(world.runs.count(), 1);
    world.runs.forget("17");
    assert_eq!(world.runs.count(), 0);
}

#[test]
fn an_error_without_an_end_is_given_up() {
    let world = World::new();
    let (mut attempt, _) = world.begin();
    let answer = Answer { status: 400, is_open_stream: false, ..EVENTS };
    assert_eq!(attempt.respond(&world.host, &answer), Step::Hold);
    assert_eq!(attempt.feed(&world.host, 1, || b"{".to_vec(), false), Step::Hold);
    world.host.now_ms.set(ERROR_MS_MAX);
    let late = attempt.tick(&world.host).unwrap();
    assert_eq!((late.reply.status, late.marks.again), (502, None));
}
