//! A client's request, from its head to its answer. The order of the steps is in this file alone.
//!
//! ```text
//! begin ──> local path: Reply
//!   │ └───> no model in the body: Forward by the path, the query, or to the default provider
//!   │                             ──> the body passes unread
//!   └─────> Hold ── feed* ── advance ──┬─> Hold     the model has not come yet
//!                     ^                ├─> Forward  the model has come: route, ask the breaker, edit
//!                     └── feed* ───────┼─> Continue the scan goes on while the rest passes
//!                                      └─> Reply    something is wrong, at any time
//! respond ──> end                         the breaker is told the outcome at both
//! ```
//!
//! Where several attempts may be needed, the request goes over the hop as the client sent it (Cross,
//! [`hop`]). There each [`crate::failover::attempt`] asks the breaker, edits, and tells the breaker the outcome.
//!
//! Bytes in, actions out: the clock, unique numbers and shared data come from the [`Host`].

mod body;
mod bounds;
pub mod hop;
mod key;
mod limits;
mod local;
mod metering;
mod nested;
pub mod outgoing;
mod route;
mod site;

use std::ops::Range;
use std::rc::Rc;

use crate::body::{Boundary, Encoding, FormScanner, Held, JsonScanner, Scanner, StreamOptions};
use crate::breaker::Evidence;
use crate::gateway::{Account, Gateway, Provider};
use crate::health::admission::Admission;
use crate::health::outcome::{self, SentRequest, StreamEnd};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::keys::{Allowed, Share};
use crate::reply::{Reject, Reply};
use crate::request::credentials::SentCredentials;
use crate::request::endpoint::{Endpoint, LocalEndpoint, ModelBody, ModelIn, Refused, Shape};
use crate::request::escape::{MODEL_KEYS, query_models, without_query};
use crate::request::head::{ContentType, Head};
use crate::request::model::ModelName;
use crate::request::path::ClientPath;
use crate::room::{self, Place, Purpose};
use crate::route::Rule;
use crate::usage::Meter;

use key::Proof;
use limits::Limited;
use nested::Nested;
pub use outgoing::{HeaderChange, Outgoing};

/// A request under way.
#[derive(Debug)]
pub struct Session {
    gateway: Rc<Gateway>,
    phase: Phase,
    shape: Shape,
    path: ClientPath,
    /// Where the path or its query names the model.
    named: Option<Range<usize>>,
    /// The provider's credential goes with the request.
    is_api: bool,
    /// The request is allowed to have no body.
    is_optional: bool,
    /// What the body may have in front of the model's name.
    resource: &'static str,
    /// Looks for models in the body's objects, where those may have some.
    nested: Option<Nested>,
    /// The request can be sent twice without harm.
    may_repeat: bool,
    content_length: Option<u64>,
    /// How the body is compressed, until it has been decompressed.
    encoding: Option<Encoding>,
    /// The body is the plain text of a compressed one.
    is_decompressed: bool,
    credentials: SentCredentials,
    /// What the client's key allows; `None` without a key.
    key: Option<Box<Allowed>>,
    /// Whose the key is.
    proof: Proof,
    /// What the key and its user may use, and what the request has taken of that; `None` where nothing is limited.
    limited: Option<Box<Limited>>,
    /// What the request has of the gateway's own limits; `None` where there are none.
    share: Option<Box<Share>>,
    /// The whole request has come.
    is_whole: bool,
    /// The client asks for another protocol, such as a WebSocket.
    is_tunnel: bool,
    /// A 5xx, or a response that breaks off, counts for the request's model.
    has_model: bool,
    /// The bytes that wait for the model.
    held: Held,
    /// What they have of the worker's memory, or a long answer has; `None` while there is neither.
    place: Option<Place>,
    /// What the body has of the room for bodies that are kept; `None` for a request that is sent once.
    kept: Option<Place>,
    /// The breaker's permission; `None` before the request is forwarded, and for a request that goes over the hop.
    admission: Option<Admission>,
    /// Reads whether to ask for a stream's usage; `None` where that is not metered, and once the request has left.
    stream_options: Option<Box<StreamOptions>>,
    /// What the request uses; `None` before the request is forwarded, and for a request that is not metered.
    meter: Option<Meter>,
}

