//! One attempt of a request that may take several. [`crate::session`] handles the client's request before the hop, and this
//! module the same request after the hop.
//!
//! ```text
//! begin ──┬─> Outgoing  to the target, with its model, path and credential
//!         └─> Reply     no target is left
//! respond ┬─> Pass      to the client, or back to Envoy's router, marked to be sent again
//!         └─> Hold      until the body has begun, or until an error is known
//! feed*   ──> Pass, Release, or Append an error to a stream without its last event
//! tick    ──> a deadline has passed: another target, or a visible end
//! end ──────> the breaker and the history hear the outcome
//! ```
//!
//! | phase | event | next |
//! |---|---|---|
//! | waiting | a failed head, or a deadline | over |
//! | waiting | another protocol: 101 | tunnel |
//! | waiting | a good head that another target could replace | head |
//! | waiting | an error whose body may say more: about the context's length, or about a spent quota | error |
//! | waiting | any other head | streaming |
//! | head | an answer begins: the first event, the first object, or the first byte of anything else | streaming |
//! | head | an error of the client's | streaming |
//! | head | an error that another target may not have | over |
//! | head | the end without a byte, or a deadline | over, or streaming where no target is left |
//! | error | the end, enough bytes, or a deadline | over, or streaming |
//! | streaming | a stall, an error of the provider's, or an end without the last event | over |
//! | tunnel | anything | tunnel |

mod action;
mod deadline;
mod draw;
mod limit;
mod metering;
mod opening;
mod response;

use std::rc::Rc;

use super::history::{AttemptId, Begun, Histories, NoTarget};
use super::reader::AnswerReader;
use super::stream_end::StreamEnd;
use crate::body::{StreamOptions, UsageQuestion};
use crate::breaker::{Arrival, Ask, Evidence};
use crate::gateway::{Account, Gateway, Provider};
use crate::health::admission::Admission;
use crate::health::details::{CLIENT_LEFT, Details};
use crate::health::outcome::{self, SentRequest};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::keys::Charges;
use crate::reply::Reject;
use crate::request::endpoint::{Endpoint, ModelIn, Shape};
use crate::request::escape::without_query;
use crate::request::head::{ContentType, Head};
use crate::request::model::ModelName;
use crate::request::path::ClientPath;
use crate::route::{ChainTarget, UnderWay};
use crate::session::hop::Crossing;
use crate::session::outgoing::{Departure, Outgoing};
use crate::usage::Meter;

pub use action::{AttemptReply, ResponseAction, RetryHeaders};

/// The size of the pieces in which a body is copied into the VM, whose memory never shrinks.
const PIECE_BYTES: usize = 64 * 1024;

/// An attempt under way.
#[derive(Debug)]
pub struct Attempt {
    gateway: Rc<Gateway>,
    histories: Rc<Histories>,
    id: AttemptId,
    shape: Shape,
    /// Whose credential the provider sees.
    account: Account,
    /// The last event of the stream, on paths whose last event is known.
    stream_end: Option<StreamEnd>,
    admission: Option<Admission>,
    phase: AttemptPhase,
    /// When the provider had the whole request.
    asked_ms: u64,
    content_length: Option<u64>,
    /// The whole request has come.
    is_whole: bool,
    /// Reads whether the request asks for a stream, where the provider has a deadline for streams.
    stream_options: Option<Box<StreamOptions>>,
    /// What the attempt uses; `None` where attempts are not metered.
    meter: Option<Meter>,
    /// Where the usage counts beside the ledger; `None` once it is charged, and where nothing is limited.
    charges: Option<Charges>,
    /// Where the tokens count for the deployment; `None` once they are counted, and where nothing is limited.
    token_limit: Option<(String, u32)>,
    /// One of the deployment's requests, where a group looks at these.
    under_way: Option<UnderWay>,
    /// What the client is to get in the place of the bytes that Envoy has.
    passing: Passing,
}

/// What the client is to get in the place of pieces of the response that Envoy has.
#[derive(Debug, Default)]
struct Passing {
    bytes: Vec<u8>,
    /// These are not the bytes of the pieces.
    has_changed: bool,
}

