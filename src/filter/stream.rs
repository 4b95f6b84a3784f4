//! One request: callbacks become a session's steps, and steps become calls into Envoy.

use std::rc::Rc;

use super::envoy::Envoy;
use super::host::{self, Buffer, Map};
use crate::body::{Edit, Held};
use crate::config::{Credential, Gateway, Provider};
use crate::endpoint::Shape;
use crate::head::{self, Credentials, Head};
use crate::hop;
use crate::release::Release;
use crate::reply::Reply;
use crate::session::{Session, Step};

/// The header by which the route picks its cluster. Envoy removes a client's own before the
/// filters run, and this one before a provider sees it.
const CLUSTER_HEADER: &str = "x-gaud-cluster";

/// Where a WebSocket's client may have its credential.
const PROTOCOLS: &str = "sec-websocket-protocol";

/// Tells a client who has answered.
pub(super) const PROVIDER_HEADER: &str = "x-gaud-provider";

/// Envoy's own: how long an attempt may take until its response begins.
const TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-per-try-timeout-ms";

/// Envoy's own: how often a request may be sent again.
const RETRIES_HEADER: &str = "x-envoy-max-retries";

/// A body is read into the VM in pieces of this size: its memory never shrinks.
const PIECE_BYTES: usize = 64 * 1024;

/// What Envoy is to do with what it has shown.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Action {
    Continue = 0,
    /// Wait, with head, body or trailers.
    Stop = 1,
    /// Wait, and forget this piece of the body: it is held here, or nobody is to have it.
    Take = 3,
}

/// A request on its way through the filter.
pub(super) struct Stream {
    gateway: Rc<Gateway>,
    envoy: Rc<Envoy>,
    held: Held,
    /// `None` until its head was seen.
    session: Option<Session>,
}

impl Stream {
    pub(super) fn new(gateway: Rc<Gateway>, envoy: Rc<Envoy>) -> Self {
        Self { gateway, envoy, held: Held::default(), session: None }
    }

    pub(super) fn request_headers(&mut self, end: bool) -> Action {
        #[cfg(feature = "trap")]
        super::trap::if_asked();
        let map = host::header_map(Map::RequestHeaders);
        let gateway = Rc::clone(&self.gateway);
        let (session, step) = Session::begin(gateway, &*self.envoy, &Head::parse(&map), end);
        if matches!(step, Step::Hold | Step::Release(_)) {
            tell_shape(session.shape());
        }
        self.session = Some(session);
        self.carry_out(step, Vec::new(), Action::Stop)
    }

    pub(super) fn request_body(&mut self, size: usize, end: bool) -> Action {
        let Some(session) = &mut self.session else { return Action::Continue };
        let step = match session.reads_body() {
            true => {
                let (step, pieces) = read_body(session, &self.envoy, &mut self.held, size, end);
                return self.carry_out(step, pieces, Action::Take);
            }
            false => session.advance(&*self.envoy, end),
        };
        self.carry_out(step, Vec::new(), Action::Take)
    }

    /// Comes in the place of a body's end when an HTTP/2 request has trailers.
    pub(super) fn request_trailers(&mut self) -> Action {
        let Some(session) = &mut self.session else { return Action::Continue };
        for name in head::private_trailers(&host::header_map(Map::RequestTrailers)) {
            host::remove_header(Map::RequestTrailers, name);
        }
        let step = session.advance(&*self.envoy, true);
        self.carry_out(step, Vec::new(), Action::Stop)
    }

    pub(super) fn response_headers(&mut self) -> Action {
        let Some(session) = &mut self.session else { return Action::Continue };
        if let Some(provider) = session.provider() {
            host::set_header(Map::ResponseHeaders, PROVIDER_HEADER, &provider.name);
            let status = super::status(&host::header(Map::ResponseHeaders, ":status"));
            session.respond(&*self.envoy, status.unwrap_or_default(), details);
        }
        Action::Continue
    }

    /// The stream is over, however it ended.
    pub(super) fn end(&mut self) {
        if let Some(session) = &mut self.session
            && session.provider().is_some()
        {
            session.end(&*self.envoy, flags(), details);
        }
    }

    /// Tells Envoy. `wait` is how it waits in this callback.
    fn carry_out(&mut self, step: Step, read: Vec<Vec<u8>>, wait: Action) -> Action {
        match step {
            Step::Continue => Action::Continue,
            Step::Hold => wait,
            Step::Release(release) => {
                match (&release.hop, self.session.as_ref().and_then(Session::provider)) {
                    (Some((crossing, retries)), _) => send_over_hop(crossing, *retries),
                    (None, Some(provider)) => edit_head(&release, provider),
                    (None, None) => {}
                }
                edit_body(self.held.take_pieces(), read, release.edit.as_ref());
                Action::Continue
            }
            Step::Reply(reply) => {
                self.held.clear();
                send(&reply, &[]);
                wait
            }
        }
    }
}

