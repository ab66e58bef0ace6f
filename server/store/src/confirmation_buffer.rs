//! First use of each token generation, in memory until it is written. See [`confirmations`](crate::confirmations).

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rotation::{Generation, SessionId, Timestamp};

/// The first use of the newest generation of each session.
#[derive(Debug, Default)]
pub(crate) struct ConfirmationBuffer {
    inner: Mutex<Generations>,
    /// Held while uses are written, so that a second writer returns only after the first: what was recorded before its
    /// call is then in the database.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Generations {
    /// Two halves, so that old entries can be dropped without tracking their age: see
    /// [`ConfirmationBuffer::drop_older_half`].
    recent: HashMap<SessionId, Confirmation>,
    older: HashMap<SessionId, Confirmation>,
    unwritten: HashSet<SessionId>,
}

/// The first use of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) generation: Generation,
    pub(crate) at: Timestamp,
}

impl Generations {
    fn newest(&self, session: SessionId) -> Option<Confirmation> {
        let newest = self.recent.get(&session).or_else(|| self.older.get(&session));
        newest.copied()
    }
}

impl ConfirmationBuffer {
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, session: SessionId, generation: Generation, at: Timestamp) {
        let mut inner = self.lock();
        if inner
            .newest(session)
            .is_some_and(|known| known.generation >= generation)
        {
            return;
        }
        inner.recent.insert(session, Confirmation { generation, at });
        // The first generation has no parent, so there is nothing to confirm.
        if generation > Generation::FIRST {
            inner.unwritten.insert(session);
        }
    }

    /// When this generation of the session was first used, as far as this process knows. A newer generation counts as
    /// well.
    pub(crate) fn first_use(&self, session: SessionId, generation: Generation) -> Option<Timestamp> {
        let newest = self.lock().newest(session)?;
        (newest.generation >= generation).then_some(newest.at)
    }

    /// What still has to be written. It stays in the buffer until [`mark_written`](Self::mark_written), so that a failed
    /// or cancelled write loses nothing.
    pub(crate) fn unwritten(&self) -> Vec<(SessionId, Confirmation)> {
        let inner = self.lock();
        inner
            .unwritten
            .iter()
            .filter_map(|session| Some((*session, inner.newest(*session)?)))
            .collect()
    }

    pub(crate) fn mark_written(&self, written: &[(SessionId, Confirmation)]) {
        let mut inner = self.lock();
        for (session, confirmation) in written {
            // A newer generation that arrived during the write still has to be written.
            if inner.newest(*session) == Some(*confirmation) {
                inner.unwritten.remove(session);
            }
        }
    }

    /// Drops entries that were neither seen since the last call nor still have to be written.
    pub(crate) fn drop_older_half(&self) {
        let mut inner = self.lock();
        let mut kept: HashMap<_, _> = mem::take(&mut inner.older);
        kept.retain(|session, _| inner.unwritten.contains(session));
        inner.older = mem::take(&mut inner.recent);
        for (session, first) in kept {
            inner.older.entry(session).or_insert(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::new(Timestamp::from_secs(1_790_000_000), [number; 10])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + second)
    }

    fn write_all(buffer: &ConfirmationBuffer) -> usize {
        let unwritten = buffer.unwritten();
        buffer.mark_written(&unwritten);
        unwritten.len()
    }

    #[test]
    fn a_generation_is_written_once() {
        let buffer = ConfirmationBuffer::default();
        for second in 0..3 {
            buffer.record(session(1), Generation::new(2), at(second));
        }
        let first = Confirmation {
            generation: Generation::new(2),
            at: at(0),
        };
        assert_eq!(buffer.unwritten(), [(session(1), first)]);
        assert_eq!(write_all(&buffer), 1);
        buffer.record(session(1), Generation::new(2), at(0));
        assert_eq!(write_all(&buffer), 0);
        buffer.record(session(1), Generation::new(3), at(0));
        assert_eq!(write_all(&buffer), 1);
    }

    #[test]
    fn an_older_generation_never_hides_a_newer_one() {
        let buffer = ConfirmationBuffer::default();
        buffer.record(session(1), Generation::new(3), at(0));
        buffer.record(session(1), Generation::new(2), at(0));
        assert_eq!(buffer.first_use(session(1), Generation::new(3)), Some(at(0)));
        assert_eq!(buffer.first_use(session(1), Generation::new(4)), None);
        assert_eq!(buffer.first_use(session(2), Generation::FIRST), None);
    }

    #[test]
    fn the_first_generation_has_nothing_to_confirm() {
        let buffer = ConfirmationBuffer::default();
        buffer.record(session(1), Generation::FIRST, at(0));
        assert_eq!(write_all(&buffer), 0);
    }

    #[test]
    fn an_interrupted_write_loses_nothing() {
        let buffer = ConfirmationBuffer::default();
        buffer.record(session(1), Generation::new(2), at(0));
        let interrupted = buffer.unwritten();
        for _ in 0..3 {
            buffer.drop_older_half();
        }
        assert_eq!(buffer.unwritten(), interrupted);
        assert_eq!(write_all(&buffer), 1);
        buffer.drop_older_half();
        assert_eq!(buffer.first_use(session(1), Generation::new(2)), None);
    }

    #[test]
    fn a_newer_generation_during_a_write_is_written_next() {
        let buffer = ConfirmationBuffer::default();
        buffer.record(session(1), Generation::new(2), at(0));
        let writing = buffer.unwritten();
        buffer.record(session(1), Generation::new(3), at(1));
        buffer.mark_written(&writing);
        assert_eq!(buffer.unwritten()[0].1.generation, Generation::new(3));
    }
}