/// How far a request has come.
#[derive(Debug)]
enum Phase {
    /// Head and body are held: the model has not come yet.
    Held(Scanner),
    /// Head and body are on their way to the provider; the scan goes on.
    Scanning(Scanner),
    /// Head and body are on their way to the provider; the body is not read.
    Passing,
    /// The gateway has answered.
    Over,
}

/// What Envoy does next with a request.
#[derive(Debug, PartialEq)]
pub enum RequestAction {
    /// Pass on what has come.
    Continue,
    /// Keep what has come, and wait for more.
    Hold,
    /// Make these changes, and send the request to the session's provider.
    Forward(Outgoing),
    /// Send the request over the hop as it is.
    Cross {
        /// The value of [`crate::names::headers::CROSSING`].
        crossing: String,
        /// How many more attempts there may be after the first; `None` where Envoy is not to keep the body.
        retries_max: Option<u32>,
        /// The length of the plain text that takes the place of a compressed body.
        plain_length: Option<u64>,
    },
    /// Answer in the provider's place; nothing more goes to a provider.
    Reply(Reply),
}

/// The most pairs of a query that names the model: Node's servers read no more of them.
const QUERY_PAIRS_MAX: usize = 1000;

/// An answer of the gateway's own needs room only if the answer is longer than this.
const SHORT_ANSWER_BYTES: usize = 4096;

/// The most bytes of a method that an answer shows.
const METHOD_BYTES_MAX: usize = 32;

