//! A breaker as bytes in shared data: of fixed size, with a version.
//!
//! | bytes | |
//! |---|---|
//! | 0 | version, 1 |
//! | 1 | state: 0 closed, 1 open, 2 half-open |
//! | 2..4 | zero |
//! | 4..8 | epoch |
//! | 8..12 | failures, or successes |
//! | 12..16 | the last probe's number |
//! | 16..24 | open until, or the probe's deadline, in milliseconds |
//!
//! Numbers are little-endian.

use super::{Breaker, State};

/// The size of a record.
pub const RECORD_BYTES: usize = 24;

const VERSION: u8 = 1;

impl Breaker {
    /// As it is stored.
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let (state, count, probe, time_ms) = match self.state {
            State::Closed { failures } => (0, failures, 0, 0),
            State::Open { until_ms } => (1, 0, 0, until_ms),
            State::HalfOpen { successes, probe, deadline_ms } => (2, successes, probe, deadline_ms),
        };
        let mut bytes = [0; RECORD_BYTES];
        let parts: [&[u8]; 5] = [
            &[VERSION, state, 0, 0],
            &self.epoch.to_le_bytes(),
            &u32::to_le_bytes(count),
            &u32::to_le_bytes(probe),
            &u64::to_le_bytes(time_ms),
        ];
        for (byte, part) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
            *byte = *part;
        }
        bytes
    }

    /// As it was stored; `None` for bytes of another version, or of no version at all.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; RECORD_BYTES] = bytes.try_into().ok()?;
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (probe, rest) = rest.split_first_chunk::<4>()?;
        let (time_ms, _) = rest.split_first_chunk::<8>()?;
        let count = u32::from_le_bytes(*count);
        let time_ms = u64::from_le_bytes(*time_ms);
        let state = match *head {
            [VERSION, 0, 0, 0] => State::Closed { failures: count },
            [VERSION, 1, 0, 0] => State::Open { until_ms: time_ms },
            [VERSION, 2, 0, 0] => State::HalfOpen {
                successes: count,
                probe: u32::from_le_bytes(*probe),
                deadline_ms: time_ms,
            },
            _ => return None,
        };
        Some(Self { epoch: u32::from_le_bytes(*epoch), state })
    }
}