/// How far the response has come; the module's table has the transitions.
#[derive(Debug)]
enum AttemptPhase {
    /// The response has not begun.
    Waiting,
    /// The head is held until the body has begun with an answer, or with an error. When the last piece has come.
    Head(AnswerReader, u64),
    /// Head and body are held until it is known what error this is.
    Error { held: Vec<u8>, since_ms: u64, suspect: Suspect },
    /// The response is on its way to the client.
    Streaming { reader: Option<AnswerReader>, bytes: u64, last_ms: u64 },
    /// Bytes of another protocol go both ways.
    Tunnel,
    /// The response is on its way back to Envoy's router, or the gateway answered.
    Over,
}

/// What the body of an error may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspect {
    /// That the request is too long for the model.
    ContextLength,
    /// That the quota is spent. Else the provider is asked again after these seconds.
    Quota { retry_after_secs: Option<u64> },
}

impl Attempt {
    /// Reads the head of a request that came over the hop.
    ///
    /// # Errors
    /// The answer when no target is left.
    pub fn begin(
        gateway: Rc<Gateway>,
        histories: Rc<Histories>,
        host: &dyn Host,
        head: &Head<'_>,
        end: bool,
    ) -> Result<(Self, Outgoing), AttemptReply> {
        let (path, request) = ClientPath::read(head.method, head.path, &gateway.base_paths);
        let refuse = |NoTarget { reject, attempts }| {
            AttemptReply::refusing(host, &reject, request.shape, attempts)
        };
        let foreign = || refuse(NoTarget { reject: Reject::NoCrossing, attempts: 0 });
        let crossing = Crossing::from_header(head.crossing).ok_or_else(foreign)?;
        let asked = ModelName::try_from(crossing.asked.clone()).map_err(|_| foreign())?;
        let targets =
            || draw::targets(&gateway, histories.loads(), host, head, &crossing, &asked, &path);
        let arrival = Arrival::of(head.is_upgrade, end || crossing.is_whole);
        let ask = Ask { arrival, asker: crossing.asker };
        let begun = histories.begin(host, &gateway, &crossing.request, ask, targets);
        let Begun { target, admission, number } = begun.map_err(refuse)?;
        let outgoing = outgoing(&gateway, head, &crossing, &path, &request.endpoint, &target);
        let (under_way, token_limit) = draw::begin(&gateway, histories.loads(), host, &target);
        let has_question = outgoing.question.is_some();
        let account = gateway.provider(target.provider).map_or(Account::Gateway, |provider| {
            Account::of(provider, &head.credentials.sent(), path.as_str())
        });
        let meter = metering::begin(
            &gateway,
            host,
            &crossing,
            &path,
            &target,
            (number, head.content_length),
            has_question,
        );
        let has_deadline = gateway
            .provider(target.provider)
            .is_some_and(|provider| provider.first_token_ms.is_some());
        let is_json = head.content_type == ContentType::Other;
        let stream_options = (has_deadline && is_json).then(Box::default);
        let charges = crossing.caller.as_ref().map(|caller| caller.charges.clone());
        let attempt = Self {
            account,
            asked_ms: host.now_ms(),
            content_length: head.content_length,
            gateway,
            histories,
            id: AttemptId { request: crossing.request, number },
            shape: request.shape,
            stream_end: StreamEnd::of(without_query(path.as_str())),
            admission: Some(admission),
            phase: AttemptPhase::Waiting,
            is_whole: end,
            stream_options,
            charges: charges.filter(|charges| meter.is_some() && *charges != Charges::default()),
            meter,
            token_limit,
            under_way,
            passing: Passing::default(),
        };
        Ok((attempt, outgoing))
    }

    /// The shape of the client's errors.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The provider that is asked.
    pub fn provider(&self) -> Option<&Provider> {
        let admission = self.admission.as_ref()?;
        self.gateway.provider(admission.provider)
    }

    /// A piece of the request's body has come, of `size` bytes; `read` reads bytes of it where they are looked at.
    pub fn read_request(&mut self, size: usize, read: impl Fn(usize, usize) -> Vec<u8>) {
        let Some(options) = &mut self.stream_options else { return };
        for start in (0..size).step_by(PIECE_BYTES) {
            options.feed(&read(start, size.saturating_sub(start).min(PIECE_BYTES)));
        }
    }

