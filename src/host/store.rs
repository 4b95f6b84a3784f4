//! Records that all workers share, and the one loop that changes them.

/// Shared data: values with a number that changes whenever they do.
pub trait Store {
    /// The value of a key and its number; `None` when nobody has ever set it.
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets a value if it still has this number, or, for `None`, if the key was never set. `false`
    /// when somebody was faster.
    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool;
}

/// Somebody else was faster, each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contended;

/// How often a change is tried. Each failed try is another's success: with a few dozen workers,
/// this many in a row do not happen by chance.
pub const TRIES_MAX: u32 = 32;

/// Changes a record by compare-and-swap. `change` sees the bytes and says what to store, if
/// anything, and what to return; it may be called several times.
///
/// # Errors
/// [`Contended`] after [`TRIES_MAX`] tries; nothing was stored then.
pub fn update<T>(
    store: &dyn Store,
    key: &str,
    mut change: impl FnMut(Option<&[u8]>) -> (Option<Vec<u8>>, T),
) -> Result<T, Contended> {
    for _ in 0..TRIES_MAX {
        let loaded = store.load(key);
        let (bytes, number) = match &loaded {
            Some((bytes, number)) => (Some(bytes.as_slice()), Some(*number)),
            None => (None, None),
        };
        match change(bytes) {
            (None, result) => return Ok(result),
            (Some(new), result) if store.swap(key, &new, number) => return Ok(result),
            (Some(_), _) => {}
        }
    }
    Err(Contended)
}
