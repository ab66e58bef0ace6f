//! In-memory cache of recently revoked sessions and accounts.
//!
//! An access token is verified without a query, so it would stay valid for minutes after its session was revoked. Every
//! process therefore caches the sessions and accounts that were revoked within that time, and refuses their access
//! tokens. It learns of a revocation in three ways:
//! - It revoked the session itself.
//! - PostgreSQL notifies it (`LISTEN`/`NOTIFY`, see [`channel`](super::channel)).
//! - It reads the tables `ended_sessions` and `ended_accounts`. Every revocation is written to them in its own
//!   transaction.
//!
//! Reading alone guarantees the limit of one second; the other two are faster.
//! How it reads is described in [`reader`](super::reader).

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError, RwLock},
};

use rotation::{SessionId, Timestamp, UserId};

/// The revocations that this process knows.
#[derive(Debug, Default)]
pub(crate) struct RevocationCache {
    known: RwLock<KnownRevocations>,
    /// Where the next read begins; `None` means a full read.
    cursor: Mutex<Option<Cursor>>,
}

#[derive(Debug, Default)]
struct KnownRevocations {
    sessions: HashMap<SessionId, Timestamp>,
    accounts: HashMap<UserId, AccountRevocation>,
}

/// Everything issued to an account before this epoch is revoked.
#[derive(Debug)]
struct AccountRevocation {
    epoch: u32,
    at: Timestamp,
    /// Sessions that the database reported as live since this revocation became known.
    live_sessions: HashSet<SessionId>,
}

/// Whether a session is revoked, according to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CachedStatus {
    Live,
    Revoked,
    /// Its account was revoked at this epoch. Only the database can say whether the session is older or newer.
    QueryDatabase(u32),
}

/// A revoked account as read from the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RevokedAccount {
    pub(crate) user: UserId,
    pub(crate) epoch: u32,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) position: Position,
    /// Nothing before this was read.
    pub(crate) since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    Postgres {
        /// When the server started. Detects promoted replicas and restarted servers.
        server: String,
        /// All transactions before this one have ended.
        oldest_running: u64,
    },
    Sqlite {
        sessions: i64,
        accounts: i64,
    },
}

impl Position {
    /// Whether a database at position `self` contains everything that was read up to `before`.
    pub(crate) fn continues(&self, before: &Self) -> bool {
        match (self, before) {
            (
                Self::Postgres {
                    server,
                    oldest_running,
                },
                Self::Postgres {
                    server: server_before,
                    oldest_running: before,
                },
            ) => server == server_before && oldest_running >= before,
            (
                Self::Sqlite { sessions, accounts },
                Self::Sqlite {
                    sessions: sessions_before,
                    accounts: accounts_before,
                },
            ) => sessions >= sessions_before && accounts >= accounts_before,
            _ => false,
        }
    }
}

impl RevocationCache {
    pub(crate) fn status(&self, user: UserId, session: SessionId) -> CachedStatus {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.sessions.contains_key(&session) {
            return CachedStatus::Revoked;
        }
        match known.accounts.get(&user) {
            Some(end) if !end.live_sessions.contains(&session) => CachedStatus::QueryDatabase(end.epoch),
            _ => CachedStatus::Live,
        }
    }

    /// Caches the database's answer about a session. `asked_at` is the epoch of the account's last known revocation at
    /// the time of the query. If a newer revocation became known in the meantime, the next request asks again.
    pub(crate) fn cache_answer(&self, user: UserId, session: SessionId, asked_at: u32, is_live: bool) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some(end) = known.accounts.get_mut(&user) else {
            return;
        };
        if !is_live {
            let at = end.at;
            known.sessions.insert(session, at);
        } else if end.epoch == asked_at {
            end.live_sessions.insert(session);
        }
    }

    pub(crate) fn add(&self, sessions: impl IntoIterator<Item = SessionId>, at: Timestamp) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known
            .sessions
            .extend(sessions.into_iter().map(|session| (session, at)));
    }

    pub(crate) fn add_accounts(&self, ends: impl IntoIterator<Item = (UserId, u32)>, at: Timestamp) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (user, epoch) in ends {
            known.insert_account(RevokedAccount { user, epoch, at });
        }
    }

    /// Makes the next read a full one, because revocations may have been missed.
    pub(crate) fn forget_cursor(&self) {
        self.take_cursor();
    }

    pub(crate) fn take_cursor(&self) -> Option<Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn put_cursor(&self, cursor: Cursor) {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor);
    }

    /// Adds what was read and drops entries from before `since`. Known entries that were not read stay. Returns the
    /// number of known revocations.
    pub(crate) fn merge(
        &self,
        sessions: Vec<(SessionId, Timestamp)>,
        accounts: Vec<RevokedAccount>,
        since: Timestamp,
    ) -> usize {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.sessions.extend(sessions);
        for end in accounts {
            known.insert_account(end);
        }
        known.sessions.retain(|_, at| *at >= since);
        known.accounts.retain(|_, end| end.at >= since);
        known.sessions.len() + known.accounts.len()
    }
}

