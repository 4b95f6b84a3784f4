//! Waiting for a condition, with a limit: the only way in which these tests wait.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that anything in these tests may take, unless a test says otherwise.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Polls `ready` until it gives something.
pub(crate) fn until<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    until_within(LIMIT, what, ready)
}

/// The same with another limit.
pub(crate) fn until_within<T>(
    limit: Duration,
    what: &str,
    mut ready: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < limit, "{what} did not come within {limit:?}");
        sleep(Duration::from_millis(2));
    }
}

/// Polls until `condition` holds.
pub(crate) fn until_true(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || condition().then_some(()));
}
