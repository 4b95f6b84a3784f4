//! One request, from its head to its answer: the only file that knows the order.
//!
//! ```text
//! begin ──> Own path: Reply
//!   │ └───> no model in it: Release to the default provider ──> the body passes unread
//!   └─────> Hold ── feed* ── advance ──┬─> Hold     the model has not come yet
//!                     ^                ├─> Release  it has: route, edit, let go
//!                     └── feed* ───────┼─> Continue the scan goes on behind it
//!                                      └─> Reply    whatever is wrong, at any time
//! ```
//!
//! No clock, no dice, no host: bytes in, decisions out.

use std::rc::Rc;

use serde::Serialize;

use crate::body::{Edit, FoundModel, JsonScanner};
use crate::config::{Gateway, Provider, ProviderId};
use crate::endpoint::{self, Endpoint, ModelIn, Own, Shape};
use crate::head::{Credentials, Head};
use crate::model::ModelName;
use crate::reply::{Reject, Reply};
use crate::route::NoRoute;

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
    provider: Option<ProviderId>,
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
    /// The client's credentials, to be removed for a provider that has its own.
    pub credentials: Credentials,
}

impl Session {
    /// Reads the head. `end` says that no body follows.
    pub fn begin(gateway: Rc<Gateway>, head: &Head<'_>, end: bool) -> (Self, Step) {
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
            provider: None,
            gateway,
        };
        let step = match endpoint {
            Endpoint::Own(own) => session.answer(own),
            Endpoint::Model(ModelIn::JsonBody) => session.hold(head, end),
            Endpoint::Other => session.pass(head, below_base.is_some()),
        };
        let step = step.unwrap_or_else(|reject| session.reject(&reject));
        (session, step)
    }

    /// Reads bytes of the body, in their order.
    ///
    /// # Errors
    /// The answer to a body that is refused; nothing may be fed behind it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Reply> {
        let result = match &mut self.phase {
            Phase::Held(scanner) | Phase::Scanning(scanner) => scanner.feed(bytes),
            Phase::Passing | Phase::Over => Ok(()),
        };
        result.map_err(|error| self.refuse(&Reject::Body(error)))
    }

    /// Decides what becomes of the bytes that were fed. `end` says that the body is complete.
    pub fn advance(&mut self, end: bool) -> Step {
        self.try_advance(end).unwrap_or_else(|reject| self.reject(&reject))
    }

    /// Whether the next bytes are to be fed.
    pub fn reads_body(&self) -> bool {
        matches!(self.phase, Phase::Held(_) | Phase::Scanning(_))
    }

    /// How many bytes of the body were fed and are still held.
    pub fn held_bytes(&self) -> u64 {
        match &self.phase {
            Phase::Held(scanner) => scanner.offset(),
            _ => 0,
        }
    }

    /// The provider that the request went to; `None` while it has none, or was answered here.
    pub fn provider(&self) -> Option<&Provider> {
        self.provider.and_then(|id| self.gateway.provider(id))
    }

    fn answer(&mut self, own: Own) -> Result<Step, Reject> {
        let status = match own {
            Own::Liveness => "ok",
            Own::Readiness => "ready",
        };
        Ok(Step::Reply(Reply::ok(&Status { status })))
    }

    fn hold(&mut self, head: &Head<'_>, end: bool) -> Result<Step, Reject> {
        if head.encoding.is_some() {
            return Err(Reject::Encoded);
        }
        if end {
            return Err(Reject::EmptyBody);
        }
        self.phase = Phase::Held(JsonScanner::default());
        Ok(Step::Hold)
    }

    fn pass(&mut self, head: &Head<'_>, below_base: bool) -> Result<Step, Reject> {
        match self.gateway.default_provider.filter(|_| below_base) {
            Some(provider) => Ok(self.release(provider, None)),
            None => Err(Reject::UnknownUrl {
                method: String::from_utf8_lossy(head.method).into_owned(),
                path: without_query(&self.path.below_base).to_owned(),
            }),
        }
    }

    fn try_advance(&mut self, end: bool) -> Result<Step, Reject> {
        let (held, scanner) = match &self.phase {
            Phase::Held(scanner) => (true, scanner),
            Phase::Scanning(scanner) => (false, scanner),
            Phase::Passing => return Ok(Step::Continue),
            Phase::Over => return Ok(Step::Hold),
        };
        // A provider that counts bytes has the whole request before Envoy says that it ended.
        let end = end || self.content_length.is_some_and(|length| scanner.offset() >= length);
        match end {
            true if scanner.offset() == 0 => return Err(Reject::EmptyBody),
            true => scanner.finish().map_err(Reject::Body)?,
            false => {}
        }
        match scanner.model() {
            _ if !held => Ok(Step::Continue),
            Some(found) => self.route(&found.clone()),
            None if end => {
                let provider = self.gateway.default_provider.ok_or(Reject::NoModel)?;
                Ok(self.release(provider, None))
            }
            None if scanner.offset() > self.gateway.body_limit_bytes => {
                Err(Reject::TooLarge(self.gateway.body_limit_bytes))
            }
            None => Ok(Step::Hold),
        }
    }

    fn route(&mut self, found: &FoundModel) -> Result<Step, Reject> {
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
        Ok(self.release(target.provider, edit))
    }

    fn release(&mut self, provider: ProviderId, edit: Option<Edit>) -> Step {
        self.provider = Some(provider);
        self.phase = match std::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Held(scanner) => Phase::Scanning(scanner),
            _ => Phase::Passing,
        };
        let resized = edit.as_ref().zip(self.content_length);
        Step::Release(Release {
            provider,
            path: self.provider_path(),
            content_length: resized.map(|(edit, length)| edit.resized(length)),
            edit,
            credentials: self.credentials,
        })
    }

    fn provider_path(&self) -> Option<String> {
        let url = self.provider().and_then(|provider| provider.url.as_ref());
        match url.filter(|url| !url.keeps_paths()) {
            Some(url) => Some(url.path(&self.path.below_base)),
            None => self.path.had_base.then(|| self.path.below_base.clone()),
        }
    }

    fn reject(&mut self, reject: &Reject) -> Step {
        Step::Reply(self.refuse(reject))
    }

    fn refuse(&mut self, reject: &Reject) -> Reply {
        self.phase = Phase::Over;
        self.provider = None;
        reject.reply(self.shape)
    }
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// Outside every base path only the gateway itself answers.
fn own_or_other(method: &[u8], path: &str) -> Endpoint {
    match Endpoint::classify(method, path) {
        own @ Endpoint::Own(_) => own,
        _ => Endpoint::Other,
    }
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests;
