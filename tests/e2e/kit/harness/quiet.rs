//! Keeps starts of Envoy apart from tests that measure time: at a start V8 compiles the filter, which takes two seconds of a core.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static STARTS: RwLock<()> = RwLock::new(());

/// As long as this lives, no Envoy starts in this process. Whoever holds it must not start an Envoy.
pub(crate) type Quiet = RwLockWriteGuard<'static, ()>;

/// Waits for the starts under way, and holds off others.
pub(crate) fn quiet() -> Quiet {
    STARTS.write().unwrap_or_else(PoisonError::into_inner)
}

/// To be held for a start. Starts do not wait for each other.
pub(super) fn starting() -> RwLockReadGuard<'static, ()> {
    STARTS.read().unwrap_or_else(PoisonError::into_inner)
}