    /// The first `bytes` bytes of the request's body have come, or its end. When the request is whole, the provider's time begins; a
    /// provider that counts bytes has the whole request before Envoy says that it ended.
    pub fn request_passed(&mut self, host: &dyn Host, bytes: u64, end: bool) {
        self.meter.iter_mut().for_each(|meter| meter.request_passed(bytes));
        let is_whole = end || self.content_length.is_some_and(|length| bytes >= length);
        if is_whole && !self.is_whole {
            self.is_whole = true;
            self.asked_ms = host.now_ms();
            if let Some(admission) = &self.admission {
                admission.body_came(host, &self.gateway);
            }
        }
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    pub fn end(&mut self, host: &dyn Host, flags: u64, details: &[u8]) {
        self.end_meter(host);
        // After a reset by the provider, Envoy's router leaves: the client has not.
        let flags = match Details::parse(details).is_reset() {
            true => flags & !CLIENT_LEFT,
            false => flags,
        };
        // Of a response that breaks off at once Envoy's router may have seen nothing, and go on.
        let is_answered = match self.phase {
            AttemptPhase::Streaming { .. } => flags == 0,
            AttemptPhase::Tunnel => true,
            AttemptPhase::Waiting
            | AttemptPhase::Head(..)
            | AttemptPhase::Error { .. }
            | AttemptPhase::Over => false,
        };
        let has_left = flags & CLIENT_LEFT != 0;
        let (sent, details) = (self.sent(), || details.to_vec());
        if let AttemptPhase::Head(..) = self.phase {
            self.note(host, outcome::at_end(flags, sent, details));
        }
        match (self.admission.take(), &self.phase) {
            // Envoy's router has gone on, and has closed this attempt.
            (Some(admission), AttemptPhase::Over) => admission.settle(host, &self.gateway),
            (Some(admission), _) => {
                admission.end(host, &self.gateway, sent, flags, details);
            }
            (None, _) => {}
        }
        self.histories.end(host, &self.gateway, &self.id, is_answered || has_left);
    }

    /// Each attempt is for a model.
    fn sent(&self) -> SentRequest {
        let can_heal = self.admission.as_ref().is_some_and(Admission::can_heal);
        SentRequest { is_whole: self.is_whole, has_model: true, can_heal, account: self.account }
    }

    fn note(&mut self, host: &dyn Host, evidence: Evidence) {
        if let Some(admission) = &mut self.admission {
            admission.note(host, &self.gateway, evidence);
        }
    }

    /// The attempt is over, with this evidence, and so is the request.
    fn conclude(&mut self, host: &dyn Host, evidence: Evidence) {
        self.phase = AttemptPhase::Over;
        self.histories.forget(&self.id.request);
        if let Some(admission) = self.admission.take() {
            admission.conclude(host, &self.gateway, evidence);
        }
    }
}

impl AttemptReply {
    fn refusing(host: &dyn Host, reject: &Reject, shape: Shape, attempts: u32) -> Self {
        host.count(Metric::Refused(reject.code()));
        let headers = RetryHeaders { again: None, attempts, is_hopeless: attempts > 1 };
        Self { reply: reject.reply(shape), headers }
    }
}

/// The request as the target gets it.
fn outgoing(
    gateway: &Gateway,
    head: &Head<'_>,
    crossing: &Crossing,
    path: &ClientPath,
    endpoint: &Endpoint,
    target: &ChainTarget,
) -> Outgoing {
    let Some(provider) = gateway.provider(target.provider) else { return Outgoing::default() };
    let is_other = target.model != crossing.asked;
    let place = match endpoint {
        Endpoint::Model(ModelIn::Path(place, _)) => Some(place),
        _ => None,
    };
    let resource = match endpoint {
        Endpoint::Model(ModelIn::Path(_, Some(body))) => body.resource,
        _ => "",
    };
    let renamed = place.filter(|_| is_other).map(|place| path.renamed(place, &target.model));
    // Where the path names the model, the body may name another.
    let in_body = crossing.place.filter(|_| is_other || place.is_some());
    let question = crossing.question.filter(|_| gateway.meters && provider.includes_usage);
    Outgoing::of(Departure {
        provider,
        path,
        model: Some(&target.model),
        renamed,
        question: question.map(UsageQuestion::edit),
        edit: in_body.map(|in_body| in_body.edit(resource, &target.model)),
        content_length: head.content_length,
        is_decompressed: false,
        sent: &head.credentials.sent(),
        is_api: true,
    })
}

#[cfg(test)]
mod tests;
