//! A pot: the bytes that the requests of a worker may have in one place together, and which request goes when that is full.
//!
//! | a holder asks for more | the client's share | the pot | |
//! |---|---|---|---|
//! | [`Pot::take`] | fits | fits | the holder has more |
//! | | full | | the largest holder of that client goes; but the asker goes, if no other is larger |
//! | | fits | full | the largest holder of all goes; but the asker goes, if no other is larger |
//! | [`Pot::take_if_free`] | fits | fits | the holder has more |
//! | | full | | nothing changes |
//! | | | full | nothing changes |
//! | [`Pot::shrink`], [`Pot::leave`] | | | there is room again |
//! | [`Pot::linger`] | | | there is room again when the holder's time is up |
//!
//! A holder that goes has nothing from then on, and its stream is named by [`Pot::evicted`]; the stream of a holder whose time
//! is up is named by [`Pot::late`]. Of holders of the same size the holder with the later seat goes first.
//!
//! A holder that goes for another is larger than all that the other asks for, so there is room after that. The largest holder
//! is searched for among all, which happens when the pot is full, and the client when a holder enters.

use super::{Bound, Client};

/// The most bytes in a pot. Each request brings those of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of all clients together.
    pub all: usize,
    /// Of one client.
    pub client: usize,
    /// The bound that is met when the pot is full.
    pub bound: Bound,
}

/// A holder's place in a pot, from [`Pot::enter`] to [`Pot::leave`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat(usize);

#[derive(Debug)]
struct Holder {
    /// `None` for a stream that is over. A seat without stream and bytes is free.
    stream: Option<u32>,
    /// The index among the clients.
    client: usize,
    bytes: usize,
    /// When the holder must be gone, in milliseconds since 1970.
    until_ms: u64,
}

/// What the holders of a client have. Without holders, the next client may have its index.
#[derive(Debug)]
struct Share {
    client: Client,
    holders: usize,
    bytes: usize,
}

/// The bytes of all holders. A holder is a stream, by its number.
#[derive(Debug)]
pub struct Pot {
    holders: Vec<Holder>,
    shares: Vec<Share>,
    /// No seat before this is free.
    free_from: usize,
    /// What all holders have.
    bytes: usize,
    evicted: Vec<(u32, Bound)>,
}

impl Limits {
    /// The same limits, but with room for `bytes` bytes in any case.
    #[must_use]
    pub fn at_least(self, bytes: usize) -> Self {
        Self { all: self.all.max(bytes), client: self.client.max(bytes), ..self }
    }
}

impl Pot {
    /// An empty pot.
    pub const fn empty() -> Self {
        Self {
            holders: Vec::new(),
            shares: Vec::new(),
            free_from: 0,
            bytes: 0,
            evicted: Vec::new(),
        }
    }

    /// A holder that has nothing yet, and must be gone at `until_ms`.
    pub fn enter(&mut self, stream: u32, client: Client, until_ms: u64) -> Seat {
        let client = self.share_of(client);
        let holder = Holder { stream: Some(stream), client, bytes: 0, until_ms };
        let is_taken = |holder: &Holder| holder.stream.is_some() || holder.bytes > 0;
        let taken = self.holders.iter().skip(self.free_from).take_while(|holder| is_taken(holder));
        let at = self.free_from.saturating_add(taken.count());
        match self.holders.get_mut(at) {
            Some(place) => *place = holder,
            None => self.holders.push(holder),
        }
        self.free_from = at.saturating_add(1);
        Seat(at)
    }

    /// Makes room for `more` bytes of a holder; others may go for that.
    ///
    /// # Errors
    /// The bound that is met, if no other holder is larger; the holder has nothing then.
    pub fn take(&mut self, seat: Seat, more: usize, limits: Limits) -> Result<(), Bound> {
        let wanted = self.bytes_of(seat).saturating_add(more);
        while let Err(bound) = self.take_if_free(seat, more, limits) {
            let Some(largest) = self.largest(seat, bound, wanted) else {
                self.shrink(seat, 0);
                return Err(bound);
            };
            self.shrink(largest, 0);
            if let Some(holder) = self.holders.get_mut(largest.0) {
                holder.until_ms = u64::MAX;
                self.evicted.extend(holder.stream.map(|stream| (stream, bound)));
            }
        }
        Ok(())
    }

    /// The same, but no other holder goes for it.
    ///
    /// # Errors
    /// The bound that is met; nothing has changed then.
    pub fn take_if_free(&mut self, seat: Seat, more: usize, limits: Limits) -> Result<(), Bound> {
        let Some(holder) = self.holders.get_mut(seat.0) else { return Ok(()) };
        let Some(share) = self.shares.get_mut(holder.client) else { return Ok(()) };
        let (of_client, of_all) =
            (share.bytes.saturating_add(more), self.bytes.saturating_add(more));
        if of_client > limits.client {
            return Err(Bound::ClientShare);
        }
        if of_all > limits.all {
            return Err(limits.bound);
        }
        (share.bytes, self.bytes) = (of_client, of_all);
        holder.bytes = holder.bytes.saturating_add(more);
        Ok(())
    }

