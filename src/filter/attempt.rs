//! One attempt: callbacks become an [`Attempt`]'s steps, and steps become calls into Envoy.

use std::rc::Rc;

use super::abi::{self, Buffer, Map};
use super::host::EnvoyHost;
use super::reply;
use super::status::FilterStatus;
use crate::body::{Edit, Edits};
use crate::failover::answer::AnswerHead;
use crate::failover::attempt::{Attempt, AttemptReply, ResponseAction, RetryHeaders};
use crate::failover::history::Histories;
use crate::failover::reader::Content;
use crate::failover::retry_after;
use crate::gateway::Gateway;
use crate::host::Host;
use crate::reply::Reject;
use crate::request::endpoint::Shape;
use crate::request::head::Head;
use crate::usage::HELD_BYTES_MAX;

/// An attempt on its way through the filter.
pub(super) struct AttemptStream {
    gateway: Rc<Gateway>,
    host: Rc<EnvoyHost>,
    histories: Rc<Histories>,
    /// `None` until the head has come.
    attempt: Option<Attempt>,
    edit: Option<Edit>,
    question: Option<Edit>,
    /// How many bytes of the request's body have passed.
    offset: u64,
    /// How many bytes of the held part of the response's body were read.
    read: usize,
    /// The headers of the gateway's answer in the provider's place. The filter that removes a provider's headers in the
    /// gateway's name removes these as well, so they are set once more after it.
    replied: Option<RetryHeaders>,
    /// The answer waits for its cost; the headers of its release, once it is released but for that.
    for_cost: Option<Option<RetryHeaders>>,
}

impl AttemptStream {
    pub(super) fn new(gateway: Rc<Gateway>, host: Rc<EnvoyHost>, histories: Rc<Histories>) -> Self {
        Self {
            gateway,
            host,
            histories,
            attempt: None,
            edit: None,
            question: None,
            offset: 0,
            read: 0,
            replied: None,
            for_cost: None,
        }
    }

    pub(super) fn request_headers(&mut self, end: bool) -> FilterStatus {
        let map = abi::header_map(Map::RequestHeaders);
        let (gateway, histories) = (Rc::clone(&self.gateway), Rc::clone(&self.histories));
        match Attempt::begin(gateway, histories, &*self.host, &Head::parse(&map), end) {
            Ok((attempt, outgoing)) => {
                if let Some(provider) = attempt.provider() {
                    reply::change_headers(&outgoing, provider);
                }
                reply::tell_shape(attempt.shape());
                // The gateway cannot read a compressed response.
                abi::remove_header(Map::RequestHeaders, "accept-encoding");
                (self.edit, self.question) = (outgoing.edit, outgoing.question);
                self.attempt = Some(attempt);
                FilterStatus::Continue
            }
            Err(answer) => {
                self.reply(&answer);
                FilterStatus::Stop
            }
        }
    }

    pub(super) fn request_body(&mut self, size: usize, end: bool) -> FilterStatus {
        if let Some(attempt) = &mut self.attempt {
            attempt.read_request(size, |start, size| abi::buffer(Buffer::RequestBody, start, size));
        }
        let edits = Edits::of(self.edit.as_ref(), self.question.as_ref());
        let read = |size| abi::buffer(Buffer::RequestBody, 0, size);
        if let Some((replaced, bytes)) = edits.of_piece(self.offset, size, read) {
            abi::replace_start(Buffer::RequestBody, replaced, &bytes);
        }
        self.offset = self.offset.saturating_add(size as u64);
        if let Some(attempt) = &mut self.attempt {
            attempt.request_passed(&*self.host, self.offset, end);
        }
        FilterStatus::Continue
    }

    pub(super) fn response_headers(&mut self, end: bool) -> FilterStatus {
        if let Some(headers) = self.replied.take() {
            return self.carry_out(ResponseAction::Release(headers, None));
        }
        let Some(attempt) = &mut self.attempt else { return FilterStatus::Continue };
        if attempt.is_metered() {
            let host = &*self.host;
            let mut holds = false;
            reply::with_answer_start(end, &mut |start| {
                attempt.answer_begins(host, start);
                holds = attempt.holds_answer(start);
            });
            self.for_cost = holds.then_some(None);
        }
        let header = |name: &str| abi::header(Map::ResponseHeaders, name);
        let details = reply::details();
        let status = reply::status(Map::ResponseHeaders).unwrap_or_default();
        let answer = AnswerHead {
            status,
            details: &details,
            retry_after_secs: wait_secs(status, header, self.host.now_ms()),
            content: Content::of(&header("content-type")),
            has_length: !header("content-length").is_empty(),
            is_encoded: !header("content-encoding").is_empty(),
            end,
        };
        if attempt.shortens_answer() {
            abi::remove_header(Map::ResponseHeaders, "content-length");
        }
        let action = attempt.respond(&*self.host, self.host.now_ms(), &answer);
        let action = self.wait_for_cost(action, 0, false);
        self.carry_out(action)
    }

