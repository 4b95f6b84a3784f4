//! Reads a request's body from Envoy's buffer, and gives the held bytes back.

use super::{Phase, RequestAction, Session};
use crate::body::{DecompressError, Edits, Encoding, Splice};
use crate::host::Host;
use crate::reply::{Reject, Reply};
use crate::room::{Place, Purpose};

/// The size of the pieces in which a body is copied into the VM. The VM's memory never shrinks, and Envoy's buffer can be
/// large.
const PIECE_BYTES: usize = 64 * 1024;

/// Copies bytes of Envoy's buffer: `read(start, size_max)`.
pub(crate) type ReadBuffer<'a> = &'a dyn Fn(usize, usize) -> Vec<u8>;

impl Session {
    /// Reads the buffer's `size` bytes, and decides. The splice is for Envoy's buffer; it is empty unless the request
    /// leaves now. `end` says that the body is complete.
    pub fn receive(
        &mut self,
        host: &dyn Host,
        size: usize,
        end: bool,
        read: ReadBuffer<'_>,
    ) -> (RequestAction, Splice) {
        let pieces = match self.scan(host, size, read) {
            Ok(pieces) => pieces,
            Err(reply) => return (RequestAction::Reply(reply), Splice::default()),
        };
        if let Some(encoding) = self.encoding {
            if let Err(reject) = self.keep(host, pieces) {
                let reply = self.refuse(host, &reject);
                return (RequestAction::Reply(reply), Splice::default());
            }
            return match end {
                true => self.receive_whole(host, size, encoding),
                false => (RequestAction::Hold, Splice::default()),
            };
        }
        match self.advance(host, end) {
            RequestAction::Hold if self.holds_body() => {
                let action = match self.keep(host, pieces) {
                    Ok(()) => RequestAction::Hold,
                    Err(reject) => RequestAction::Reply(self.refuse(host, &reject)),
                };
                (action, Splice::default())
            }
            action => self.with_body(action, pieces),
        }
    }

    /// The trailers have come. For a body with trailers Envoy reports no other end.
    pub fn receive_trailers(&mut self, host: &dyn Host) -> (RequestAction, Splice) {
        if let Some(encoding) = self.encoding {
            return self.receive_whole(host, 0, encoding);
        }
        let action = self.advance(host, true);
        self.with_body(action, Vec::new())
    }

    /// A compressed body is whole: its plain text takes its place, of which `size` bytes are in Envoy's buffer.
    fn receive_whole(
        &mut self,
        host: &dyn Host,
        size: usize,
        encoding: Encoding,
    ) -> (RequestAction, Splice) {
        if let Err(reply) = self.decompress(host, encoding) {
            return (RequestAction::Reply(reply), Splice::default());
        }
        let action = self.advance(host, true);
        let (action, mut splice) = self.with_body(action, Vec::new());
        if splice.pieces.is_empty() {
            splice.pieces.push(Vec::new());
        }
        splice.replaced = size;
        (action, splice)
    }

    fn decompress(&mut self, host: &dyn Host, encoding: Encoding) -> Result<(), Reply> {
        let limit = self.gateway.body_limit_bytes;
        let max = usize::try_from(limit).unwrap_or(usize::MAX);
        let bytes = self.held.take_pieces().concat();
        // No body at all is none in any encoding.
        let plain = if bytes.is_empty() { Ok(bytes) } else { encoding.decompress(&bytes, max) };
        let plain = plain.map_err(|error| self.refuse(host, &Reject::Compressed(error, limit)))?;
        // The plain text takes the room of the compressed.
        self.place = None;
        (self.encoding, self.is_decompressed) = (None, true);
        self.content_length = Some(plain.len() as u64);
        self.feed(host, &plain)?;
        self.keep(host, vec![plain]).map_err(|reject| self.refuse(host, &reject))
    }

    /// Reads a piece of the body; one of a compressed body has to wait.
    fn take(&mut self, host: &dyn Host, piece: &[u8], before: usize) -> Result<(), Reply> {
        let Some(_) = self.encoding else { return self.feed(host, piece) };
        let limit = self.gateway.body_limit_bytes;
        let held = self.held.bytes().saturating_add(before).saturating_add(piece.len());
        match held as u64 > limit {
            true => Err(self.refuse(host, &Reject::Compressed(DecompressError::TooLong, limit))),
            false => Ok(()),
        }
    }

    /// Holds pieces, if there is room for them.
    fn keep(&mut self, host: &dyn Host, pieces: Vec<Vec<u8>>) -> Result<(), Reject> {
        let rooms = self.gateway.rooms;
        // A body that has its model, and waits for the rest, is not late.
        let wait_ms = if self.has_found() { u64::MAX } else { rooms.model_ms };
        let place = self.place.get_or_insert_with(|| {
            let until_ms = host.now_ms().saturating_add(wait_ms);
            Place::new(Purpose::Held, host.stream(), host.client(), until_ms)
        });
        for piece in pieces {
            let cost = self.held.cost(&piece);
            place.take(cost, rooms.held).map_err(Reject::NoRoom)?;
            self.held.push(piece);
        }
        Ok(())
    }

    /// Ends the wait for the model from outside the request's own callbacks.
    pub fn end_waiting(&mut self, host: &dyn Host, reject: &Reject) -> Reply {
        self.refuse(host, reject)
    }

    /// Feeds the scanner. Returns the copied pieces if the body is held, because then they may have to be held too.
    ///
    /// # Errors
    /// The answer to a body that is refused.
    fn scan(
        &mut self,
        host: &dyn Host,
        size: usize,
        read: ReadBuffer<'_>,
    ) -> Result<Vec<Vec<u8>>, Reply> {
        let may_hold = self.holds_body();
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < size && matches!(self.phase, Phase::Held(_) | Phase::Scanning(_)) {
            let piece = read(start, PIECE_BYTES.min(size.saturating_sub(start)));
            if piece.is_empty() {
                break;
            }
            let has_model = self.has_found() && self.stream_options.is_none();
            self.take(host, &piece, start)?;
            start = start.saturating_add(piece.len());
            // What comes after the model stays in Envoy's buffer.
            if may_hold && !has_model {
                pieces.push(piece);
            }
            if may_hold && self.is_too_late() {
                break;
            }
        }
        Ok(pieces)
    }

    /// Adds the splice with the held bytes, if the request leaves.
    fn with_body(&mut self, action: RequestAction, read: Vec<Vec<u8>>) -> (RequestAction, Splice) {
        let edits = match &action {
            RequestAction::Forward(outgoing) => outgoing.edits(),
            RequestAction::Cross { .. } => Edits::default(),
            _ => return (action, Splice::default()),
        };
        let splice = Splice::of(self.held.take_pieces(), read, edits);
        self.place = None;
        (action, splice)
    }
}
