//! One request, from its head to its answer: the only file that knows the order.
//!
//! ```text
//! begin ──> Own path: Reply
//!   │ └───> no model in it: Release to the default provider ──> the body passes unread
//!   └─────> Hold ── feed* ── advance ──┬─> Hold     the model has not come yet
//!                     ^                ├─> Release  it has: route, ask the breaker, edit, let go
//!                     └── feed* ───────┼─> Continue the scan goes on behind it
//!                                      └─> Reply    whatever is wrong, at any time
//! respond ──> end                         what became of it: the breaker hears of both
//! ```
//!
//! No clock, no dice: bytes in, decisions out, and a [`Host`] for what is shared.

use std::rc::Rc;

use crate::body::{Edit, FoundModel, JsonScanner};
use crate::breaker::{Outcome, Ticket, shared};
use crate::config::{Gateway, Provider, ProviderId};
use crate::endpoint::{self, Endpoint, ModelIn, Own, Shape};
use crate::head::{Credentials, Head};
use crate::host::Host;
use crate::metrics::{Metric, RequestOutcome};
use crate::model::ModelName;
use crate::outcome::{self, Sent};
use crate::reply::{Reject, Reply};
use crate::route::NoRoute;
use crate::status::Status;

/// A request under way.
#[derive(Debug)]
pub struct Session {
    gateway: Rc<Gateway>,
    phase: Phase,
    shape: Shape,
    /// The path as it is below the base path, when the provider's may differ from the client's.
    path: Path,
    content_length: Option<u64>,
    credentials: Credentials,
    /// Body and all have come.
    is_whole: bool,
    attempt: Option<Attempt>,
}

/// A request that went to a provider.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    provider: ProviderId,
    /// What its breaker admitted it as; `None` without a breaker.
    ticket: Option<Ticket>,
    /// What is known of its outcome: nothing until the response begins.
    outcome: Option<Outcome>,
}

#[derive(Debug)]
enum Phase {
    /// Head and body are held: the model has not come yet.
    Held(JsonScanner),
    /// They are on their way; the scan goes on.
    Scanning(JsonScanner),
    /// They are on their way; nobody reads them.
    Passing,
    /// Answered by the gateway.
    Over,
}

/// A client's path.
#[derive(Debug)]
struct Path {
    /// Without the base path, with the query.
    below_base: String,
    /// It had a base path.
    had_base: bool,
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

/// How a request is changed on its way out.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// Who gets it.
    pub provider: ProviderId,
    /// The provider's path, where it is not the client's.
    pub path: Option<String>,
    /// The model's new name, where it has one.
    pub edit: Option<Edit>,
    /// The new `content-length`, where there was one and it has changed.
    pub content_length: Option<u64>,
    /// The client's credentials, to be removed where the provider's own takes their place; `None`
    /// where they pass: on a path that is not of the API (LiteLLM's `/key/generate`), the
    /// gateway's key would make everyone an administrator.
    pub replaces: Option<Credentials>,
}

