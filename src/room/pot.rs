//! A pot: the bytes that all requests of a worker may have in one place together, and who goes when the pot is full.
//!
//! | a holder asks for more | the client's share | the pot | |
//! |---|---|---|---|
//! | [`Pot::take`] | fits | fits | the holder has more |
//! | | full | | the largest holders of that client go; but the asker goes, if it would be the largest |
//! | | fits | full | the largest holders of all go; but the asker goes, if it would be the largest |
//! | [`Pot::take_if_free`] | fits | fits | the holder has more |
//! | | full | | nothing changes |
//! | | | full | nothing changes |
//! | [`Pot::shrink`], [`Pot::leave`] | | | there is room again |
//!
//! A holder that goes has nothing from then on, and is named by [`Pot::evicted`]; a holder whose time is up is named by
//! [`Pot::late`]. Of holders of the same size the one with the higher number goes first.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::Client;

/// The most bytes in a pot. Each request brings those of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of all clients together.
    pub all: usize,
    /// Of one client.
    pub client: usize,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Full {
    /// The client's share is full.
    Share,
    /// The pot is full.
    Pot,
}

/// The holders of a client, or of all: each by size and number.
#[derive(Debug, Default)]
struct Group {
    bytes: usize,
    sizes: BTreeSet<(usize, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Holder {
    client: Client,
    bytes: usize,
    /// When the holder must be gone, in milliseconds since 1970.
    until_ms: u64,
}

/// The bytes of all holders. A holder is a stream, by its number.
#[derive(Debug, Default)]
pub struct Pot {
    holders: HashMap<u32, Holder>,
    clients: HashMap<Client, Group>,
    all: Group,
    evicted: Vec<u32>,
}

impl Pot {
    /// Makes room for `more` bytes of `holder`; others may go for that. `until_ms` counts when the holder has nothing yet.
    ///
    /// # Errors
    /// [`Full`] if the holder would be the largest; the holder has nothing then.
    pub fn take(
        &mut self,
        holder: u32,
        client: Client,
        more: usize,
        limits: Limits,
        until_ms: u64,
    ) -> Result<(), Full> {
        let held = self.bytes_of(holder);
        let client = self.holders.get(&holder).map_or(client, |holder| holder.client);
        let wanted = held.saturating_add(more);
        let made = self.make_room(holder, Some(client), wanted, limits.client);
        let made = made.map_err(|()| Full::Share).and_then(|()| {
            self.make_room(holder, None, wanted, limits.all).map_err(|()| Full::Pot)
        });
        match made {
            Ok(()) => self.put(holder, client, wanted, until_ms),
            Err(_) => self.leave(holder),
        }
        made
    }

    /// The same, but no other holder goes for it.
    ///
    /// # Errors
    /// [`Full`]; nothing has changed then.
    pub fn take_if_free(
        &mut self,
        holder: u32,
        client: Client,
        more: usize,
        limits: Limits,
    ) -> Result<(), Full> {
        let wanted = self.bytes_of(holder).saturating_add(more);
        let with = |group: &Group| group.bytes.saturating_add(more);
        if self.clients.get(&client).map_or(more, with) > limits.client {
            return Err(Full::Share);
        }
        if with(&self.all) > limits.all {
            return Err(Full::Pot);
        }
        self.put(holder, client, wanted, u64::MAX);
        Ok(())
    }

    /// The holder has no more than `bytes` from now on.
    pub fn shrink(&mut self, holder: u32, bytes: usize) {
        if let Some(&Holder { client, bytes: held, until_ms }) = self.holders.get(&holder)
            && bytes < held
        {
            self.put(holder, client, bytes, until_ms);
        }
    }

    /// The holder is gone, with all that it had.
    pub fn leave(&mut self, holder: u32) {
        let Some(Holder { client, bytes, .. }) = self.holders.remove(&holder) else { return };
        self.all.remove(holder, bytes);
        if let Some(group) = self.clients.get_mut(&client) {
            group.remove(holder, bytes);
            if group.sizes.is_empty() {
                self.clients.remove(&client);
            }
        }
    }

    /// The holders that went for others since the last call.
    pub fn evicted(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.evicted)
    }

    /// The holders whose time is up.
    pub fn late(&self, now_ms: u64) -> Vec<u32> {
        let late = self.holders.iter().filter(|(_, holder)| holder.until_ms <= now_ms);
        late.map(|(number, _)| *number).collect()
    }

    /// What all holders have.
    pub fn bytes(&self) -> usize {
        self.all.bytes
    }

    /// What a client's holders have.
    pub fn bytes_of_client(&self, client: Client) -> usize {
        self.clients.get(&client).map_or(0, |group| group.bytes)
    }

    /// What a holder has.
    pub fn bytes_of(&self, holder: u32) -> usize {
        self.holders.get(&holder).map_or(0, |holder| holder.bytes)
    }

    /// Lets the largest holders of a group go until `asker` can have `wanted` in all: those that are larger than that.
    fn make_room(
        &mut self,
        asker: u32,
        client: Option<Client>,
        wanted: usize,
        limit: usize,
    ) -> Result<(), ()> {
        let none = Group::default();
        let group = match client {
            Some(client) => self.clients.get(&client).unwrap_or(&none),
            None => &self.all,
        };
        let others = group.bytes.saturating_sub(self.bytes_of(asker));
        let mut excess = others.saturating_add(wanted).saturating_sub(limit);
        let mut leaving = Vec::new();
        let larger = group.sizes.iter().rev().take_while(|(bytes, _)| *bytes > wanted);
        for (bytes, holder) in larger {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(*bytes);
            leaving.push(*holder);
        }
        if excess > 0 {
            return Err(());
        }
        leaving.iter().for_each(|holder| self.leave(*holder));
        self.evicted.extend(leaving);
        Ok(())
    }

    fn put(&mut self, holder: u32, client: Client, bytes: usize, until_ms: u64) {
        let until_ms = self.holders.get(&holder).map_or(until_ms, |holder| holder.until_ms);
        self.leave(holder);
        self.holders.insert(holder, Holder { client, bytes, until_ms });
        self.all.add(holder, bytes);
        self.clients.entry(client).or_default().add(holder, bytes);
    }
}

impl Group {
    fn add(&mut self, holder: u32, bytes: usize) {
        self.sizes.insert((bytes, holder));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn remove(&mut self, holder: u32, bytes: usize) {
        self.sizes.remove(&(bytes, holder));
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests;