/// Feeds what has come, and holds it when the model has not come with it.
fn read_body(
    session: &mut Session,
    envoy: &Envoy,
    held: &mut Held,
    size: usize,
    end: bool,
) -> (Step, Vec<Vec<u8>>) {
    let may_hold = session.holds_body();
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < size {
        let piece = host::buffer(Buffer::RequestBody, start, PIECE_BYTES.min(size.abs_diff(start)));
        if piece.is_empty() {
            break;
        }
        if let Err(reply) = session.feed(envoy, &piece) {
            return (Step::Reply(reply), Vec::new());
        }
        start = start.saturating_add(piece.len());
        if may_hold {
            if !Held::has_room(start) {
                return (session.no_room(envoy), Vec::new());
            }
            pieces.push(piece);
        }
    }
    let step = session.advance(envoy, end);
    if may_hold && step == Step::Hold {
        std::mem::take(&mut pieces).into_iter().for_each(|piece| held.push(piece));
    }
    (step, pieces)
}

/// Envoy's own replies have OpenAI's shape where nothing is said.
pub(super) fn tell_shape(shape: Shape) {
    if shape != Shape::OpenAi {
        host::set_property(Shape::PROPERTY, shape.as_str());
    }
}

/// Answers in the provider's place, with further headers.
pub(super) fn send(reply: &Reply, further: &[(&str, String)]) {
    let retry_after = reply.retry_after_secs.map(|secs| secs.to_string());
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(retry_after.as_deref().map(|secs| ("retry-after", secs)));
    headers.extend(further.iter().map(|(name, value)| (*name, value.as_str())));
    host::send_reply(reply.status, &reply.details, &headers, &reply.body);
}

pub(super) fn details() -> Vec<u8> {
    host::property("response\0code_details")
}

pub(super) fn flags() -> u64 {
    let bytes = host::property("response\0flags");
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn send_over_hop(crossing: &str, retries: u32) {
    let set = |name, value: &str| host::set_header(Map::RequestHeaders, name, value);
    set(CLUSTER_HEADER, hop::CLUSTER);
    set(hop::HEADER, crossing);
    set(RETRIES_HEADER, &retries.to_string());
}

pub(super) fn edit_head(release: &Release, provider: &Provider) {
    let set = |name, value: &str| host::set_header(Map::RequestHeaders, name, value);
    set(CLUSTER_HEADER, &provider.cluster);
    if let Some(path) = &release.path {
        set(":path", path);
    }
    if let Some(timeout_ms) = provider.timeout_ms {
        set(TIMEOUT_HEADER, &timeout_ms.to_string());
    }
    if let Some(clients) = &release.replaces {
        replace_credentials(*clients, &provider.credential);
        for (name, value) in &provider.headers {
            set(name, value.expose());
        }
    }
    if let Some(length) = release.content_length {
        set("content-length", &length.to_string());
    }
}

fn replace_credentials(clients: Credentials, own: &Credential) {
    if *own == Credential::Passthrough {
        return;
    }
    for name in clients.names() {
        host::remove_header(Map::RequestHeaders, name);
    }
    if let Credential::Header { name, value } = own {
        host::set_header(Map::RequestHeaders, name, value.expose());
    }
    if clients.in_protocols {
        let protocols = head::protocols(&host::header_map(Map::RequestHeaders));
        if let Some(public) = head::public_protocols(&protocols) {
            host::remove_header(Map::RequestHeaders, PROTOCOLS);
            if !public.is_empty() {
                host::set_header(Map::RequestHeaders, PROTOCOLS, &public);
            }
        }
    }
}

/// Gives back what was held, with the edit in it. Envoy can replace a buffer's start and nothing in
/// its middle: so what stands there before the edit's end, and was `read`, is written again.
fn edit_body(held: Vec<Vec<u8>>, read: Vec<Vec<u8>>, edit: Option<&Edit>) {
    let held_bytes: usize = held.iter().map(Vec::len).sum();
    let end = edit.and_then(|edit| usize::try_from(edit.end).ok()).unwrap_or(0);
    let mut again = end.saturating_sub(held_bytes);
    let mut left = again;
    let mut pieces = held;
    for mut piece in read {
        if left == 0 {
            break;
        }
        piece.truncate(left);
        left = left.saturating_sub(piece.len());
        pieces.push(piece);
    }
    if let Some(edit) = edit {
        pieces = edited(pieces, edit);
    }
    while let Some(piece) = pieces.pop() {
        host::replace_start(Buffer::RequestBody, std::mem::take(&mut again), &piece);
    }
}

/// The piece with the edit is written anew; should it lie across two, all are.
fn edited(mut pieces: Vec<Vec<u8>>, edit: &Edit) -> Vec<Vec<u8>> {
    let mut start = 0_u64;
    for piece in &mut pieces {
        let end = start.saturating_add(piece.len() as u64);
        if start <= edit.start && edit.end <= end {
            let own = Edit {
                start: edit.start.saturating_sub(start),
                end: edit.end.saturating_sub(start),
                with: edit.with.clone(),
            };
            *piece = own.apply(std::mem::take(piece));
            return pieces;
        }
        start = end;
    }
    vec![edit.apply(pieces.concat())]
}
