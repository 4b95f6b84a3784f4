//! A whole request through a session, its body in three pieces.

use std::rc::Rc;

use gaud::gateway::Gateway;
use gaud::host::memory::Memory;
use gaud::reply::Reply;
use gaud::request::head::Head;
use gaud::session::{Outgoing, RequestAction, Session};

/// The session, and the request as it leaves; the gateway's answer where the gateway refuses.
pub(crate) fn whole(
    gateway: &Rc<Gateway>,
    head: &[u8],
    body: &[u8],
) -> Result<(Option<Outgoing>, Session), Reply> {
    let host = Memory::default();
    let (mut session, mut action) =
        Session::begin(Rc::clone(gateway), &host, &Head::parse(head), body.is_empty());
    let mut outgoing = None;
    let mut pieces = body.chunks(body.len().div_ceil(3).max(1)).peekable();
    loop {
        match action {
            RequestAction::Reply(reply) => return Err(reply),
            RequestAction::Forward(forwarded) => outgoing = Some(forwarded),
            _ => {}
        }
        let Some(piece) = pieces.next() else { return Ok((outgoing, session)) };
        let read = |start: usize, size: usize| piece[start..piece.len().min(start + size)].to_vec();
        let end = pieces.peek().is_none();
        (action, _) = session.receive(&host, piece.len(), end, &read);
    }
}
