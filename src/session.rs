//! A client's request, from its head to its answer: the only file that knows the order.
//!
//! ```text
//! begin ──> Own path: Reply
//!   │ └───> no model in the body: Release by the path, the query, or to the default provider
//!   │                             ──> the body passes unread
//!   └─────> Hold ── feed* ── advance ──┬─> Hold     the model has not come yet
//!                     ^                ├─> Release  it has: route, ask the breaker, edit, let go
//!                     └── feed* ───────┼─> Continue the scan goes on behind it
//!                                      └─> Reply    whatever is wrong, at any time
//! respond ──> end                         what became of it: the breaker hears of both
//! ```
//!
//! Where several attempts may be needed, Release sends the request over the hop as it is
//! ([`crate::hop`]): there each [`crate::attempt`] asks the breaker and edits, and tells the
//! breaker what became of it.
//!
//! No clock, no dice: bytes in, decisions out, and a [`Host`] for what is shared.

mod own;
mod route;

use std::ops::Range;
use std::rc::Rc;

use crate::admission::Admission;
use crate::body::{Boundary, FormScanner, JsonScanner, Scanner};
use crate::client_path::ClientPath;
use crate::config::{Gateway, Provider};
use crate::endpoint::{Body, Endpoint, ModelIn, Own, Shape};
use crate::head::{ContentType, Credentials, Head};
use crate::host::Host;
use crate::metrics::Metric;
use crate::outcome::{self, Sent};
use crate::path::{query_values, without_query};
use crate::release::Release;
use crate::reply::{Reject, Reply};

/// A request under way.
#[derive(Debug)]
pub struct Session {
    gateway: Rc<Gateway>,
    phase: Phase,
    shape: Shape,
    path: ClientPath,
    /// Where the path or its query names the model.
    named: Option<Range<usize>>,
    /// The provider's own credential goes with the request.
    is_api: bool,
    /// There may be no body.
    is_optional: bool,
    /// It can be sent twice without harm.
    may_repeat: bool,
    content_length: Option<u64>,
    credentials: Credentials,
    /// Body and all have come.
    is_whole: bool,
    /// What the breaker is to hear; `None` before the request is released, and over the hop.
    admission: Option<Admission>,
}

/// How far a request has come.
#[derive(Debug)]
enum Phase {
    /// Head and body are held: the model has not come yet.
    Held(Scanner),
    /// They are on their way; the scan goes on.
    Scanning(Scanner),
    /// They are on their way; nobody reads them.
    Passing,
    /// Answered by the gateway.
    Over,
}

/// What Envoy is to do.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Let what has come go on.
    Continue,
    /// Keep it, and wait for more.
    Hold,
    /// Route the request, change it so, and let it go.
    Release(Release),
    /// Answer in the provider's place; nothing more goes to a provider.
    Reply(Reply),
}

