//! The breakers of a provider as bytes in shared data: of a size that depends on nothing a client sends, with a version.
//!
//! | bytes | |
//! |---|---|
//! | 0 | version, 3 |
//! | 1 | 1 if the provider refuses the gateway's credential, else 0 |
//! | 2..4 | zero |
//! | 4..8 | when that refusal was logged last, in seconds since 1970; 0 for never |
//! | 8..32 | the provider's breaker |
//! | 24 each | the breakers of models, at most one for each slot, in the order of the slots |
//!
//! | bytes of a breaker | |
//! |---|---|
//! | 0 | state: 0 closed, 1 open; half-open: 2 free, 3 reserved, 4 taken by an unfinished probe, 5 by a whole one |
//! | 1 | a model's slot; 0 for the provider |
//! | 2..4 | of a place that is reserved or taken: the probe's client; 0 for unknown |
//! | 4..8 | epoch |
//! | 8..12 | failures, or successes |
//! | 12..16 | the last probe's number |
//! | 16..24 | open, reserved or taken until, in milliseconds |
//!
//! A model that is not there has never failed since it was last closed by a success, and was never open.

use super::{Breaker, ClientNumber, Levels, Place, Slot, State};
use crate::record::{Reader, Writer};

const VERSION: u8 = 3;

/// The bytes before the first model.
const HEAD_BYTES: usize = 8 + BREAKER_BYTES;

const BREAKER_BYTES: usize = 24;

impl Levels {
    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let models = BREAKER_BYTES.saturating_mul(self.models.len());
        let writer = Writer::of_version(VERSION, HEAD_BYTES.saturating_add(models))
            .u8(u8::from(self.refuses_credential))
            .bytes(&[0; 2])
            .u32(self.refusal_logged_secs);
        let writer = write(writer, Slot(0), &self.provider);
        let each = |writer, (slot, breaker): &(Slot, Breaker)| write(writer, *slot, breaker);
        self.models.iter().fold(writer, each).finish()
    }

    /// As it was stored; `None` for bytes of another version, or of no version at all.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::of_version(Some(bytes), VERSION)?;
        let mut levels = Self::read_head(&mut reader)?;
        while !reader.rest().is_empty() {
            let (slot, breaker) = read(&mut reader)?;
            if levels.models.last().is_some_and(|(last, _)| *last >= slot) {
                return None;
            }
            levels.models.push((slot, breaker));
        }
        Some(levels)
    }

    /// The same with one model at most, to be looked at and not to be stored.
    pub(super) fn read_for(bytes: &[u8], slot: Option<Slot>) -> Option<Self> {
        let mut reader = Reader::of_version(Some(bytes), VERSION)?;
        let mut levels = Self::read_head(&mut reader)?;
        let Some(Slot(place)) = slot else { return Some(levels) };
        let models = reader.rest().chunks_exact(BREAKER_BYTES);
        let mut own = models.filter(|model| model.get(1) == Some(&place));
        levels.models.extend(own.next().and_then(|model| read(&mut Reader::new(model))));
        Some(levels)
    }

    fn read_head(reader: &mut Reader<'_>) -> Option<Self> {
        let refuses_credential = match reader.array()? {
            [0, 0, 0] => false,
            [1, 0, 0] => true,
            _ => return None,
        };
        let refusal_logged_secs = reader.u32()?;
        let (Slot(0), provider) = read(reader)? else { return None };
        Some(Self { provider, models: Vec::new(), refuses_credential, refusal_logged_secs })
    }
}

fn write(writer: Writer, Slot(slot): Slot, breaker: &Breaker) -> Writer {
    let nobody = ClientNumber::UNKNOWN;
    let (state, asker, count, probe, time_ms) = match breaker.state {
        State::Closed { failures } => (0, nobody, failures, 0, 0),
        State::Open { until_ms } => (1, nobody, 0, 0, until_ms),
        State::HalfOpen { successes, probe, place } => {
            let (state, asker, time_ms) = match place {
                Place::Free => (2, nobody, 0),
                Place::Reserved { until_ms, asker } => (3, asker, until_ms),
                Place::Taken { until_ms, is_whole: false, asker } => (4, asker, until_ms),
                Place::Taken { until_ms, is_whole: true, asker } => (5, asker, until_ms),
            };
            (state, asker, successes, probe, time_ms)
        }
    };
    let writer = writer.bytes(&[state, slot]).bytes(&asker.0.to_le_bytes());
    writer.u32(breaker.epoch).u32(count).u32(probe).u64(time_ms)
}

#[inline(never)]
fn read(reader: &mut Reader<'_>) -> Option<(Slot, Breaker)> {
    let [state, slot, low, high] = reader.array()?;
    let asker = ClientNumber(u16::from_le_bytes([low, high]));
    let (epoch, count, probe, until_ms) =
        (reader.u32()?, reader.u32()?, reader.u32()?, reader.u64()?);
    let half_open = |place| State::HalfOpen { successes: count, probe, place };
    // A number that the state does not have is zero.
    let state = match (state, asker, count, probe, until_ms) {
        (0, ClientNumber(0), failures, 0, 0) => State::Closed { failures },
        (1, ClientNumber(0), 0, 0, until_ms) => State::Open { until_ms },
        (2, ClientNumber(0), _, _, 0) => half_open(Place::Free),
        (3, ..) => half_open(Place::Reserved { until_ms, asker }),
        (4, ..) => half_open(Place::Taken { until_ms, is_whole: false, asker }),
        (5, ..) => half_open(Place::Taken { until_ms, is_whole: true, asker }),
        _ => return None,
    };
    Some((Slot(slot), Breaker { epoch, state }))
}
