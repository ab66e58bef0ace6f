//! Work areas: the memory that argon2 works in. There is one per concurrent hash, each allocated once.
//!
//! If every hash allocated and freed its 19 MiB, the memory would stay in the allocator: each thread that ever hashed
//! keeps its share, and the process grows to the number of threads times the area. Here an area comes with the permit
//! to hash and is returned with it, so there are never more areas than permits.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::Block;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use zeroize::Zeroize;

use super::error::{PasswordError, hash_error};

/// The areas, and the queue for them.
#[derive(Debug)]
pub(super) struct WorkAreas {
    permits: Arc<Semaphore>,
    /// One per free permit. An area that was never used is empty.
    free: Mutex<Vec<Vec<Block>>>,
}

/// A permit to hash, with its memory. Dropping it wipes the memory and returns both.
#[derive(Debug)]
pub(super) struct WorkArea {
    area: Vec<Block>,
    /// The number of blocks that contain data.
    used: usize,
    areas: Arc<WorkAreas>,
    /// Released after [`Drop::drop`] has returned the area.
    _permit: OwnedSemaphorePermit,
}

impl WorkAreas {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(count)),
            free: Mutex::new(vec![Vec::new(); count]),
        })
    }

    /// # Errors
    /// [`PasswordError::Busy`] if none was returned in time.
    pub(super) async fn acquire(self: &Arc<Self>, patience: Duration) -> Result<WorkArea, PasswordError> {
        let permit = timeout(patience, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| PasswordError::Busy)?
            .map_err(hash_error)?;
        let area = self.free().pop().unwrap_or_default();
        Ok(WorkArea {
            area,
            used: 0,
            areas: Arc::clone(self),
            _permit: permit,
        })
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of blocks of each area that is not in use.
    #[cfg(test)]
    pub(super) fn free_blocks(&self) -> Vec<usize> {
        self.free().iter().map(Vec::len).collect()
    }

    /// Whether all areas that are not in use are wiped.
    #[cfg(test)]
    pub(super) fn are_wiped(&self) -> bool {
        let is_wiped = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        self.free().iter().flatten().all(is_wiped)
    }
}

impl WorkArea {
    /// An area of at least this many blocks. It grows to the largest size requested and keeps it.
    ///
    /// # Errors
    /// [`PasswordError::Memory`] if the system has no more memory.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], PasswordError> {
        if self.area.len() < count {
            // The old one first: two at the same time would exceed the memory limit.
            self.wipe();
            self.area = Vec::new();
            self.area
                .try_reserve_exact(count)
                .map_err(|_| PasswordError::Memory)?;
            self.area.resize(count, Block::new());
        }
        self.used = self.used.max(count);
        Ok(&mut self.area[..count])
    }

    fn wipe(&mut self) {
        let used = self.used.min(self.area.len());
        for block in &mut self.area[..used] {
            block.zeroize();
        }
        self.used = 0;
    }
}

impl Drop for WorkArea {
    fn drop(&mut self) {
        self.wipe();
        let area = std::mem::take(&mut self.area);
        self.areas.free().push(area);
    }
}