impl KnownRevocations {
    fn insert_account(&mut self, read: RevokedAccount) {
        let RevokedAccount { user, epoch, at } = read;
        let end = self.accounts.entry(user).or_insert_with(|| AccountRevocation {
            epoch,
            at,
            live_sessions: HashSet::new(),
        });
        end.at = end.at.max(at);
        if is_newer(epoch, end.epoch) {
            end.epoch = epoch;
            end.live_sessions.clear();
        }
    }
}

/// Whether an epoch comes after another one. Epochs wrap around after the last number.
fn is_newer(epoch: u32, than: u32) -> bool {
    epoch.wrapping_sub(than).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::new(Timestamp::from_secs(1_790_000_000), [number; 10])
    }

    fn user() -> UserId {
        UserId::new(Timestamp::from_secs(1_790_000_000), [9; 10])
    }

    #[test]
    fn a_read_keeps_new_entries_and_drops_old_ones() {
        let cache = RevocationCache::default();
        cache.add([session(1)], Timestamp::from_secs(50));
        cache.add([session(2)], Timestamp::from_secs(150));
        cache.add_accounts([(user(), 1)], Timestamp::from_secs(50));
        let read = vec![(session(3), Timestamp::from_secs(120))];
        assert_eq!(cache.merge(read, Vec::new(), Timestamp::from_secs(100)), 2);
        assert_eq!(cache.status(user(), session(1)), CachedStatus::Live);
        assert_eq!(cache.status(user(), session(2)), CachedStatus::Revoked);
        assert_eq!(cache.status(user(), session(3)), CachedStatus::Revoked);
    }

    #[test]
    fn a_revoked_account_is_queried_once_per_session() {
        let cache = RevocationCache::default();
        let at = Timestamp::from_secs(100);
        assert_eq!(cache.status(user(), session(1)), CachedStatus::Live);
        cache.add_accounts([(user(), 1)], at);
        assert_eq!(cache.status(user(), session(1)), CachedStatus::QueryDatabase(1));
        cache.cache_answer(user(), session(1), 1, false);
        cache.cache_answer(user(), session(2), 1, true);
        assert_eq!(cache.status(user(), session(1)), CachedStatus::Revoked);
        assert_eq!(cache.status(user(), session(2)), CachedStatus::Live);

        // Reads the same revocation again, and an older one that arrives late.
        cache.add_accounts([(user(), 1), (user(), 0)], at);
        assert_eq!(cache.status(user(), session(2)), CachedStatus::Live);
        cache.add_accounts([(user(), 2)], at);
        assert_eq!(cache.status(user(), session(2)), CachedStatus::QueryDatabase(2));
        assert_eq!(
            cache.status(user(), session(1)),
            CachedStatus::Revoked,
            "a revoked session stays revoked"
        );
    }

    #[test]
    fn an_outdated_answer_is_not_cached() {
        let cache = RevocationCache::default();
        let at = Timestamp::from_secs(100);
        cache.add_accounts([(user(), 1)], at);
        let CachedStatus::QueryDatabase(asked_at) = cache.status(user(), session(1)) else {
            panic!("the database has to be asked");
        };
        cache.add_accounts([(user(), 2)], at);
        cache.cache_answer(user(), session(1), asked_at, true);
        assert_eq!(cache.status(user(), session(1)), CachedStatus::QueryDatabase(2));
    }

    #[test]
    fn epochs_wrap_around() {
        assert!(is_newer(1, 0) && is_newer(0, u32::MAX) && is_newer(0x8000_0000, 0x7fff_ffff));
        assert!(!is_newer(1, 1) && !is_newer(0, 1) && !is_newer(u32::MAX, 0));
    }

    #[test]
    fn a_restored_or_replaced_database_is_read_again() {
        let at = |server: &str, oldest_running| Position::Postgres {
            server: server.to_owned(),
            oldest_running,
        };
        assert!(at("a", 5).continues(&at("a", 5)));
        assert!(!at("a", 4).continues(&at("a", 5)));
        assert!(!at("b", 6).continues(&at("a", 5)));
        let numbered = |sessions, accounts| Position::Sqlite { sessions, accounts };
        assert!(numbered(5, 2).continues(&numbered(4, 2)));
        assert!(!numbered(5, 1).continues(&numbered(5, 2)));
    }
}
