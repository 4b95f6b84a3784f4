//! The attempts of one request, in their order, and everything that follows from them.

use super::fault::{Fault, Last};
use super::fleet::{Fleet, Member, OWNED, with_headers};
use crate::kit::client::{Client, Request, Response};
use crate::kit::upstream::{Framing, Seen, sha256};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// One attempt: the target, as `provider:model`, and what becomes of it.
pub(super) type Step = (&'static str, Fault);

/// A request: its name, the model that it asks for, and its attempts.
pub(super) type Row<'a> = (&'a str, &'a str, &'a [Step]);

/// How a client asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) client: Client,
    pub(super) streamed: bool,
}

/// Both protocols, streamed and not.
pub(super) const WAYS: [Way; 4] = [
    Way { client: Client::Http1, streamed: false },
    Way { client: Client::Http1, streamed: true },
    Way { client: Client::Http2, streamed: false },
    Way { client: Client::Http2, streamed: true },
];

/// A chat request's body; two that differ in the model alone have every other byte in common.
pub(super) fn chat(model: &str, streamed: bool) -> String {
    format!(
        r#"{{"stream" : {streamed},"n":1.50E+02,"model":"{model}","messages":[{{"content":"é \"model\":\"x\""}}]}}"#
    )
}

impl Fleet {
    /// Fails unless every request of the table has exactly its attempts, whichever way it is asked.
    #[track_caller]
    pub(super) fn tells(&self, rows: &[Row<'_>]) {
        self.tells_at("/v1/chat/completions", rows);
    }

    /// The same on another path.
    #[track_caller]
    pub(super) fn tells_at(&self, path: &str, rows: &[Row<'_>]) {
        self.tells_by(&WAYS, path, rows);
    }

    /// The same of requests for streams alone.
    #[track_caller]
    pub(super) fn tells_of_streams(&self, rows: &[Row<'_>]) {
        let ways: Vec<_> = WAYS.into_iter().filter(|way| way.streamed).collect();
        self.tells_by(&ways, "/v1/chat/completions", rows);
    }

    #[track_caller]
    fn tells_by(&self, ways: &[Way], path: &str, rows: &[Row<'_>]) {
        thread::scope(|scope| {
            for (row, way) in rows.iter().flat_map(|row| ways.iter().map(|way| (*row, *way))) {
                scope.spawn(move || self.tell(path, row, way));
            }
        });
        self.gateway.assert_no_trap();
    }

    fn tell(&self, path: &str, (name, model, steps): Row<'_>, way: Way) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed); // tests may use a name twice
        let case = format!("{number} {path} {name} {way:?}");
        let _pumps = self.script(&case, steps, way.streamed);
        let request = with_headers(Request::post(path, chat(model, way.streamed)));
        let response = way.client.send(&self.gateway, &request.case(&case));
        let attempts = self.attempts(&case);
        let targets: Vec<String> = attempts.iter().map(|(who, seen)| target(who, seen)).collect();
        let expected: Vec<&str> = steps.iter().map(|(target, _)| *target).collect();
        assert_eq!(targets, expected, "{case}: {}", response.text());
        for ((target, _), (member, seen)) in steps.iter().zip(&attempts) {
            let (_, model) = target.split_once(':').expect("a target");
            assert_of_provider(&case, member, path, seen);
            assert_arrived(&case, member, seen, chat(model, way.streamed).as_bytes());
            assert_eq!(seen.headers.all("host"), [self.server(member.name).addr().to_string()]);
        }
        assert_waited(&case, steps, &attempts);
        assert_answered(&case, steps, way.streamed, &response);
    }

    /// Lets the attempts of a case end so; what it gives is to be held until they are over.
    pub(super) fn script(&self, case: &str, steps: &[Step], streamed: bool) -> impl Drop + use<> {
        let mut pumps = vec![];
        for (step, (target, fault)) in steps.iter().enumerate() {
            let (answer, pump) = fault.answer(step, streamed);
            let (provider, _) = target.split_once(':').expect("a target");
            self.server(provider).script(case, answer);
            pumps.extend(pump);
        }
        pumps
    }
}

/// An attempt as its `provider:model`.
fn target(member: &Member, seen: &Seen) -> String {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    format!("{}:{}", member.name, body["model"].as_str().unwrap_or("?"))
}

/// Fails unless an attempt has the path, credentials and headers of its provider, and of no other.
pub(super) fn assert_of_provider(case: &str, member: &Member, path: &str, seen: &Seen) {
    let path = path.strip_prefix("/v1").map(|rest| format!("{}{rest}", member.base));
    assert_eq!(Some(&seen.path), path.as_ref(), "{case}");
    assert_eq!((seen.method.as_str(), seen.http2), ("POST", member.http2), "{case}");
    for name in OWNED {
        let header = member.headers.iter().find(|(header, _)| *header == name);
        let expected: Vec<&str> = header.iter().map(|(_, value)| *value).collect();
        assert_eq!(seen.headers.all(name), expected, "{case}: {name} at {}", member.name);
    }
    assert_eq!(seen.headers.all("x-kept"), ["kept"], "{case}");
    let gateways =
        |(name, _): &&(String, Vec<u8>)| name.starts_with("x-gaud") || name.starts_with("x-envoy");
    assert!(!seen.headers.0.iter().any(|header| gateways(&header)), "{case}: {seen:?}");
}

/// Fails unless an attempt has brought exactly this body, with its length.
pub(super) fn assert_arrived(case: &str, member: &Member, seen: &Seen, body: &[u8]) {
    assert_eq!((seen.complete, seen.length), (true, body.len()), "{case} at {}", member.name);
    assert_eq!(seen.sha256, sha256(body), "{case} at {}", member.name);
    assert_eq!(seen.framing(), Framing::Length(body.len()), "{case} at {}", member.name);
}

/// Fails unless a provider that asked for time has had it before it was asked again.
fn assert_waited(case: &str, steps: &[Step], attempts: &[(&Member, Seen)]) {
    for (step, pair) in steps.iter().zip(attempts.windows(2)) {
        let [(before, first), (after, second)] = pair else { continue };
        let waited = second.arrived - first.arrived;
        let early = Duration::from_millis(5); // clocks count whole milliseconds
        if before.name == after.name {
            let least = Duration::from_secs(step.1.wait_secs());
            assert!(waited + early >= least, "{case}: {waited:?} after {step:?}");
        }
    }
}

/// Fails unless the caller has got the last attempt's answer, whole, with what the gateway adds.
fn assert_answered(case: &str, steps: &[Step], streamed: bool, response: &Response) {
    let (target, fault) = steps.last().expect("an attempt");
    let (provider, _) = target.split_once(':').expect("a target");
    let status = match fault.last(provider, steps.len() - 1, streamed) {
        Last::Answer(status, body) => {
            assert_eq!(response.header("x-gaud-provider").as_deref(), Some(provider), "{case}");
            assert_eq!((response.status, response.text()), (status, body), "{case}");
            status
        }
        Last::Refusal(refusal) => {
            refusal.assert_openai(case, response);
            response.status
        }
    };
    assert!(response.complete, "{case}");
    let counted = response.headers.all("x-gaud-attempts");
    let is_plain = steps.len() == 1 && counted.is_empty();
    assert!(is_plain || counted == [steps.len().to_string()], "{case}: {counted:?}");
    let final_failure = (status >= 500 || status == 429) && steps.len() > 1;
    let advice: &[&str] = if final_failure { &["false"] } else { &[] };
    assert_eq!(response.headers.all("x-should-retry"), advice, "{case}");
    let kept: &[&str] = if *fault == Fault::Good { &["kept"] } else { &[] };
    assert_eq!(response.headers.all("x-of-provider"), kept, "{case}");
    assert_no_secrets(case, response);
}

/// Fails when the caller sees what only the gateway's parts tell each other.
pub(super) fn assert_no_secrets(case: &str, response: &Response) {
    let public = ["x-gaud-provider", "x-gaud-attempts"];
    let inner = |name: &str| {
        (name.starts_with("x-gaud") && !public.contains(&name)) || name.starts_with("x-envoy")
    };
    let shown: Vec<_> = response.headers.0.iter().filter(|(name, _)| inner(name)).collect();
    assert!(shown.is_empty(), "{case}: {shown:?}");
}
