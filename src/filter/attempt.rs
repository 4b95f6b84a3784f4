//! One attempt: callbacks become an [`Attempt`]'s steps, and steps become calls into Envoy.

use std::rc::Rc;

use super::envoy::Envoy;
use super::host::{self, Buffer, Map};
use super::stream::{self, Action};
use crate::attempt::{Attempt, Instead, Marks, Step};
use crate::body::Edit;
use crate::config::Gateway;
use crate::head::{self, Head};
use crate::reply::Reject;
use crate::response::{Answer, retry_after_secs};
use crate::run::Runs;

/// What Envoy's router looks for: the request is to be sent again.
const AGAIN_HEADER: &str = "x-gaud-retry";

/// After so many seconds.
const WAIT_HEADER: &str = "x-gaud-wait";

/// Tells a client how many attempts there were.
const ATTEMPTS_HEADER: &str = "x-gaud-attempts";

/// Tells OpenAI's clients not to try again by themselves.
const HOPELESS_HEADER: (&str, &str) = ("x-should-retry", "false");

/// An attempt on its way through the filter.
pub(super) struct AttemptStream {
    gateway: Rc<Gateway>,
    envoy: Rc<Envoy>,
    runs: Rc<Runs>,
    /// `None` until its head was seen.
    attempt: Option<Attempt>,
    edit: Option<Edit>,
    /// How much of the request's body has passed.
    offset: u64,
    /// How much of the response's body was read of what is held.
    read: usize,
}

impl AttemptStream {
    pub(super) fn new(gateway: Rc<Gateway>, envoy: Rc<Envoy>, runs: Rc<Runs>) -> Self {
        Self { gateway, envoy, runs, attempt: None, edit: None, offset: 0, read: 0 }
    }

    pub(super) fn request_headers(&mut self, end: bool) -> Action {
        let map = host::header_map(Map::RequestHeaders);
        let (gateway, runs) = (Rc::clone(&self.gateway), Rc::clone(&self.runs));
        match Attempt::begin(gateway, runs, &*self.envoy, &Head::parse(&map), end) {
            Ok((attempt, release)) => {
                if let Some(provider) = attempt.provider() {
                    stream::edit_head(&release, provider);
                }
                stream::tell_shape(attempt.shape());
                // What is compressed cannot be looked at.
                host::remove_header(Map::RequestHeaders, "accept-encoding");
                self.edit = release.edit;
                self.attempt = Some(attempt);
                Action::Continue
            }
            Err(Instead { reply, marks }) => {
                stream::send(&reply, &self.headers(marks));
                Action::Stop
            }
        }
    }

    pub(super) fn request_body(&mut self, size: usize, end: bool) -> Action {
        if let Some(cut) = self.edit.as_ref().and_then(|edit| edit.cut(self.offset, size)) {
            let mut bytes = host::buffer(Buffer::RequestBody, 0, cut.keep);
            bytes.extend(cut.with);
            host::replace_start(Buffer::RequestBody, cut.end, &bytes);
        }
        self.offset = self.offset.saturating_add(size as u64);
        if let Some(attempt) = &mut self.attempt {
            attempt.request_passed(&*self.envoy, self.offset, end);
        }
        Action::Continue
    }

    pub(super) fn response_headers(&mut self, end: bool) -> Action {
        let Some(attempt) = &mut self.attempt else { return Action::Continue };
        let header = |name| host::header(Map::ResponseHeaders, name);
        let details = stream::details();
        let is_event_stream = head::is_type(&header("content-type"), b"text/event-stream");
        let answer = Answer {
            status: super::status(&header(":status")).unwrap_or_default(),
            details: &details,
            retry_after_secs: retry_after_secs(&header("retry-after"), &header("retry-after-ms")),
            is_open_stream: is_event_stream && header("content-length").is_empty(),
            is_encoded: !header("content-encoding").is_empty(),
            end,
        };
        let step = attempt.respond(&*self.envoy, &answer);
        self.carry_out(step)
    }

    pub(super) fn response_body(&mut self, size: usize, end: bool) -> Action {
        let Some(attempt) = &mut self.attempt else { return Action::Continue };
        let start = self.read;
        let fresh = size.saturating_sub(start);
        let read = || host::buffer(Buffer::ResponseBody, start, fresh);
        let step = attempt.feed(&*self.envoy, fresh, read, end);
        // What is held is shown again with the next piece.
        self.read = if step == Step::Hold { size } else { 0 };
        self.carry_out(step)
    }

    /// Comes in the place of a body's end when an HTTP/2 response has trailers: nothing can be written
    /// behind the body then.
    pub(super) fn response_trailers(&mut self) -> Action {
        let Some(attempt) = &mut self.attempt else { return Action::Continue };
        let step = attempt.feed(&*self.envoy, 0, Vec::new, true);
        if let Step::Append(_) | Step::ReleaseWith(..) = step {
            stream::send(&Reject::Stalled.reply(attempt.shape()), &[]);
            return Action::Stop;
        }
        self.carry_out(step)
    }

    /// Looks whether a deadline has passed; `id` is Envoy's number of this context.
    pub(super) fn tick(&mut self, id: u32) {
        let Some(Instead { reply, marks }) =
            self.attempt.as_mut().and_then(|attempt| attempt.tick(&*self.envoy))
        else {
            return;
        };
        host::set_effective_context(id);
        stream::send(&reply, &self.headers(marks));
    }

    /// The stream is over, however it ended.
    pub(super) fn end(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.end(&*self.envoy, stream::flags(), stream::details);
        }
    }

    fn carry_out(&self, step: Step) -> Action {
        match step {
            Step::Pass => return Action::Continue,
            Step::Hold => return Action::Stop,
            Step::Release(marks) => self.mark(marks),
            Step::ReleaseWith(marks, event) => {
                self.mark(marks);
                host::append(Buffer::ResponseBody, event.as_bytes());
            }
            Step::Append(event) => _ = host::append(Buffer::ResponseBody, event.as_bytes()),
        }
        Action::Continue
    }

    fn mark(&self, marks: Marks) {
        for (name, value) in self.headers(marks) {
            host::set_header(Map::ResponseHeaders, name, &value);
        }
    }

    fn headers(&self, marks: Marks) -> Vec<(&'static str, String)> {
        let provider = self.attempt.as_ref().and_then(Attempt::provider);
        // Always there: what comes without it is none of ours, and Envoy's router goes on.
        let mut headers = vec![(ATTEMPTS_HEADER, marks.attempts.to_string())];
        headers.extend(provider.map(|own| (stream::PROVIDER_HEADER, own.name.clone())));
        if let Some(wait_secs) = marks.again {
            headers.push((AGAIN_HEADER, "1".to_owned()));
            headers.extend(wait_secs.map(|secs| (WAIT_HEADER, secs.to_string())));
        }
        if marks.is_hopeless {
            headers.push((HOPELESS_HEADER.0, HOPELESS_HEADER.1.to_owned()));
        }
        headers
    }
}