    pub(super) fn response_body(&mut self, size: usize, end: bool) -> FilterStatus {
        let Some(attempt) = &mut self.attempt else { return FilterStatus::Continue };
        let start = self.read;
        let fresh = size.saturating_sub(start);
        let read = || abi::buffer(Buffer::ResponseBody, start, fresh);
        let action = attempt.feed(&*self.host, self.host.now_ms(), fresh, read, end);
        let action = self.wait_for_cost(action, size, end);
        // With the next piece, Envoy shows the held bytes again.
        self.read = if action == ResponseAction::Hold { size } else { 0 };
        if action != ResponseAction::Hold
            && let Some(bytes) = self.attempt.as_mut().and_then(Attempt::take_passing)
        {
            abi::replace_start(Buffer::ResponseBody, size, &bytes);
        }
        self.carry_out(action)
    }

    /// The trailers of an HTTP/2 response. Envoy reports no other end of the body, and nothing can be written after the
    /// body any more.
    pub(super) fn response_trailers(&mut self) -> FilterStatus {
        let Some(attempt) = &mut self.attempt else { return FilterStatus::Continue };
        let provider = attempt.provider().map(|own| own.name.clone()).unwrap_or_default();
        let action = attempt.feed(&*self.host, self.host.now_ms(), 0, Vec::new, true);
        let action = self.wait_for_cost(action, 0, true);
        if let ResponseAction::Append(_) | ResponseAction::Release(_, Some(_)) = action {
            let shape = self.attempt.as_ref().map_or(Shape::OpenAi, Attempt::shape);
            reply::send(&Reject::Stalled(provider).reply(shape), &[]);
            return FilterStatus::Stop;
        }
        self.carry_out(action)
    }

    /// Holds what would be released until the answer has come whole, so that its head can say what it has cost; a long answer
    /// does not say so.
    fn wait_for_cost(&mut self, action: ResponseAction, size: usize, end: bool) -> ResponseAction {
        let Some(released) = self.for_cost else { return action };
        let (headers, text) = match action {
            ResponseAction::Hold => return ResponseAction::Hold,
            ResponseAction::Pass => (released, None),
            ResponseAction::Append(text) => (released, Some(text)),
            ResponseAction::Release(headers, text) => (Some(headers), text),
        };
        if !end && text.is_none() && size <= HELD_BYTES_MAX {
            self.for_cost = Some(headers);
            return ResponseAction::Hold;
        }
        self.for_cost = None;
        let cost = self.attempt.as_ref().and_then(|attempt| attempt.cost_header(&*self.host));
        if let Some((name, value)) = cost.filter(|_| end) {
            abi::set_header(Map::ResponseHeaders, name, &value);
        }
        match (headers, text) {
            (Some(headers), text) => ResponseAction::Release(headers, text),
            (None, Some(text)) => ResponseAction::Append(text),
            (None, None) => ResponseAction::Pass,
        }
    }

    /// Looks whether a deadline has passed; `id` is Envoy's number of this context.
    pub(super) fn tick(&mut self, id: u32) {
        let Some(attempt) = &mut self.attempt else { return };
        let Some(answer) = attempt.tick(&*self.host, self.host.now_ms()) else { return };
        abi::set_effective_context(id);
        self.reply(&answer);
    }

    fn reply(&mut self, AttemptReply { reply, headers }: &AttemptReply) {
        self.replied = Some(*headers);
        reply::show(&self.gateway, reply);
        reply::send(reply, &self.headers(*headers));
    }

    /// The stream is over, however it ended.
    pub(super) fn end(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.end(&*self.host, reply::flags(), &reply::details());
        }
    }

    fn carry_out(&self, action: ResponseAction) -> FilterStatus {
        match action {
            ResponseAction::Pass => return FilterStatus::Continue,
            ResponseAction::Hold => return FilterStatus::Stop,
            ResponseAction::Release(headers, end) => {
                for (name, value) in self.headers(headers) {
                    abi::set_header(Map::ResponseHeaders, name, &value);
                }
                end.iter().for_each(append);
            }
            ResponseAction::Append(end) => append(&end),
        }
        FilterStatus::Continue
    }

    fn headers(&self, headers: RetryHeaders) -> Vec<(&'static str, String)> {
        let provider = self.attempt.as_ref().and_then(Attempt::provider);
        headers.headers(provider.map(|provider| provider.name.as_str()))
    }
}

/// For how long the provider asks to be left alone, where that matters.
fn wait_secs(status: u32, header: impl Fn(&str) -> Vec<u8>, now_ms: u64) -> Option<u64> {
    let may_ask = status == 429 || status >= 500;
    if may_ask { retry_after::wait_secs(header, now_ms) } else { None }
}

fn append(text: &String) {
    abi::append(Buffer::ResponseBody, text.as_bytes());
}
