//! A client's request: callbacks become a session's steps, and steps become calls into Envoy.

use std::rc::Rc;

use super::abi::{self, Buffer, Map};
use super::host::EnvoyHost;
use super::reply;
use super::status::FilterStatus;
use crate::body::Splice;
use crate::gateway::Gateway;
use crate::names::{clusters, headers};
use crate::reply::{Reject, Reply};
use crate::request::head::{self, Head};
use crate::session::outgoing::CONTENT_ENCODING;
use crate::session::{RequestAction, Session};
use crate::usage::HELD_BYTES_MAX;

/// A request on its way through the filter.
pub(super) struct Stream {
    gateway: Rc<Gateway>,
    host: Rc<EnvoyHost>,
    /// `None` until the head has come.
    session: Option<Session>,
    /// How many bytes of an answer that waits for its cost were read; `None` while none waits.
    held: Option<usize>,
}

impl Stream {
    pub(super) fn new(gateway: Rc<Gateway>, host: Rc<EnvoyHost>) -> Self {
        Self { gateway, host, session: None, held: None }
    }

    pub(super) fn request_headers(&mut self, end: bool) -> FilterStatus {
        #[cfg(feature = "trap")]
        super::trap::if_asked();
        let map = abi::header_map(Map::RequestHeaders);
        let gateway = Rc::clone(&self.gateway);
        let head = Head::parse(&map);
        reply::name_span(&gateway, head.method);
        let (session, action) = Session::begin(gateway, &*self.host, &head, end);
        if !matches!(action, RequestAction::Reply(_)) {
            reply::tell_shape(session.shape());
        }
        self.session = Some(session);
        self.carry_out(action, Splice::default(), FilterStatus::Stop)
    }

    pub(super) fn request_body(&mut self, size: usize, end: bool) -> FilterStatus {
        let Some(session) = &mut self.session else { return FilterStatus::Continue };
        let read = |start, size| abi::buffer(Buffer::RequestBody, start, size);
        let (action, splice) = session.receive(&*self.host, size, end, &read);
        self.carry_out(action, splice, FilterStatus::StopAndDrop)
    }

    /// The trailers of an HTTP/2 request. Envoy reports no other end of the body.
    pub(super) fn request_trailers(&mut self) -> FilterStatus {
        let Some(session) = &mut self.session else { return FilterStatus::Continue };
        for name in head::private_trailers(&abi::header_map(Map::RequestTrailers)) {
            abi::remove_header(Map::RequestTrailers, name);
        }
        let (action, splice) = session.receive_trailers(&*self.host);
        self.carry_out(action, splice, FilterStatus::Stop)
    }

    pub(super) fn response_headers(&mut self, end: bool) -> FilterStatus {
        let Some(session) = &mut self.session else { return FilterStatus::Continue };
        if self.gateway.limits.is_shared
            && let Some(status) = reply::status_of_rate_limiter()
        {
            let wait_secs = session.held_back(&*self.host, status);
            if status == 429 {
                abi::set_header(Map::ResponseHeaders, "retry-after", &wait_secs.to_string());
            }
        }
        for (name, value) in session.limit_headers() {
            match value {
                Some(value) => abi::set_header(Map::ResponseHeaders, name, &value),
                None => abi::remove_header(Map::ResponseHeaders, name),
            };
        }
        if let Some(provider) = session.provider() {
            abi::set_header(Map::ResponseHeaders, headers::PROVIDER, &provider.name);
            let status = reply::status(Map::ResponseHeaders);
            session.respond(&*self.host, status.unwrap_or_default(), reply::details);
            if session.is_metered() {
                let host = &*self.host;
                let mut holds = false;
                reply::with_answer_start(end, &mut |start| {
                    session.answer_begins(host, start);
                    holds = session.holds_answer(start);
                });
                if session.shortens_answer() {
                    abi::remove_header(Map::ResponseHeaders, "content-length");
                }
                if holds {
                    self.held = Some(0);
                    return FilterStatus::Stop;
                }
            }
        } else if self.gateway.tells_cost
            && !abi::header(Map::ResponseHeaders, headers::COST).is_empty()
            && let Some((name, value)) = session.key_spend(&*self.host)
        {
            // An attempt after the hop has told its cost.
            abi::set_header(Map::ResponseHeaders, name, &value);
        }
        FilterStatus::Continue
    }

