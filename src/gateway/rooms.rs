//! How much of what is common the requests of a worker may take, compiled.

use crate::config::{ConfigError, File};
use crate::room::{Bound, Limits};

const MIB: u64 = 1024 * 1024;

/// Envoy's VMs fail somewhere above 512 MiB, and the pieces of a callback come on top.
const HELD_LIMIT_BYTES: u64 = 256 * MIB;

const KEPT_LIMIT_BYTES: u64 = 256 * MIB;

/// Dozens of lists of ten thousand models.
const LISTS_LIMIT_BYTES: u64 = 32 * MIB;

/// The most of what is not in the VM's memory.
const LIMIT_BYTES_MAX: u64 = 1024 * MIB;

/// A share of all.
const CLIENT_SHARE_PERCENT: u64 = 25;

const MODEL_SECS: u64 = 60;

/// What the requests of a worker may have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// Bodies that wait for their model, by the memory that they take.
    pub held: Limits,
    /// Bodies that are kept for another attempt.
    pub kept: Limits,
    /// Long answers of the gateway's own. A single list has room in any case.
    pub lists: Limits,
    /// How long the model may take to come.
    pub model_ms: u64,
}

impl Rooms {
    pub(super) fn compile(file: &File, body_limit_bytes: u64) -> Result<Self, ConfigError> {
        let one_body = memory_of(body_limit_bytes);
        let held = file.held_limit_bytes.unwrap_or(HELD_LIMIT_BYTES);
        let held =
            ConfigError::unless_within("held_limit_bytes", held, one_body, HELD_LIMIT_BYTES)?;
        let percent = file.client_share_percent.unwrap_or(CLIENT_SHARE_PERCENT);
        let percent = ConfigError::unless_within("client_share_percent", percent, 1, 100)?;
        let secs = ConfigError::unless_within(
            "model_secs",
            file.model_secs.unwrap_or(MODEL_SECS),
            1,
            3600,
        )?;
        let lists = file.lists_limit_bytes.unwrap_or(LISTS_LIMIT_BYTES);
        let lists = ConfigError::unless_within("lists_limit_bytes", lists, 0, LIMIT_BYTES_MAX)?;
        let kept = file.kept_limit_bytes.unwrap_or(KEPT_LIMIT_BYTES);
        let kept = ConfigError::unless_within("kept_limit_bytes", kept, 0, LIMIT_BYTES_MAX)?;
        Ok(Self {
            held: limits(Bound::Held, held, percent, one_body),
            lists: limits(Bound::Lists, lists, percent, 0),
            kept: limits(Bound::Kept, kept, percent, body_limit_bytes),
            model_ms: secs.saturating_mul(1000),
        })
    }
}

/// The most memory that a held body of this length takes: pieces are a little larger than what is in them.
fn memory_of(bytes: u64) -> u64 {
    const PIECES: u64 = 128 * 1024;
    bytes.saturating_add(bytes / 8).saturating_add(PIECES)
}

/// A client's share is `percent` of all, and `least` at least.
fn limits(bound: Bound, all: u64, percent: u64, least: u64) -> Limits {
    let share = all.saturating_mul(percent) / 100;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Limits { all: size(all), client: size(share.max(least)), bound }
}