    /// The holder has no more than `bytes` from now on.
    pub fn shrink(&mut self, seat: Seat, bytes: usize) {
        let Some(holder) = self.holders.get_mut(seat.0) else { return };
        let freed = holder.bytes.saturating_sub(bytes);
        holder.bytes = holder.bytes.saturating_sub(freed);
        self.bytes = self.bytes.saturating_sub(freed);
        if let Some(share) = self.shares.get_mut(holder.client) {
            share.bytes = share.bytes.saturating_sub(freed);
        }
    }

    /// The holder has at least `bytes` from now on, whatever the bounds: the bytes are there. New holders meet the bounds.
    pub fn grow(&mut self, seat: Seat, bytes: usize) {
        let Some(holder) = self.holders.get_mut(seat.0) else { return };
        let added = bytes.saturating_sub(holder.bytes);
        holder.bytes = holder.bytes.saturating_add(added);
        self.bytes = self.bytes.saturating_add(added);
        if let Some(share) = self.shares.get_mut(holder.client) {
            share.bytes = share.bytes.saturating_add(added);
        }
    }

    /// The holder is gone, with all that it had.
    pub fn leave(&mut self, seat: Seat) {
        let Some(holder) = self.holders.get_mut(seat.0) else { return };
        if holder.stream.take().is_some() {
            self.free(seat);
        }
    }

    /// The holder's stream is over. The holder keeps what it has until its time is up, see [`Pot::expire`].
    pub fn linger(&mut self, seat: Seat) {
        match self.holders.get_mut(seat.0) {
            Some(holder) if holder.bytes > 0 => holder.stream = None,
            _ => self.leave(seat),
        }
    }

    /// The holders are gone whose streams are over and whose time is up.
    pub fn expire(&mut self, now_ms: u64) {
        for at in 0..self.holders.len() {
            let is_over = |holder: &&Holder| {
                holder.stream.is_none() && holder.bytes > 0 && holder.until_ms <= now_ms
            };
            if self.holders.get(at).filter(is_over).is_some() {
                self.free(Seat(at));
            }
        }
    }

    fn free(&mut self, seat: Seat) {
        self.shrink(seat, 0);
        self.free_from = self.free_from.min(seat.0);
        let client = self.holders.get(seat.0).map_or(usize::MAX, |holder| holder.client);
        if let Some(share) = self.shares.get_mut(client) {
            share.holders = share.holders.saturating_sub(1);
        }
    }

    /// The streams whose holders went for others since the last call, and the bounds that the others met.
    pub fn evicted(&mut self) -> Vec<(u32, Bound)> {
        std::mem::take(&mut self.evicted)
    }

    /// The streams whose time is up.
    pub fn late(&self, now_ms: u64) -> Vec<u32> {
        let late = self.holders.iter().filter(|holder| holder.until_ms <= now_ms);
        late.filter_map(|holder| holder.stream).collect()
    }

    /// What all holders have.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What a holder has.
    pub fn bytes_of(&self, seat: Seat) -> usize {
        self.holders.get(seat.0).map_or(0, |holder| holder.bytes)
    }

    /// The index of a client that has one more holder now.
    fn share_of(&mut self, client: Client) -> usize {
        let known =
            self.shares.iter().position(|share| share.client == client && share.holders > 0);
        let place = known.or_else(|| self.shares.iter().position(|share| share.holders == 0));
        match place.and_then(|at| Some((at, self.shares.get_mut(at)?))) {
            Some((at, share)) => {
                share.client = client;
                share.holders = share.holders.saturating_add(1);
                at
            }
            None => {
                self.shares.push(Share { client, holders: 1, bytes: 0 });
                self.shares.len().saturating_sub(1)
            }
        }
    }

    /// The largest holder that is larger than `wanted`: where the share of the asker's client is full, one of that client.
    fn largest(&self, asker: Seat, bound: Bound, wanted: usize) -> Option<Seat> {
        let client = self.holders.get(asker.0)?.client;
        let (mut largest, mut least) = (None, wanted.saturating_add(1));
        for (at, holder) in self.holders.iter().enumerate() {
            let is_meant = bound != Bound::ClientShare || holder.client == client;
            if is_meant && at != asker.0 && holder.bytes >= least {
                (largest, least) = (Some(Seat(at)), holder.bytes);
            }
        }
        largest
    }
}

#[cfg(test)]
mod tests;
