//! One request: callbacks become a session's steps, and steps become calls into Envoy.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::host::{self, Buffer, Map};
use crate::body::Edit;
use crate::config::{Credential, Gateway, Provider};
use crate::head::Head;
use crate::reply::Reply;
use crate::session::{Release, Session, Step};

/// The header by which the route picks its cluster. Envoy removes a client's own before the
/// filters run, and this one before a provider sees it.
const CLUSTER_HEADER: &str = "x-gaud-cluster";

/// Tells a client who has answered.
const PROVIDER_HEADER: &str = "x-gaud-provider";

/// Envoy's own: how long an attempt may take until its response begins.
const TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-per-try-timeout-ms";

/// A body is read into the VM in pieces of this size: its memory never shrinks.
const PIECE_BYTES: usize = 64 * 1024;

/// A request on its way through the filter.
pub(super) struct Stream {
    gateway: Rc<Gateway>,
    /// `None` until its head was seen.
    session: Option<Session>,
}

impl Stream {
    pub(super) fn new(gateway: Rc<Gateway>) -> Self {
        Self { gateway, session: None }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        let map = host::header_map(Map::RequestHeaders);
        let (session, step) = Session::begin(Rc::clone(&self.gateway), &Head::parse(&map), end);
        let session = self.session.insert(session);
        carry_out(session, step)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        let Some(session) = &mut self.session else { return Action::Continue };
        if session.reads_body()
            && let Err(reply) = read_body(session, size)
        {
            return carry_out(session, Step::Reply(reply));
        }
        let step = session.advance(end);
        carry_out(session, step)
    }

    /// Comes in the place of a body's end when an HTTP/2 request has trailers.
    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        let Some(session) = &mut self.session else { return Action::Continue };
        let step = session.advance(true);
        carry_out(session, step)
    }

    fn on_http_response_headers(&mut self, _count: usize, _end: bool) -> Action {
        if let Some(provider) = self.session.as_ref().and_then(Session::provider) {
            host::set_header(Map::ResponseHeaders, PROVIDER_HEADER, &provider.name);
        }
        Action::Continue
    }
}

/// Feeds what is new: while the request is held, Envoy shows its whole body each time.
fn read_body(session: &mut Session, size: usize) -> Result<(), Reply> {
    let mut start = usize::try_from(session.held_bytes()).unwrap_or(usize::MAX);
    while start < size {
        let piece = host::buffer(Buffer::RequestBody, start, PIECE_BYTES.min(size.abs_diff(start)));
        if piece.is_empty() {
            break;
        }
        session.feed(&piece)?;
        start = start.saturating_add(piece.len());
    }
    Ok(())
}

fn carry_out(session: &Session, step: Step) -> Action {
    match step {
        Step::Continue => Action::Continue,
        Step::Hold => Action::Pause,
        Step::Release(release) => {
            if let Some(provider) = session.provider() {
                apply(&release, provider);
            }
            Action::Continue
        }
        Step::Reply(reply) => {
            host::send_reply(reply.status, &reply.details, &reply.body);
            Action::Pause
        }
    }
}

fn apply(release: &Release, provider: &Provider) {
    let set = |name, value: &str| host::set_header(Map::RequestHeaders, name, value);
    set(CLUSTER_HEADER, &provider.cluster);
    if let Some(path) = &release.path {
        set(":path", path);
    }
    if let Some(timeout_ms) = provider.timeout_ms {
        set(TIMEOUT_HEADER, &timeout_ms.to_string());
    }
    if provider.credential != Credential::Passthrough {
        for name in release.credentials.names() {
            host::remove_header(Map::RequestHeaders, name);
        }
    }
    if let Credential::Header { name, value } = &provider.credential {
        set(name, value.expose());
    }
    if let Some(length) = release.content_length {
        set("content-length", &length.to_string());
    }
    if let Some(edit) = &release.edit {
        splice(edit);
    }
}

/// Envoy can replace a body's start only: so what stands before the model is written again.
fn splice(edit: &Edit) {
    let (Ok(start), Ok(end)) = (usize::try_from(edit.start), usize::try_from(edit.end)) else {
        return;
    };
    let mut bytes = host::buffer(Buffer::RequestBody, 0, start);
    bytes.extend_from_slice(&edit.with);
    host::replace_start(Buffer::RequestBody, end, &bytes);
}
