//! A gateway with one server that is reached over both protocols: provider `one` over HTTP/1.1,
//! the default, and provider `two` over HTTP/2.

use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::harness::Gateway;
use crate::kit::harness::version::a_break_shows;
use crate::kit::refusal::Refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Framing, Provider, Seen, sha256};
use std::sync::OnceLock;

pub(crate) const PROVIDERS: [&str; 2] = ["one", "two"];

/// The gateway and its server.
pub(crate) struct Pair {
    pub(crate) gateway: Gateway,
    pub(crate) server: Provider,
}

impl Pair {
    /// Starts one with further settings.
    pub(crate) fn start(settings: &str) -> Self {
        let server = Provider::start();
        let one = provider("one", &server.url(), &[]);
        let two = provider("two", &server.url(), &["http2 = true"]);
        let toml = format!("{LISTEN}default_provider = \"one\"\n{settings}\n{one}{two}");
        Self { gateway: Gateway::start(&toml, &[]), server }
    }

    /// The one that tests share: cases keep them apart.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Pair> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(""))
    }

    /// That one, and one whose requests pass the hop. Where a deployment's program starts the gateway, one runs at a time.
    pub(crate) fn of_both_ways() -> Vec<&'static Self> {
        static HOP: OnceLock<Pair> = OnceLock::new();
        if std::env::var_os("GAUD_TEST_START").is_some() {
            return vec![Self::shared()];
        }
        vec![Self::shared(), HOP.get_or_init(|| Self::start("retries = { max = 1 }"))]
    }

    /// As [`Pair::refuses`], without the hop and with it.
    #[track_caller]
    pub(crate) fn both_refuse(case: &str, request: &Request, refusal: &Refusal) {
        for pair in Self::of_both_ways() {
            pair.refuses(case, request, refusal);
            pair.gateway.assert_no_trap();
        }
    }

    /// Sends a request that its provider must get with exactly the body `expected`.
    #[track_caller]
    pub(crate) fn arrives(&self, case: &str, client: Client, request: &Request, expected: &[u8]) {
        let request = request.clone().case(case);
        let response = client.send(&self.gateway, &request);
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        let provider = response.header("x-gaud-provider").unwrap_or_default();
        self.arrived(case, request.chunked, provider == "two", expected);
    }

    /// Fails unless a request has arrived with exactly this body, in the right framing.
    #[track_caller]
    pub(crate) fn arrived(&self, case: &str, chunked: bool, http2: bool, expected: &[u8]) {
        let seen = self.server.wait(case);
        assert_eq!((seen.length, seen.http2), (expected.len(), http2), "{case}");
        assert_eq!(seen.sha256, sha256(expected), "{case}: {}", seen.text());
        let framing = match (chunked, http2) {
            (false, _) => Framing::Length(expected.len()),
            (true, false) => Framing::Chunked,
            (true, true) => Framing::Unsaid,
        };
        assert_eq!(seen.framing(), framing, "{case}");
    }

    /// Sends a request that no provider may see complete, over both protocols and in both framings.
    #[track_caller]
    pub(crate) fn refuses(&self, case: &str, request: &Request, refusal: &Refusal) {
        let request = request.clone().case(case);
        for request in [request.clone(), request.chunked()] {
            for client in CLIENTS {
                refusal.assert_openai(case, &client.send(&self.gateway, &request));
            }
        }
        self.never_complete(case);
    }

    /// Fails when a provider has seen a whole request of this case.
    #[track_caller]
    pub(crate) fn never_complete(&self, case: &str) {
        let count = self.server.seen(case).len();
        self.server.wait_for_ends(case, count);
        let is_whole = |seen: &Seen| seen.complete && a_break_shows(seen.http2);
        let complete = self.server.seen(case).iter().any(is_whole);
        assert!(!complete, "{case}: a provider saw the whole request");
    }
}