fn bytes(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn shown(method: &[u8]) -> String {
    String::from_utf8_lossy(method.get(..METHOD_BYTES_MAX).unwrap_or(method)).into_owned()
}

impl Session {
    /// Reads the head. `end` says that no body follows.
    pub fn begin(
        gateway: Rc<Gateway>,
        host: &dyn Host,
        head: &Head<'_>,
        end: bool,
    ) -> (Self, RequestAction) {
        let (path, request) = ClientPath::read(head.method, head.path, &gateway.base_paths);
        let mut session = Self {
            phase: Phase::Over,
            shape: request.shape,
            path,
            named: None,
            is_api: request.endpoint.is_api(),
            is_optional: false,
            resource: "",
            nested: None,
            content_length: head.content_length,
            encoding: None,
            is_decompressed: false,
            credentials: head.credentials.sent(),
            key: None,
            proof: Proof::Settled,
            limited: None,
            share: None,
            is_whole: end,
            is_tunnel: head.is_upgrade,
            has_model: false,
            held: Held::default(),
            place: None,
            kept: None,
            may_repeat: request.endpoint.may_repeat(),
            admission: None,
            stream_options: None,
            meter: None,
            gateway,
        };
        let sites = session.gateway.sites.as_ref();
        if let Some(refusal) = sites.and_then(|sites| site::refusal(sites, head)) {
            let action = session.reject(host, &refusal);
            return (session, action);
        }
        if let Err(refusal) = session.identify(host, head, &request.endpoint) {
            let action = session.reject(host, &refusal);
            return (session, action);
        }
        let action = match request.endpoint {
            Endpoint::Local(local, place) => session.answer(host, head, local, &place),
            Endpoint::Model(ModelIn::Body(body)) => session.hold(host, head, body, end),
            Endpoint::Model(ModelIn::Path(place, body)) => {
                session.named = Some(place);
                match body {
                    Some(body) => session.hold(host, head, body, end),
                    None => session.route(host, None),
                }
            }
            Endpoint::Model(ModelIn::Query) => session.route_by_query(host),
            Endpoint::Model(ModelIn::QueryOrMessage) => session.route_by_query_alone(host),
            Endpoint::Model(ModelIn::Nested) => session.route_nested(host, head, end),
            Endpoint::NoModel | Endpoint::Unknown => session.pass(host, head),
            Endpoint::Refused(Refused::OutsideBasePaths) => Err(session.unknown_url(head)),
            Endpoint::Refused(Refused::Method { allow }) => {
                Err(Reject::Method { method: shown(head.method), allow })
            }
            Endpoint::Refused(refused) => Err(Reject::Path(refused)),
        };
        let action = action.unwrap_or_else(|reject| session.reject(host, &reject));
        (session, action)
    }

    /// Reads bytes of the body, in their order.
    ///
    /// # Errors
    /// The answer to a body that is refused. The rest of the body must not be fed.
    pub fn feed(&mut self, host: &dyn Host, bytes: &[u8]) -> Result<(), Reply> {
        let result = match &mut self.phase {
            Phase::Held(scanner) | Phase::Scanning(scanner) => scanner.feed(bytes),
            Phase::Passing | Phase::Over => Ok(()),
        };
        self.read_bounds(bytes);
        let result = result.map_err(Reject::Body).and_then(|()| self.feed_nested(bytes));
        if let Some(options) = &mut self.stream_options {
            options.feed(bytes);
        }
        result.map_err(|reject| self.refuse(host, &reject))
    }

    /// Decides what Envoy does with the bytes that were fed. `end` says that the body is complete.
    pub fn advance(&mut self, host: &dyn Host, end: bool) -> RequestAction {
        let was_whole = self.is_whole;
        self.is_whole |= end;
        let action =
            self.try_advance(host, end).unwrap_or_else(|reject| self.reject(host, &reject));
        if self.is_whole && !was_whole {
            self.admission.iter().for_each(|admission| admission.body_came(host, &self.gateway));
        }
        if let (Some(kept), Some(scanner)) = (&self.kept, self.scanner()) {
            let come = bytes(scanner.offset());
            kept.grow(come);
            if self.is_whole {
                kept.shrink(come);
            }
        }
        action
    }

    /// The response begins, with this status. `details` is Envoy's `response.code_details`.
    pub fn respond(&mut self, host: &dyn Host, status: u32, details: impl FnOnce() -> Vec<u8>) {
        self.hear(host, status, |sent| outcome::at_headers(status, sent, details));
    }

    fn hear(
        &mut self,
        host: &dyn Host,
        status: u32,
        evidence: impl FnOnce(SentRequest) -> Evidence,
    ) {
        let sent = self.sent();
        let Some(admission) = &mut self.admission else { return };
        if self.is_api {
            admission.credential_answered(host, &self.gateway, status);
        }
        admission.note(host, &self.gateway, evidence(sent));
    }

    /// Whether the request is a probe whose response has not been heard of.
    pub fn is_probe_unheard(&self) -> bool {
        self.admission.as_ref().is_some_and(Admission::is_probe_unheard)
    }

    /// The stream is over, and only that was heard. `look` asks Envoy how the stream has ended: not for a whole response below
    /// 400 that changes no breaker, as nearly all are.
    pub fn over(&mut self, host: &dyn Host, look: impl FnOnce() -> StreamEnd) {
        self.settle_rest(host);
        let Some(admission) = &self.admission else { return };
        let is_noted = host.has_noted_end();
        let end = if is_noted || admission.is_watched() { look() } else { StreamEnd::WHOLE };
        if !admission.has_heard() && end.status > 0 {
            self.hear(host, end.status, |sent| outcome::at_headers_by_end(&end, sent));
        }
        self.end(host, end.flags, || end.details);
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    pub fn end(&mut self, host: &dyn Host, flags: u64, details: impl FnOnce() -> Vec<u8>) {
        self.end_meter(host);
        self.settle_rest(host);
        let sent = self.sent();
        if let Some(admission) = self.admission.take() {
            admission.end(host, &self.gateway, sent, flags, details);
        }
    }

    fn sent(&self) -> SentRequest {
        let account = |provider| Account::of(provider, &self.credentials, self.path.as_str());
        SentRequest {
            account: self.provider().map_or(Account::Gateway, account),
            is_whole: self.is_whole,
            has_model: self.has_model,
            can_heal: self.admission.as_ref().is_some_and(Admission::can_heal),
        }
    }

    /// The shape of the client's errors.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether the body is held.
    pub fn holds_body(&self) -> bool {
        matches!(self.phase, Phase::Held(_))
    }

    /// The provider that the request went to; `None` before that, when the gateway answered, and for a request that went
    /// over the hop.
    pub fn provider(&self) -> Option<&Provider> {
        self.gateway.provider(self.admission.as_ref()?.provider)
    }

    fn answer(
        &mut self,
        host: &dyn Host,
        head: &Head<'_>,
        endpoint: LocalEndpoint,
        place: &Range<usize>,
    ) -> Result<RequestAction, Reject> {
        if head.is_anthropic {
            self.shape = Shape::Anthropic;
        }
        let question = local::Question {
            endpoint,
            asked: self.path.decoded(place),
            shape: self.shape,
            key: self.key.as_deref(),
            sent: self.path.sent(),
        };
        let reply = local::answer(question, &self.gateway, host)?;
        let bytes = reply.body.len();
        if bytes > SHORT_ANSWER_BYTES {
            // Envoy keeps the whole answer until the client has read it.
            let until_ms = host.now_ms().saturating_add(room::LIST_MS);
            let place = Place::new(Purpose::Lists, host.stream(), host.client(), until_ms);
            let limits = self.gateway.rooms.lists.at_least(bytes);
            place.take_if_free(bytes, limits).map_err(Reject::TooManyLists)?;
            self.place = Some(place);
        }
        Ok(RequestAction::Reply(reply))
    }

    fn hold(
        &mut self,
        host: &dyn Host,
        head: &Head<'_>,
        body: ModelBody,
        end: bool,
    ) -> Result<RequestAction, Reject> {
        self.is_optional = body.is_optional;
        self.resource = body.resource;
        if body.is_nested {
            self.nested = Some(Nested::of_path());
        }
        self.encoding = encoding(head)?;
        let scanner = scanner(head.content_type, body)?;
        if query_models(self.path.as_str(), &[b"model"]).next().is_some() {
            return Err(Reject::ModelInQuery);
        }
        if end {
            return self.route_without_body(host);
        }
        if self.gateway.meters {
            self.read_stream_options(&scanner);
        }
        self.phase = Phase::Held(scanner);
        Ok(RequestAction::Hold)
    }

    fn route_by_query(&mut self, host: &dyn Host) -> Result<RequestAction, Reject> {
        let path = self.path.as_str();
        let mut places = query_models(path, &MODEL_KEYS);
        let (first, second) = (places.next(), places.next());
        // Some servers take a `;` for a divider and some for a part of the value.
        let is_plain = |(_, is_plain): &(_, bool)| *is_plain && !path.contains(';');
        let is_read = path.matches('&').count() < QUERY_PAIRS_MAX;
        let is_sure = |place| is_read && is_plain(place);
        let is_ambiguous = second.is_some() || first.as_ref().is_some_and(|place| !is_sure(place));
        drop(places);
        self.named = first.map(|(place, _)| place);
        if is_ambiguous { Err(Reject::ModelsInQuery) } else { self.route(host, None) }
    }

    /// Where the query names no model, so that the first message does, which the gateway does not read.
    fn route_by_query_alone(&mut self, host: &dyn Host) -> Result<RequestAction, Reject> {
        let names_model = query_models(self.path.as_str(), &MODEL_KEYS).next().is_some();
        let provider = self.gateway.default_of(self.path.sent());
        let provider = provider.and_then(|provider| self.gateway.provider(provider));
        match names_model || provider.is_some_and(|provider| provider.takes_websockets) {
            true => self.route_by_query(host),
            false => Err(Reject::WebSocketModel),
        }
    }

    fn pass(&mut self, host: &dyn Host, head: &Head<'_>) -> Result<RequestAction, Reject> {
        match self.gateway.default_of(self.path.sent()) {
            Some(_) if self.names_other_provider() => Err(Reject::Path(Refused::UnreadModel)),
            Some(_) => self.route(host, None),
            None => Err(self.unknown_url(head)),
        }
    }

    /// Whether the query of a path without a model has one all the same, with a provider's namespace: a filter, as a
    /// rule, by a name that no provider knows.
    fn names_other_provider(&self) -> bool {
        let mut models = query_models(self.path.as_str(), &[b"model"]);
        models.any(|(place, _)| {
            let name = self.path.decoded(&place).unwrap_or_default();
            let Ok(model) = ModelName::try_from(name) else { return false };
            let rule = self.gateway.routes.decide(&model).map(|decision| decision.rule);
            matches!(rule, Ok(Rule::Namespace(_)))
        })
    }

    fn unknown_url(&self, head: &Head<'_>) -> Reject {
        Reject::UnknownUrl {
            method: String::from_utf8_lossy(head.method).into_owned(),
            path: without_query(self.path.as_str()).to_owned(),
        }
    }

    fn try_advance(&mut self, host: &dyn Host, end: bool) -> Result<RequestAction, Reject> {
        let (held, scanner) = match &self.phase {
            Phase::Held(scanner) => (true, scanner),
            Phase::Scanning(scanner) => (false, scanner),
            Phase::Passing => return Ok(RequestAction::Continue),
            Phase::Over => return Ok(RequestAction::Hold),
        };
        // A provider that counts bytes has the whole request before Envoy reports the end.
        let end = end || self.content_length.is_some_and(|length| scanner.offset() >= length);
        self.is_whole |= end;
        if end && held && scanner.offset() == 0 {
            return self.route_without_body(host);
        }
        // An empty body that has left already is complete.
        if end && scanner.offset() > 0 {
            scanner.finish().map_err(Reject::Body)?;
        }
        // The model's place in the body decides, and not how many bytes have come: however the body is cut, the answer
        // is the same.
        let limit = self.gateway.body_limit_bytes;
        match scanner.model().filter(|_| self.reads_model()) {
            _ if !held => Ok(RequestAction::Continue),
            Some(_) if !end && self.waits_for_stream_options(scanner) => Ok(RequestAction::Hold),
            Some(found) if found.end <= limit => self.route(host, Some(&found.clone())),
            Some(_) => Err(Reject::TooLarge(limit)),
            None if scanner.offset() > limit => Err(Reject::TooLarge(limit)),
            // No later byte can name a model.
            None if end || scanner.is_complete() => self.route(host, None),
            None => Ok(RequestAction::Hold),
        }
    }

    /// Whether the body has named its model.
    fn has_found(&self) -> bool {
        match &self.phase {
            Phase::Held(scanner) | Phase::Scanning(scanner) => scanner.model().is_some(),
            Phase::Passing | Phase::Over => false,
        }
    }

    /// Whether the model can no longer come within the limit.
    fn is_too_late(&self) -> bool {
        match &self.phase {
            Phase::Held(scanner) => {
                scanner.model().is_none() && scanner.offset() > self.gateway.body_limit_bytes
            }
            _ => false,
        }
    }

    fn route_without_body(&mut self, host: &dyn Host) -> Result<RequestAction, Reject> {
        if self.is_optional { self.route(host, None) } else { Err(Reject::EmptyBody) }
    }

    fn reject(&mut self, host: &dyn Host, reject: &Reject) -> RequestAction {
        RequestAction::Reply(self.refuse(host, reject))
    }

    /// The breaker is told nothing: a refused request is not the provider's fault, even if the provider has a part of it.
    fn refuse(&mut self, host: &dyn Host, reject: &Reject) -> Reply {
        self.phase = Phase::Over;
        self.held.clear();
        self.place = None;
        if let Some(admission) = self.admission.take() {
            admission.give_up(host, &self.gateway);
        }
        self.fail_meter(host);
        self.settle_rest(host);
        host.count(Metric::Refused(reject.code()));
        if let Some(bound) = reject.bound() {
            host.count(Metric::Bound(bound));
        }
        let mut reply = reject.reply(self.shape);
        reply.headers.extend(
            self.limit_headers().into_iter().filter_map(|(name, value)| Some((name, value?))),
        );
        reply
    }
}

/// How the body is compressed.
fn encoding(head: &Head<'_>) -> Result<Option<Encoding>, Reject> {
    head.encoding.map(|value| Encoding::parse(value).ok_or(Reject::Encoded)).transpose()
}

/// The scanner for a content-type.
fn scanner(content_type: ContentType<'_>, body: ModelBody) -> Result<Scanner, Reject> {
    match content_type {
        ContentType::Other => Ok(Scanner::Json(JsonScanner::default())),
        ContentType::Multipart(value) if body.is_form => {
            let boundary = Boundary::parse(value).map_err(Reject::Boundary)?;
            Ok(Scanner::Form(FormScanner::new(boundary)))
        }
        ContentType::Malformed => Err(Reject::ContentType),
        ContentType::Charset => Err(Reject::Charset),
        ContentType::Multipart(_) | ContentType::UrlEncoded | ContentType::Several => {
            Err(Reject::Form)
        }
    }
}

#[cfg(test)]
mod tests;
