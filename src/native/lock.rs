//! Mutexes of the command.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the mutex. The command serves on after a panic of a thread that held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