impl Session {
    /// Reads the head. `end` says that no body follows.
    pub fn begin<H>(gateway: Rc<Gateway>, host: &H, head: &Head<'_>, end: bool) -> (Self, Step)
    where
        H: Host + ?Sized,
    {
        let (path, request) = ClientPath::read(head.method, head.path, &gateway.base_paths);
        let mut session = Self {
            phase: Phase::Over,
            shape: request.shape,
            path,
            named: None,
            is_api: request.endpoint.is_api(),
            is_optional: false,
            content_length: head.content_length,
            credentials: head.credentials,
            is_whole: end,
            may_repeat: request.endpoint.may_repeat(),
            admission: None,
            gateway,
        };
        let step = match request.endpoint {
            Endpoint::Own(own, place) => session.answer(host, head, (own, &place)),
            Endpoint::Model(ModelIn::Body(body)) => session.hold(host, head, body, end),
            Endpoint::Model(ModelIn::Path(place, body)) => {
                session.named = Some(place);
                match body {
                    Some(body) => session.hold(host, head, body, end),
                    None => session.route(host, None),
                }
            }
            Endpoint::Model(ModelIn::Query) => session.route_by_query(host),
            Endpoint::NoModel | Endpoint::Unknown => session.pass(host, head),
            Endpoint::Refused => Err(session.unknown_url(head)),
        };
        let step = step.unwrap_or_else(|reject| session.reject(host, &reject));
        (session, step)
    }

    /// Reads bytes of the body, in their order.
    ///
    /// # Errors
    /// The answer to a body that is refused; nothing may be fed behind it.
    pub fn feed<H: Host + ?Sized>(&mut self, host: &H, bytes: &[u8]) -> Result<(), Reply> {
        let result = match &mut self.phase {
            Phase::Held(scanner) | Phase::Scanning(scanner) => scanner.feed(bytes),
            Phase::Passing | Phase::Over => Ok(()),
        };
        result.map_err(|error| self.refuse(host, &Reject::Body(error)))
    }

    /// Decides what becomes of the bytes that were fed. `end` says that the body is complete.
    pub fn advance<H: Host + ?Sized>(&mut self, host: &H, end: bool) -> Step {
        self.is_whole |= end;
        self.try_advance(host, end).unwrap_or_else(|reject| self.reject(host, &reject))
    }

    /// The response begins, with this status. `details` is Envoy's `response.code_details`.
    pub fn respond<H>(&mut self, host: &H, status: u32, details: impl FnOnce() -> Vec<u8>)
    where
        H: Host + ?Sized,
    {
        let Some(admission) = &mut self.admission else { return };
        let sent =
            Sent { is_whole: self.is_whole, is_api: self.is_api, is_probe: admission.is_probe() };
        admission.note(host, &self.gateway, outcome::at_headers(status, sent, details));
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    pub fn end<H>(&mut self, host: &H, flags: u64, details: impl FnOnce() -> Vec<u8>)
    where
        H: Host + ?Sized,
    {
        if let Some(admission) = self.admission.take() {
            admission.end(host, &self.gateway, self.is_whole, (flags, details));
        }
    }

    /// The shape of the client's errors.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether the next bytes are to be fed.
    pub fn reads_body(&self) -> bool {
        matches!(self.phase, Phase::Held(_) | Phase::Scanning(_))
    }

    /// Whether what has come of the body is held.
    pub fn holds_body(&self) -> bool {
        matches!(self.phase, Phase::Held(_))
    }

    /// Refuses the request: there is no room to hold it.
    pub fn no_room<H: Host + ?Sized>(&mut self, host: &H) -> Step {
        self.reject(host, &Reject::NoRoom)
    }

    /// The provider that the request went to; `None` while it has none, was answered here, or went
    /// over the hop.
    pub fn provider(&self) -> Option<&Provider> {
        self.admission.and_then(|own| self.gateway.provider(own.provider))
    }

    fn answer<H>(
        &mut self,
        host: &H,
        head: &Head<'_>,
        (own, place): (Own, &Range<usize>),
    ) -> Result<Step, Reject>
    where
        H: Host + ?Sized,
    {
        if head.is_anthropic {
            self.shape = Shape::Anthropic;
        }
        own::answer(own, &self.gateway, host, (&self.path, place), self.shape).map(Step::Reply)
    }

    fn hold<H>(&mut self, host: &H, head: &Head<'_>, body: Body, end: bool) -> Result<Step, Reject>
    where
        H: Host + ?Sized,
    {
        self.is_optional = body.is_optional;
        if head.encoding.is_some() {
            return Err(Reject::Encoded);
        }
        let scanner = scanner(head.content_type, body)?;
        if query_values(self.path.as_str(), b"model").next().is_some() {
            return Err(Reject::ModelInQuery);
        }
        if end {
            return self.route_without_body(host);
        }
        self.phase = Phase::Held(scanner);
        Ok(Step::Hold)
    }

    fn route_by_query<H: Host + ?Sized>(&mut self, host: &H) -> Result<Step, Reject> {
        let path = self.path.as_str();
        let mut places = query_values(path, b"model");
        let (first, second) = (places.next(), places.next());
        // Some servers take a `;` for a divider and some for a part of the value.
        let is_ambiguous = second.is_some() || (first.is_some() && path.contains(';'));
        drop(places);
        self.named = first;
        match is_ambiguous {
            true => Err(Reject::ModelsInQuery),
            false => self.route(host, None),
        }
    }

    fn pass<H: Host + ?Sized>(&mut self, host: &H, head: &Head<'_>) -> Result<Step, Reject> {
        match self.gateway.default_provider {
            Some(_) => self.route(host, None),
            None => Err(self.unknown_url(head)),
        }
    }

    fn unknown_url(&self, head: &Head<'_>) -> Reject {
        Reject::UnknownUrl {
            method: String::from_utf8_lossy(head.method).into_owned(),
            path: without_query(self.path.as_str()).to_owned(),
        }
    }

    fn try_advance<H: Host + ?Sized>(&mut self, host: &H, end: bool) -> Result<Step, Reject> {
        let (held, scanner) = match &self.phase {
            Phase::Held(scanner) => (true, scanner),
            Phase::Scanning(scanner) => (false, scanner),
            Phase::Passing => return Ok(Step::Continue),
            Phase::Over => return Ok(Step::Hold),
        };
        // A provider that counts bytes has the whole request before Envoy says that it ended.
        let end = end || self.content_length.is_some_and(|length| scanner.offset() >= length);
        self.is_whole |= end;
        match end {
            true if held && scanner.offset() == 0 => return self.route_without_body(host),
            true => scanner.finish().map_err(Reject::Body)?,
            false => {}
        }
        // Where the model must have come: the same for every way in which the body is cut.
        let limit = self.gateway.body_limit_bytes;
        match scanner.model() {
            _ if !held => Ok(Step::Continue),
            Some(found) if found.end <= limit => self.route(host, Some(&found.clone())),
            None if scanner.offset() <= limit => match end || scanner.is_complete() {
                // Nothing can follow that would still name one.
                true => self.route(host, None),
                false => Ok(Step::Hold),
            },
            _ => Err(Reject::TooLarge(limit)),
        }
    }

    fn route_without_body<H: Host + ?Sized>(&mut self, host: &H) -> Result<Step, Reject> {
        match self.is_optional {
            true => self.route(host, None),
            false => Err(Reject::EmptyBody),
        }
    }

    fn reject<H: Host + ?Sized>(&mut self, host: &H, reject: &Reject) -> Step {
        Step::Reply(self.refuse(host, reject))
    }

    /// Whatever the provider has of the request, it was not its fault.
    fn refuse<H: Host + ?Sized>(&mut self, host: &H, reject: &Reject) -> Reply {
        self.phase = Phase::Over;
        if let Some(admission) = self.admission.take() {
            admission.give_up(host, &self.gateway);
        }
        host.count(Metric::Refused(reject.code()));
        reject.reply(self.shape)
    }
}

/// The scanner for a body of this type.
fn scanner(content_type: ContentType<'_>, body: Body) -> Result<Scanner, Reject> {
    match content_type {
        ContentType::Other => Ok(Scanner::Json(JsonScanner::default())),
        ContentType::Multipart(value) if body.is_form => {
            let boundary = Boundary::parse(value).map_err(Reject::Boundary)?;
            Ok(Scanner::Form(FormScanner::new(boundary)))
        }
        ContentType::Multipart(_) | ContentType::UrlEncoded | ContentType::Several => {
            Err(Reject::Form)
        }
    }
}

#[cfg(test)]
mod tests;
