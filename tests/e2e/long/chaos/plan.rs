//! What a caller asks, all of it from the seed and the request's number: both ends can tell what
//! must arrive.

use crate::kit::client::Request;
use crate::kit::random::Random;

/// A provider and the model that it is asked for.
pub(super) struct Target {
    pub(super) provider: usize,
    pub(super) model: &'static str,
}

/// The models that callers ask for, and their targets.
pub(super) const CHAINS: [(&str, &[Target]); 3] = [
    ("gpt-4o", &[target(0, "gpt-4o"), target(1, "gpt-4o-b"), target(2, "gpt-4o-c")]),
    ("b:small", &[target(1, "small"), target(2, "small-of-c")]),
    ("c:large", &[target(2, "large"), target(1, "l")]),
];

const fn target(provider: usize, model: &'static str) -> Target {
    Target { provider, model }
}

/// The place of the number in a body.
const NUMBER: std::ops::Range<usize> = 7..15;

/// One request.
pub(super) struct Plan {
    pub(super) id: u64,
    pub(super) asked: &'static str,
    pub(super) chain: &'static [Target],
    pub(super) streams: bool,
    /// The body is sent in pieces of this size, with pauses.
    pub(super) pieces: Option<usize>,
    chunked: bool,
    model_comes_last: bool,
    lies: bool,
    size: usize,
}

impl Plan {
    pub(super) fn new(seed: u64, id: u64) -> Self {
        let mut dice = Random::of((seed, id));
        let (asked, chain) = CHAINS[dice.below(4) % 3];
        let scale = 200 << dice.below(10);
        let size = scale + dice.below(scale);
        Self {
            id,
            asked,
            chain,
            size,
            streams: dice.one_in(2),
            pieces: dice.one_in(5).then_some(1 + size / 4),
            chunked: dice.one_in(3),
            model_comes_last: dice.one_in(3),
            lies: dice.one_in(3),
        }
    }

    /// The plan that a body belongs to.
    pub(super) fn of_body(seed: u64, body: &[u8]) -> Option<Self> {
        let id = std::str::from_utf8(body.get(NUMBER)?).ok()?.parse().ok()?;
        Some(Self::new(seed, id))
    }

    /// The body that asks for `model`.
    pub(super) fn body(&self, model: &str) -> Vec<u8> {
        const TEXT: &str = r#"say \"model\":\"x\", \\ \u00e9 {[ é€😀 "#;
        let text = TEXT.repeat(self.size / TEXT.len());
        let head = format!(r#""id":"{:08}","stream":{}"#, self.id, self.streams);
        let model = format!(r#""model":"{model}""#);
        let talk = format!(r#""messages":[{{"role":"user","content":"{text}"}}]"#);
        let (second, third) = if self.model_comes_last { (talk, model) } else { (model, talk) };
        format!("{{{head},{second},{third}}}").into_bytes()
    }

    /// The caller's credential.
    pub(super) fn secret(&self) -> String {
        format!("Bearer caller-{:08}", self.id)
    }

    pub(super) fn request(&self) -> Request {
        let mut request =
            Request::chat(self.body(self.asked)).header("authorization", self.secret());
        if self.lies {
            for (name, value) in LIES {
                request = request.header(name, value);
            }
        }
        if let Some(size) = self.pieces {
            request = request.cut_every(size);
        }
        if self.chunked { request.chunked() } else { request }
    }

    /// The place of a provider among the targets.
    pub(super) fn place_of(&self, provider: usize) -> Option<usize> {
        self.chain.iter().position(|target| target.provider == provider)
    }
}

/// Headers with which a caller would interfere.
const LIES: [(&str, &str); 5] = [
    ("x-gaud-provider", "c"),
    ("x-gaud-attempts", "9"),
    ("x-envoy-max-retries", "9"),
    ("x-envoy-retry-on", "5xx,retriable-4xx"),
    ("x-envoy-upstream-rq-timeout-ms", "1"),
];
