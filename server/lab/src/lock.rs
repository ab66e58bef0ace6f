//! Locks a mutex.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic in another request must not disable the lab.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
