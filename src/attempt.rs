//! One attempt of a request that may take several: what [`crate::session`] is to a client's request,
//! this is to what comes over the hop.
//!
//! ```text
//! begin ──┬─> Release   to the target, with its model, path and credential
//!         └─> Reply     nobody is left
//! respond ┬─> Pass      to the client, or back to Envoy's router, marked to be sent again
//!         └─> Hold      until the first byte of the body, or until an error is known
//! feed*   ──> Pass, Release, Append an error to a stream that ends without its end
//! tick    ──> a deadline has passed: another target, or a visible end
//! end ──────> the breaker and the run hear what became of it
//! ```

mod step;

use std::rc::Rc;

use crate::admission::Admission;
use crate::client_path::ClientPath;
use crate::config::{Gateway, Provider, RetryOn};
use crate::endpoint::{Endpoint, ModelIn, Shape};
use crate::head::Head;
use crate::hop::Crossing;
use crate::host::Host;
use crate::metrics::Metric;
use crate::model::ModelName;
use crate::outcome::{self, Outcome, Sent};
use crate::path::without_query;
use crate::release::Release;
use crate::reply::Reject;
use crate::response::{self, Answer, Kind, Watch};
use crate::retry::{Cause, Next};
use crate::route::ChainTarget;
use crate::run::{Begun, Runs};

pub use step::{Instead, Marks, Step};

/// More of a response than this can be held up by a client that does not read: a stall says nothing of
/// the provider then. No model's events are as long.
const STALL_BYTES_MAX: u64 = 512 * 1024;

/// How much of an error is read to know what it is.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// How long that may take.
const ERROR_MS_MAX: u64 = 10_000;

/// An attempt under way.
#[derive(Debug)]
pub struct Attempt {
    gateway: Rc<Gateway>,
    runs: Rc<Runs>,
    run: String,
    number: u32,
    shape: Shape,
    /// Looks out for the end of a stream, where that is known.
    watch: Option<Watch>,
    admission: Option<Admission>,
    phase: Phase,
    asked_ms: u64,
    content_length: Option<u64>,
    /// All of the request has come.
    is_whole: bool,
}

#[derive(Debug)]
enum Phase {
    /// No response yet.
    Waiting,
    /// Its head is held until the first byte of its body.
    Head(Option<Watch>),
    /// Head and body are held until it is known what error this is.
    Error { held: Vec<u8>, since_ms: u64 },
    /// On its way to the client.
    Streaming { watch: Option<Watch>, bytes: u64, last_ms: u64 },
    /// On its way back to Envoy's router, or answered here.
    Over,
}

impl Attempt {
    /// Reads the head of a request that came over the hop.
    ///
    /// # Errors
    /// The answer when there is nobody to send it to.
    pub fn begin<H>(
        gateway: Rc<Gateway>,
        runs: Rc<Runs>,
        host: &H,
        head: &Head<'_>,
        end: bool,
    ) -> Result<(Self, Release), Instead>
    where
        H: Host + ?Sized,
    {
        let (path, request) = ClientPath::read(head.method, head.path, &gateway.base_paths);
        let shape = request.shape;
        let refuse = |reject: Reject, attempts: u32| {
            host.count(Metric::Refused(reject.code()));
            let is_hopeless = attempts > 0;
            Instead {
                reply: reject.reply(shape),
                marks: Marks { again: None, attempts, is_hopeless },
            }
        };
        let no_run = || refuse(Reject::NoRun, 0);
        let crossing = Crossing::from_header(head.run).ok_or_else(no_run)?;
        let asked = ModelName::try_from(crossing.asked.clone()).map_err(|_| no_run())?;
        let targets = || gateway.targets(&asked).unwrap_or_default();
        let Begun { target, admission, number } = runs
            .begin(host, &gateway, &crossing.run, targets)
            .map_err(|(reject, attempts)| refuse(reject, attempts))?;
        let release = towards(&gateway, head, &crossing, (&path, &request.endpoint), &target);
        let attempt = Self {
            asked_ms: host.now_ms(),
            content_length: head.content_length,
            gateway,
            runs,
            run: crossing.run,
            number,
            shape,
            watch: Watch::of(without_query(path.as_str())),
            admission: Some(admission),
            phase: Phase::Waiting,
            is_whole: end,
        };
        Ok((attempt, release))
    }