impl Session {
    /// Reads the head. `end` says that no body follows.
    pub fn begin<H>(gateway: Rc<Gateway>, host: &H, head: &Head<'_>, end: bool) -> (Self, Step)
    where
        H: Host + ?Sized,
    {
        let full_path = String::from_utf8_lossy(head.path);
        let below_base = endpoint::strip_base(&full_path, &gateway.base_paths);
        let plain = without_query(below_base.unwrap_or(&full_path));
        let endpoint = match below_base {
            Some(_) => Endpoint::classify(head.method, plain),
            None => own_or_other(head.method, plain),
        };
        let mut session = Self {
            phase: Phase::Over,
            shape: Shape::of(plain),
            path: Path {
                below_base: below_base.unwrap_or(&full_path).to_owned(),
                had_base: below_base.is_some_and(|below| below.len() < full_path.len()),
            },
            content_length: head.content_length,
            credentials: head.credentials,
            is_whole: end,
            attempt: None,
            gateway,
        };
        let step = match endpoint {
            Endpoint::Own(own) => Ok(session.answer(host, own)),
            Endpoint::Model(ModelIn::JsonBody) => session.hold(head, end),
            Endpoint::Other => session.pass(host, head, below_base.is_some()),
            Endpoint::Refused => session.pass(host, head, false),
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
        let ticket = self.attempt.and_then(|attempt| attempt.ticket);
        let sent = Sent {
            is_whole: self.is_whole,
            is_api: self.is_api(),
            is_probe: ticket.is_some_and(|ticket| ticket.is_probe()),
        };
        self.note(host, outcome::at_headers(status, sent, details));
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    ///
    /// A success of a request that saw failures makes them forgotten only here: were it when the
    /// response begins, a provider whose streams all break off would never have failed in a row.
    pub fn end<H>(&mut self, host: &H, flags: u64, details: impl FnOnce() -> Vec<u8>)
    where
        H: Host + ?Sized,
    {
        let Some((attempt, noted)) = self.take_attempt(host) else { return };
        let last = match noted {
            Outcome::Success => outcome::at_end(flags, self.is_whole, details),
            Outcome::Failure | Outcome::Neutral => noted,
        };
        host.count(Metric::Request(attempt.provider, RequestOutcome::Sent(last)));
        let provider = self.gateway.provider(attempt.provider);
        if let (Outcome::Success, Some(ticket), Some(provider)) = (noted, attempt.ticket, provider)
        {
            shared::record(host, attempt.provider, provider, ticket, last);
        }
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

    /// The provider that the request went to; `None` while it has none, or was answered here.
    pub fn provider(&self) -> Option<&Provider> {
        self.attempt.and_then(|attempt| self.gateway.provider(attempt.provider))
    }

    fn answer<H: Host + ?Sized>(&self, host: &H, own: Own) -> Step {
        Step::Reply(match own {
            Own::Liveness => Reply::document(200, &Status::alive()),
            Own::Readiness => match Status::can_serve(&self.gateway, host) {
                true => Reply::document(200, &Status::ready()),
                false => Reply::document(503, &Status::unavailable()),
            },
            Own::Health => Reply::document(200, &Status::of(&self.gateway, host)),
        })
    }

    fn hold(&mut self, head: &Head<'_>, end: bool) -> Result<Step, Reject> {
        if head.encoding.is_some() {
            return Err(Reject::Encoded);
        }
        if head.is_form {
            return Err(Reject::Form);
        }
        if names_model(&self.path.below_base) {
            return Err(Reject::ModelInQuery);
        }
        if end {
            return Err(Reject::EmptyBody);
        }
        self.phase = Phase::Held(JsonScanner::default());
        Ok(Step::Hold)
    }

    fn pass<H>(&mut self, host: &H, head: &Head<'_>, below_base: bool) -> Result<Step, Reject>
    where
        H: Host + ?Sized,
    {
        match self.gateway.default_provider.filter(|_| below_base) {
            Some(provider) => self.release(host, provider, None),
            None => Err(Reject::UnknownUrl {
                method: String::from_utf8_lossy(head.method).into_owned(),
                path: without_query(&self.path.below_base).to_owned(),
            }),
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
            true if scanner.offset() == 0 => return Err(Reject::EmptyBody),
            true => scanner.finish().map_err(Reject::Body)?,
            false => {}
        }
        // Where the model must have come: the same for every way in which the body is cut.
        let limit = self.gateway.body_limit_bytes;
        match scanner.model() {
            _ if !held => Ok(Step::Continue),
            Some(found) if found.end <= limit => self.route(host, &found.clone()),
            None if scanner.offset() <= limit => match end || scanner.is_complete() {
                // Nothing can follow that would still name one.
                true => {
                    let provider = self.gateway.default_provider.ok_or(Reject::NoModel)?;
                    self.release(host, provider, None)
                }
                false => Ok(Step::Hold),
            },
            _ => Err(Reject::TooLarge(limit)),
        }
    }

    fn route<H: Host + ?Sized>(&mut self, host: &H, found: &FoundModel) -> Result<Step, Reject> {
        let gateway = Rc::clone(&self.gateway);
        let model = ModelName::try_from(found.value.clone()).map_err(Reject::Model)?;
        let target = match gateway.routes.decide(&model) {
            Ok(decision) => decision.target,
            Err(NoRoute::MissingModel(namespace)) => {
                return Err(Reject::NamespaceAlone(namespace.to_owned()));
            }
            Err(NoRoute::NotFound) => return Err(Reject::ModelNotFound(found.value.clone())),
        };
        let edit = (target.model != found.value).then(|| Edit::json_model(found, target.model));
        self.release(host, target.provider, edit)
    }

    fn release<H>(
        &mut self,
        host: &H,
        provider: ProviderId,
        edit: Option<Edit>,
    ) -> Result<Step, Reject>
    where
        H: Host + ?Sized,
    {
        let ticket = self.admit(host, provider)?;
        self.attempt = Some(Attempt { provider, ticket, outcome: None });
        self.phase = match std::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Held(scanner) => Phase::Scanning(scanner),
            _ => Phase::Passing,
        };
        let resized = edit.as_ref().zip(self.content_length);
        Ok(Step::Release(Release {
            provider,
            path: self.provider_path(),
            content_length: resized.map(|(edit, length)| edit.resized(length)),
            edit,
            replaces: self.is_api().then_some(self.credentials),
        }))
    }

    fn is_api(&self) -> bool {
        endpoint::is_api(without_query(&self.path.below_base))
    }

    fn admit<H>(&self, host: &H, id: ProviderId) -> Result<Option<Ticket>, Reject>
    where
        H: Host + ?Sized,
    {
        let Some(provider) = self.gateway.provider(id) else { return Ok(None) };
        shared::admit(host, id, provider).map_err(|retry_after_ms| {
            host.count(Metric::Request(id, RequestOutcome::Rejected));
            Reject::Unavailable {
                provider: provider.name.clone(),
                retry_after_secs: retry_after_ms.div_ceil(1000).max(1),
            }
        })
    }

    /// The breaker hears of failures and of probes as soon as the response begins.
    fn note<H: Host + ?Sized>(&mut self, host: &H, outcome: Outcome) {
        let Some(attempt) = &mut self.attempt else { return };
        attempt.outcome = Some(outcome);
        let provider = self.gateway.provider(attempt.provider);
        let (Some(ticket), Some(provider)) = (&mut attempt.ticket, provider) else { return };
        if ticket.is_probe() {
            host.count(Metric::Probe(attempt.provider, outcome));
        }
        if ticket.is_probe() || outcome != Outcome::Success {
            *ticket = shared::record(host, attempt.provider, provider, *ticket, outcome);
        }
    }

    fn provider_path(&self) -> Option<String> {
        let url = self.provider().and_then(|provider| provider.url.as_ref());
        match url.filter(|url| !url.keeps_paths()) {
            Some(url) => Some(url.path(&self.path.below_base)),
            None => self.path.had_base.then(|| self.path.below_base.clone()),
        }
    }

    /// The attempt is over, with what is known of its outcome; nothing known is neutral.
    fn take_attempt<H: Host + ?Sized>(&mut self, host: &H) -> Option<(Attempt, Outcome)> {
        if self.attempt?.outcome.is_none() {
            self.note(host, Outcome::Neutral);
        }
        let attempt = self.attempt.take()?;
        Some((attempt, attempt.outcome.unwrap_or(Outcome::Neutral)))
    }

    fn reject<H: Host + ?Sized>(&mut self, host: &H, reject: &Reject) -> Step {
        Step::Reply(self.refuse(host, reject))
    }

    /// Whatever the provider has of the request, it was not its fault.
    fn refuse<H: Host + ?Sized>(&mut self, host: &H, reject: &Reject) -> Reply {
        self.phase = Phase::Over;
        if let Some((attempt, outcome)) = self.take_attempt(host) {
            host.count(Metric::Request(attempt.provider, RequestOutcome::Sent(outcome)));
        }
        host.count(Metric::Refused(reject.code()));
        reject.reply(self.shape)
    }
}

/// Outside every base path only the gateway itself answers.
fn own_or_other(method: &[u8], path: &str) -> Endpoint {
    match Endpoint::classify(method, path) {
        own @ Endpoint::Own(_) => own,
        _ => Endpoint::Other,
    }
}

/// Whether a query has a `model`, however it is escaped: a provider might take that one.
fn names_model(path: &str) -> bool {
    let (_, query) = path.split_once('?').unwrap_or((path, ""));
    let key = |pair: &str| unescaped(pair.split('=').next().unwrap_or_default());
    query.split(['&', ';']).any(|pair| key(pair) == b"model")
}

/// Decodes `%XX` (RFC 3986, section 2.1); what is no escape stays.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let (byte, length) = match (*first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, 2),
            (byte, ..) => (byte, 0),
        };
        bytes.push(byte);
        rest = behind.get(length..).unwrap_or_default();
    }
    bytes
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests;
