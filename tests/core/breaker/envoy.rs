//! In the place of an Envoy: sessions on one host, and ends of responses as Envoy words them.

use std::rc::Rc;

use gaud::breaker::{Slot, State};
use gaud::gateway::Gateway;
use gaud::health::{details, shared_breaker};
use gaud::host::Host;
use gaud::host::memory::Memory;
use gaud::request::head::Head;
use gaud::room::Client;
use gaud::session::{RequestAction, Session};

use super::gateway;

pub(crate) const NOW_MS: u64 = 1_700_000_000_000;
pub(crate) const OPEN_MS: u64 = 30_000;
/// The longest wait for a response, and the grace.
pub(crate) const PROBE_MS: u64 = 125_000;

/// `p` has a breaker as it comes, `free` has none.
const PROVIDERS: &str = r#"{"default_provider":"p","providers":{
    "p":{"url":"http://a","auth":"none"},
    "free":{"url":"http://b","breaker":{"enabled":false}}}}"#;

/// How long a probe keeps its place while its body is unfinished.
pub(crate) const BODY_MS: u64 = 5000;

/// The response breaks off: Envoy's flag UPE is one of many.
pub(crate) const BREAKS_OFF: (u64, &[u8]) =
    (1 << 23, b"upstream_reset_after_response_started{protocol_error}");
/// It ends as it should.
pub(crate) const WHOLE: (u64, &[u8]) = (0, b"via_upstream");
/// The client closes its connection.
pub(crate) const CLIENT_LEFT: (u64, &[u8]) =
    (details::CLIENT_LEFT, b"downstream_remote_disconnect");

/// Workers of one Envoy: a session knows nothing but the host, so that all may be here.
pub(crate) struct Envoy {
    pub(crate) host: Memory,
    pub(crate) gateway: Rc<Gateway>,
}

impl Envoy {
    pub(crate) fn new() -> Self {
        let envoy = Self { host: Memory::at(NOW_MS), gateway: Rc::new(gateway(PROVIDERS)) };
        envoy
            .gateway
            .providers()
            .iter()
            .for_each(|provider| shared_breaker::seed(&envoy.host, provider));
        envoy.host.touched();
        envoy
    }

    /// The requests from here on are of a client with this address.
    pub(crate) fn turn_to(&self, client: u8) {
        self.host.turn_to(1, Client::V4([192, 0, 2, client]));
    }

    /// A request for this model, up to its answer or to the provider.
    pub(crate) fn ask(&self, model: &str) -> (Session, RequestAction) {
        self.begin(model, true)
    }

    /// The same; its body may be unfinished.
    pub(crate) fn begin(&self, model: &str, is_whole: bool) -> (Session, RequestAction) {
        let head = Head { method: b"POST", path: b"/v1/chat/completions", ..Head::default() };
        let (mut session, step) =
            Session::begin(Rc::clone(&self.gateway), &self.host, &head, false);
        assert_eq!(step, RequestAction::Hold);
        let end = if is_whole { "}" } else { "," };
        session.feed(&self.host, format!(r#"{{"model":"{model}"{end}"#).as_bytes()).unwrap();
        let step = session.advance(&self.host, is_whole);
        (session, step)
    }

    /// The rest of an unfinished body.
    pub(crate) fn finish(&self, session: &mut Session) {
        session.feed(&self.host, br#""x":1}"#).unwrap();
        assert_eq!(session.advance(&self.host, true), RequestAction::Continue);
    }

    /// A WebSocket for `p`.
    pub(crate) fn socket(&self) -> (Session, RequestAction) {
        let path = b"/v1/realtime?model=p:x";
        let head = Head { method: b"GET", path, is_upgrade: true, ..Head::default() };
        Session::begin(Rc::clone(&self.gateway), &self.host, &head, true)
    }

    /// A request for `p` that names no model.
    pub(crate) fn without_model(&self, path: &[u8]) -> Session {
        let head = Head { method: b"GET", path, ..Head::default() };
        let (session, step) = Session::begin(Rc::clone(&self.gateway), &self.host, &head, true);
        assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
        session
    }

    /// One that goes to `p`.
    #[track_caller]
    pub(crate) fn sent(&self) -> Session {
        let (session, step) = self.ask("p:x");
        assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
        session
    }

    /// Refused, with this many seconds to wait.
    #[track_caller]
    pub(crate) fn refused(&self, secs: u64) {
        let (mut session, step) = self.ask("p:x");
        let RequestAction::Reply(reply) = step else { panic!("no reply: {step:?}") };
        assert_eq!(reply.status, 503);
        assert!(reply.body.contains(r#""code":"provider_unavailable""#), "{}", reply.body);
        assert_eq!(reply.retry_after_secs, Some(secs));
        self.end(&mut session, WHOLE);
    }

    pub(crate) fn respond(&self, session: &mut Session, status: u32) {
        session.respond(&self.host, status, || WHOLE.1.to_vec());
    }

    pub(crate) fn end(&self, session: &mut Session, (flags, details): (u64, &[u8])) {
        session.end(&self.host, flags, || details.to_vec());
    }

    /// A whole request, answered with this status.
    #[track_caller]
    pub(crate) fn serve(&self, status: u32, end: (u64, &[u8])) {
        let mut session = self.sent();
        self.respond(&mut session, status);
        self.end(&mut session, end);
    }

    /// What is stored of `x` at `p`.
    pub(crate) fn state(&self) -> State {
        let levels = shared_breaker::peek(&self.host, &self.gateway.providers()[0]);
        levels.model(Slot::of("x")).state()
    }

    /// What is stored of `p`.
    pub(crate) fn provider_state(&self) -> State {
        shared_breaker::peek(&self.host, &self.gateway.providers()[0]).provider().state()
    }

    /// Three failures in a row.
    #[track_caller]
    pub(crate) fn open(&self) {
        (0..3).for_each(|_| self.serve(500, WHOLE));
        assert_eq!(self.state(), State::Open { until_ms: self.until_ms() });
    }

    /// Until when it is open that opens now.
    pub(crate) fn until_ms(&self) -> u64 {
        self.host.now_ms() + OPEN_MS
    }
}
