//! The bytes of a request's body, as Envoy's buffer shows them.

use super::{Phase, RequestAction, Session};
use crate::body::{Held, Splice};
use crate::host::Host;
use crate::reply::Reject;

/// A body is read into the VM in pieces of this size: the VM's memory never shrinks.
const PIECE_BYTES: usize = 64 * 1024;

/// Reads bytes of Envoy's buffer: from an offset, at most so many.
pub(crate) type ReadBuffer<'a> = &'a dyn Fn(usize, usize) -> Vec<u8>;

impl Session {
    /// Reads a piece of the body, of `size` bytes, and decides. The splice is for Envoy's buffer, where the request is
    /// forwarded. `end` says that the body is complete.
    pub fn receive(
        &mut self,
        host: &dyn Host,
        size: usize,
        end: bool,
        read: ReadBuffer<'_>,
    ) -> (RequestAction, Splice) {
        let pieces = match self.scan(host, size, read) {
            Ok(pieces) => pieces,
            Err(action) => return (action, Splice::default()),
        };
        match self.advance(host, end) {
            RequestAction::Hold if self.holds_body() => {
                pieces.into_iter().for_each(|piece| self.held.push(piece));
                (RequestAction::Hold, Splice::default())
            }
            action => self.with_body(action, pieces),
        }
    }

    /// The body has ended with trailers, which come in the place of the body's end.
    pub fn receive_trailers(&mut self, host: &dyn Host) -> (RequestAction, Splice) {
        let action = self.advance(host, true);
        self.with_body(action, Vec::new())
    }

    /// Feeds the scanner; returns the pieces where the body may have to be held.
    fn scan(
        &mut self,
        host: &dyn Host,
        size: usize,
        read: ReadBuffer<'_>,
    ) -> Result<Vec<Vec<u8>>, RequestAction> {
        let may_hold = self.holds_body();
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < size && matches!(self.phase, Phase::Held(_) | Phase::Scanning(_)) {
            let piece = read(start, PIECE_BYTES.min(size.abs_diff(start)));
            if piece.is_empty() {
                break;
            }
            self.feed(host, &piece).map_err(RequestAction::Reply)?;
            start = start.saturating_add(piece.len());
            if may_hold {
                if !Held::has_room(start) {
                    return Err(self.reject(host, &Reject::NoRoom));
                }
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }

    /// Gives back what was held, where the request leaves.
    fn with_body(&mut self, action: RequestAction, read: Vec<Vec<u8>>) -> (RequestAction, Splice) {
        let edit = match &action {
            RequestAction::Forward(outgoing) => outgoing.edit.as_ref(),
            RequestAction::Cross { .. } => None,
            _ => return (action, Splice::default()),
        };
        let splice = Splice::of(self.held.take_pieces(), read, edit);
        (action, splice)
    }
}
