//! Records that all workers share, and the one loop that changes them.

/// Shared data: each value has a number that changes with the value.
pub trait Store {
    /// The value of a key and its number; `None` when the key was never set.
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets a value if the key still has this number, or, for `None`, if the key was never set. `false`
    /// when another worker was faster.
    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool;
}

/// Another worker was faster, at each try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contended;

/// How often a change is tried. Each failed try is the success of another worker: with a few dozen workers,
/// this many failures in a row do not happen by chance.
pub const TRIES_MAX: u32 = 32;

/// Changes a record by compare-and-swap. `change` gets the bytes, and returns the bytes to store, if any, and the result.
/// `change` may be called several times.
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