    /// Only the filter that meters has this callback.
    pub(super) fn response_body(&mut self, size: usize, end: bool) -> FilterStatus {
        if let Some(read) = self.held {
            return self.hold_answer(read, size, end);
        }
        if let Some(session) = &mut self.session {
            let read = || abi::buffer(Buffer::ResponseBody, 0, size);
            if let Some(bytes) = session.answer_passes(&*self.host, end, read) {
                abi::replace_start(Buffer::ResponseBody, size, &bytes);
            }
        }
        FilterStatus::Continue
    }

    /// Holds an answer until its end, so that its head can say what it has cost; a long answer does not say so.
    #[cold]
    fn hold_answer(&mut self, read: usize, size: usize, end: bool) -> FilterStatus {
        self.held = None;
        let Some(session) = &mut self.session else { return FilterStatus::Continue };
        let fresh = || abi::buffer(Buffer::ResponseBody, read, size.saturating_sub(read));
        session.answer_passes(&*self.host, end, fresh);
        if !end && size <= HELD_BYTES_MAX {
            self.held = Some(size);
            return FilterStatus::Stop;
        }
        if end {
            for (name, value) in session.cost_headers(&*self.host) {
                abi::set_header(Map::ResponseHeaders, name, &value);
            }
        }
        FilterStatus::Continue
    }

    /// The stream is over, however it ended.
    pub(super) fn end(&mut self) {
        if let Some(session) = &mut self.session
            && (session.provider().is_some() || session.is_metered())
        {
            session.end(&*self.host, reply::flags(), reply::details);
        }
    }

    /// The stream is over, which is all that was heard where Envoy makes no other callbacks for its response.
    pub(super) fn over(&mut self) {
        if let Some(session) = &mut self.session {
            session.over(&*self.host, reply::stream_end);
        }
    }

    /// Looks whether a probe's response has begun, which may then stream for minutes; `id` is Envoy's number of this context.
    /// Returns whether the probe still waits.
    pub(super) fn tick(&mut self, id: u32) -> bool {
        if let Some(session) = &mut self.session {
            session.renew_limits(&*self.host);
        }
        let Some(session) = self.session.as_mut().filter(|session| session.is_probe_unheard())
        else {
            return false;
        };
        abi::set_effective_context(id);
        let status = reply::begun_status();
        if status > 0 {
            session.respond(&*self.host, status, reply::details);
        }
        status == 0
    }

    /// Ends a request that waits for its model; `id` is Envoy's number of this context.
    pub(super) fn refuse(&mut self, id: u32, reject: &Reject) {
        let Some(session) = &mut self.session else { return };
        let answer = session.end_waiting(&*self.host, reject);
        abi::set_effective_context(id);
        self.reply(&answer);
    }

    fn reply(&self, answer: &Reply) {
        reply::show(&self.gateway, answer);
        reply::send(answer, &[]);
    }

    /// The gateway cannot read a compressed answer as it passes.
    fn ask_for_plain_text(&self) {
        if self.session.as_ref().is_some_and(Session::is_metered) {
            abi::remove_header(Map::RequestHeaders, "accept-encoding");
        }
    }

    /// Turns an action into calls. `wait` is the status that makes Envoy wait in this callback.
    fn carry_out(
        &mut self,
        action: RequestAction,
        splice: Splice,
        wait: FilterStatus,
    ) -> FilterStatus {
        match action {
            RequestAction::Continue => return FilterStatus::Continue,
            RequestAction::Hold => return wait,
            RequestAction::Reply(answer) => {
                self.reply(&answer);
                return wait;
            }
            RequestAction::Forward(outgoing) => {
                if let Some(session) = &self.session
                    && let Some(provider) = session.provider()
                {
                    reply::change_headers(&outgoing, provider);
                    if session.is_probe_unheard() {
                        self.host.ticks.set_probing(true);
                    }
                }
                self.ask_for_plain_text();
            }
            RequestAction::Cross { crossing, retries_max, plain_length } => {
                send_over_hop(&crossing, retries_max, plain_length)
            }
        }
        reply::splice_body(splice);
        FilterStatus::Continue
    }
}

fn send_over_hop(crossing: &str, retries_max: Option<u32>, plain_length: Option<u64>) {
    let set = |name, value: &str| abi::set_header(Map::RequestHeaders, name, value);
    set(headers::CLUSTER, if retries_max.is_some() { clusters::HOP } else { clusters::HOP_ONCE });
    set(headers::CROSSING, crossing);
    if let Some(retries_max) = retries_max {
        set(headers::ENVOY_RETRIES_MAX, &retries_max.to_string());
    }
    if let Some(length) = plain_length {
        abi::remove_header(Map::RequestHeaders, CONTENT_ENCODING);
        set("content-length", &length.to_string());
    }
}