    /// The shape of the client's errors.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// So much of the request has come, or its end. When it is whole, the provider's time begins; one that
    /// counts bytes has it before Envoy says that it ended.
    pub fn request_passed<H: Host + ?Sized>(&mut self, host: &H, bytes: u64, end: bool) {
        let is_whole = end || self.content_length.is_some_and(|length| bytes >= length);
        if is_whole && !self.is_whole {
            self.is_whole = true;
            self.asked_ms = host.now_ms();
        }
    }

    /// Who is asked.
    pub fn provider(&self) -> Option<&Provider> {
        self.admission.as_ref().and_then(|own| self.gateway.provider(own.provider))
    }

    /// The response begins.
    pub fn respond<H>(&mut self, host: &H, answer: &Answer<'_>) -> Step
    where
        H: Host + ?Sized,
    {
        if let Phase::Over = self.phase {
            return Step::Pass;
        }
        let kind = response::classify(answer);
        if kind == Kind::Good && self.holds_head(answer) {
            self.phase = Phase::Head(self.watch_for(answer));
            return Step::Hold;
        }
        self.note_head(host, answer);
        if kind == Kind::Good && answer.end && answer.status == 200 {
            return self.empty(host);
        }
        match kind {
            Kind::Failed(cause) => {
                Step::Release(self.fail(host, Cause::Of(cause), answer.retry_after_secs))
            }
            Kind::Good => {
                let watch = self.watch_for(answer);
                Step::Release(self.stream(host, watch))
            }
            Kind::MayBeTooLong if !answer.end && self.runs.has_other_model(&self.run) => {
                self.phase = Phase::Error { held: Vec::new(), since_ms: host.now_ms() };
                Step::Hold
            }
            _ => Step::Release(self.stream(host, None)),
        }
    }

    /// A piece of the response's body, of `size` bytes; `read` reads them where they are looked at.
    pub fn feed<H: Host + ?Sized>(
        &mut self,
        host: &H,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
        end: bool,
    ) -> Step {
        match &mut self.phase {
            Phase::Head(_) if size == 0 && !end => Step::Hold,
            Phase::Head(None) if size == 0 => self.empty(host),
            Phase::Head(watch) => match (watch.take(), end) {
                (Some(mut watch), true) => {
                    watch.feed(&read());
                    self.whole_stream(host, &watch)
                }
                (watch, _) => {
                    self.note(host, Outcome::Success);
                    let marks = self.stream(host, watch);
                    self.pass(host, size, read, false);
                    Step::Release(marks)
                }
            },
            Phase::Error { held, .. } => {
                held.extend(read());
                match end || held.len() > ERROR_BYTES_MAX {
                    true => Step::Release(self.judge_error(host)),
                    false => Step::Hold,
                }
            }
            Phase::Streaming { .. } => self.pass(host, size, read, end),
            Phase::Waiting | Phase::Over => Step::Pass,
        }
    }

    /// Looks whether a deadline has passed.
    pub fn tick<H: Host + ?Sized>(&mut self, host: &H) -> Option<Instead> {
        let now_ms = host.now_ms();
        let provider = self.provider()?;
        let passed = |since_ms: u64, limit_ms: Option<u64>| {
            limit_ms.is_some_and(|limit_ms| now_ms.saturating_sub(since_ms) >= limit_ms)
        };
        match &self.phase {
            // Nobody can answer what has not come yet.
            Phase::Waiting | Phase::Head(_)
                if self.is_whole && passed(self.asked_ms, provider.first_token_ms) =>
            {
                self.note(host, Outcome::Failure);
                let marks = self.fail(host, Cause::Of(RetryOn::Timeout), None);
                Some(Instead { reply: Reject::NoFirstToken.reply(self.shape), marks })
            }
            Phase::Streaming { bytes, last_ms, .. }
                if *bytes <= STALL_BYTES_MAX && passed(*last_ms, provider.idle_ms) =>
            {
                self.conclude(host, Outcome::Failure);
                let marks = Marks { attempts: self.number, ..Marks::default() };
                Some(Instead { reply: Reject::Stalled.reply(self.shape), marks })
            }
            Phase::Error { since_ms, .. } if passed(*since_ms, Some(ERROR_MS_MAX)) => {
                let marks = self.stream(host, None);
                self.conclude(host, Outcome::Neutral);
                Some(Instead { reply: Reject::EndlessError.reply(self.shape), marks })
            }
            _ => None,
        }
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    pub fn end<H>(&mut self, host: &H, flags: u64, details: impl Fn() -> Vec<u8>)
    where
        H: Host + ?Sized,
    {
        let details = details();
        // Envoy's router has left because the provider had broken off, and not the other way round.
        let left = outcome::flags::DOWNSTREAM_CONNECTION_TERMINATION;
        let flags = match details.starts_with(b"upstream_reset_") {
            true => flags & !left,
            false => flags,
        };
        // Of a response that breaks off at once Envoy's router may have seen nothing, and go on.
        let answered = flags == 0 && matches!(self.phase, Phase::Streaming { .. });
        let has_left = flags & left != 0;
        let details = || details.clone();
        if let Phase::Head(_) = self.phase {
            self.note(host, outcome::at_end(flags, self.is_whole, details));
        }
        match (self.admission.take(), &self.phase) {
            // Envoy's router has gone on, and has closed this one.
            (Some(admission), Phase::Over) => admission.settle(host, &self.gateway),
            (Some(admission), _) => {
                admission.end(host, &self.gateway, self.is_whole, (flags, details));
            }
            (None, _) => {}
        }
        self.runs.end(host, &self.gateway, (&self.run, self.number), answered || has_left);
    }

    /// A head alone is no answer, where there is somebody else to ask, or a deadline.
    fn holds_head(&self, answer: &Answer<'_>) -> bool {
        let has_deadline = self.provider().is_some_and(|own| own.first_token_ms.is_some());
        answer.status == 200
            && !answer.end
            && (has_deadline || self.runs.has_more(&self.gateway, &self.run))
    }

    fn watch_for(&mut self, answer: &Answer<'_>) -> Option<Watch> {
        self.watch.take().filter(|_| answer.is_open_stream && !answer.is_encoded)
    }

    fn note<H: Host + ?Sized>(&mut self, host: &H, outcome: Outcome) {
        if let Some(admission) = &mut self.admission {
            admission.note(host, &self.gateway, outcome);
        }
    }

    fn note_head<H: Host + ?Sized>(&mut self, host: &H, answer: &Answer<'_>) {
        let is_probe = self.admission.is_some_and(|own| own.is_probe());
        let sent = Sent { is_whole: self.is_whole, is_api: true, is_probe };
        self.note(host, outcome::at_headers(answer.status, sent, || answer.details.to_vec()));
    }

    /// The attempt is no answer: is the request to be sent again?
    fn fail<H>(&mut self, host: &H, cause: Cause, retry_after_secs: Option<u64>) -> Marks
    where
        H: Host + ?Sized,
    {
        self.phase = Phase::Over;
        let again = match self.runs.judge(host, &self.gateway, &self.run, (cause, retry_after_secs))
        {
            Next::Final => None,
            Next::Same(wait_secs) => Some(wait_secs),
            Next::Move => Some(None),
        };
        let is_hopeless = again.is_none() && self.number > 1;
        Marks { again, attempts: self.number, is_hopeless }
    }

    /// The response goes to the client.
    fn stream<H: Host + ?Sized>(&mut self, host: &H, watch: Option<Watch>) -> Marks {
        self.phase = Phase::Streaming { watch, bytes: 0, last_ms: host.now_ms() };
        Marks { attempts: self.number, ..Marks::default() }
    }

    /// A piece of a response that is on its way.
    fn pass<H: Host + ?Sized>(
        &mut self,
        host: &H,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
        end: bool,
    ) -> Step {
        let Phase::Streaming { watch, bytes, last_ms } = &mut self.phase else { return Step::Pass };
        *last_ms = host.now_ms();
        *bytes = bytes.saturating_add(size as u64);
        let Some(watch) = watch else { return Step::Pass };
        watch.feed(&read());
        match end && !watch.has_ended() {
            true => self.append_error(host),
            false => Step::Pass,
        }
    }

    /// A client error that was held: is it that the context is too long?
    fn judge_error<H: Host + ?Sized>(&mut self, host: &H) -> Marks {
        let Phase::Error { held, .. } = std::mem::replace(&mut self.phase, Phase::Over) else {
            return Marks::default();
        };
        match response::is_context_length(&held) {
            true => self.fail(host, Cause::ContextLength, None),
            false => self.stream(host, None),
        }
    }

    /// A stream has ended cleanly, but without its end.
    fn append_error<H: Host + ?Sized>(&mut self, host: &H) -> Step {
        self.conclude(host, Outcome::Failure);
        Step::Append(response::error_event(self.shape))
    }

    /// A response came to its end without a body: a head alone is no answer, unless there is no other.
    fn empty<H: Host + ?Sized>(&mut self, host: &H) -> Step {
        self.note(host, Outcome::Success);
        match self.fail(host, Cause::Of(RetryOn::Connection), None) {
            marks @ Marks { again: Some(_), .. } => Step::Release(marks),
            _ => Step::Release(self.stream(host, None)),
        }
    }

    /// A stream came in one piece, and nothing of it has reached the client.
    fn whole_stream<H: Host + ?Sized>(&mut self, host: &H, watch: &Watch) -> Step {
        if watch.has_ended() {
            self.note(host, Outcome::Success);
            return Step::Release(self.stream(host, None));
        }
        self.note(host, Outcome::Failure);
        match self.fail(host, Cause::Of(RetryOn::Connection), None) {
            marks @ Marks { again: Some(_), .. } => Step::Release(marks),
            marks => Step::ReleaseWith(marks, response::error_event(self.shape)),
        }
    }

    fn conclude<H: Host + ?Sized>(&mut self, host: &H, outcome: Outcome) {
        self.phase = Phase::Over;
        self.runs.forget(&self.run);
        if let Some(admission) = self.admission.take() {
            admission.conclude(host, &self.gateway, outcome);
        }
    }
}

/// How the request becomes the target's own.
fn towards(
    gateway: &Gateway,
    head: &Head<'_>,
    crossing: &Crossing,
    (path, endpoint): (&ClientPath, &Endpoint),
    target: &ChainTarget,
) -> Release {
    let is_other = target.model != crossing.asked;
    let place = match endpoint {
        Endpoint::Model(ModelIn::Path(place, _)) => Some(place),
        _ => None,
    };
    let renamed = place.filter(|_| is_other).map(|place| path.renamed(place, &target.model));
    // Where the path names the model, the body may name another.
    let in_body = crossing.place.filter(|_| is_other || place.is_some());
    let edit = in_body.map(|in_body| in_body.edit(&target.model));
    let resized = edit.as_ref().zip(head.content_length);
    let own = gateway.provider(target.provider);
    Release {
        path: own.and_then(|own| path.for_provider(own, renamed, true)),
        content_length: resized.map(|(edit, length)| edit.resized(length)),
        edit,
        replaces: Some(head.credentials),
        hop: None,
    }
}

#[cfg(test)]
mod tests;
