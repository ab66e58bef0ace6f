//! The database content, read by SQL without the product's code: a store with a bug must not verify itself.

use std::collections::HashMap;

use rotation::{Jti, SessionId, UserId};
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement, Value,
    prelude::Uuid,
};

/// A separate connection.
pub(crate) struct Rows(DatabaseConnection);

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) current_jti: Uuid,
    pub(crate) previous_jti: Option<Uuid>,
    pub(crate) rotated_at: i64,
    pub(crate) confirmed: bool,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) refresh_expires_at: i64,
    pub(crate) absolute_expires_at: i64,
    pub(crate) revoke_reason: Option<String>,
}

/// A row of `token_blacklist`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlacklistRow {
    pub(crate) jti: Uuid,
    pub(crate) session: Uuid,
    pub(crate) generation: i32,
    pub(crate) reason: String,
    pub(crate) blacklisted_at: i64,
    pub(crate) expires_at: i64,
}

/// How much a check of the whole database has covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowCounts {
    pub(crate) sessions: usize,
    pub(crate) live: usize,
    pub(crate) blacklisted: usize,
}

const SESSION: &str = "SELECT id, generation, current_jti, previous_jti, rotated_at, confirmed, confirmed_at, \
                       refresh_expires_at, absolute_expires_at, revoke_reason FROM sessions";
const DEAD: &str =
    "SELECT jti, session_id, generation, reason, blacklisted_at, expires_at FROM token_blacklist";

impl Rows {
    pub(crate) async fn open(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Self(Database::connect(options).await.expect("the database opens"))
    }

    pub(crate) async fn close(self) {
        self.0.close().await.expect("closes");
    }

    pub(crate) async fn session(&self, id: SessionId) -> SessionRow {
        let rows = self
            .query(&format!("{SESSION} WHERE id = $1"), [id.uuid().into()])
            .await;
        SessionRow::from(rows.first().expect("a session"))
    }

    /// All sessions of an account.
    pub(crate) async fn sessions(&self, user: UserId) -> Vec<SessionRow> {
        let rows = self
            .query(&format!("{SESSION} WHERE user_id = $1"), [user.uuid().into()])
            .await;
        rows.iter().map(SessionRow::from).collect()
    }

    /// The blacklisted ones among these tokens, oldest first.
    pub(crate) async fn blacklisted(&self, jtis: impl IntoIterator<Item = Jti>) -> Vec<BlacklistRow> {
        let values: Vec<Value> = jtis.into_iter().map(|jti| jti.uuid().into()).collect();
        let marks: Vec<_> = (1..=values.len()).map(|number| format!("${number}")).collect();
        let sql = format!("{DEAD} WHERE jti IN ({}) ORDER BY generation", marks.join(", "));
        self.query(&sql, values)
            .await
            .iter()
            .map(BlacklistRow::from)
            .collect()
    }

    /// The session of each recorded reuse of an account, once per record.
    pub(crate) async fn reuses(&self, user: UserId) -> Vec<Uuid> {
        let sql = "SELECT session_id FROM security_events WHERE user_id = $1 AND kind = 'refresh_reused'";
        let rows = self.query(sql, [user.uuid().into()]).await;
        rows.iter().map(|row| get(row, "session_id")).collect()
    }

    /// Checks every row of the database, and the database file on SQLite.
    ///
    /// `pruned`: rows of expired tokens and sessions may be missing.
    ///
    /// # Panics
    /// With everything that is wrong, if anything is.
    pub(crate) async fn check_everything(&self, pruned: bool) -> RowCounts {
        let mut wrong = Vec::new();
        if self.0.get_database_backend() == DbBackend::Sqlite {
            for verdict in self.query("PRAGMA integrity_check", []).await {
                let verdict: String = verdict.try_get_by_index(0).expect("a text");
                if verdict != "ok" {
                    wrong.push(format!("integrity_check: {verdict}"));
                }
            }
            let orphans = self.query("PRAGMA foreign_key_check", []).await.len();
            if orphans > 0 {
                wrong.push(format!("foreign_key_check: {orphans} rows without their parent"));
            }
        }

        let mut dead_of: HashMap<Uuid, Vec<BlacklistRow>> = HashMap::new();
        let mut census = RowCounts::default();
        for row in self.query(&format!("{DEAD} ORDER BY generation"), []).await {
            let dead = BlacklistRow::from(&row);
            census.blacklisted += 1;
            dead_of.entry(dead.session).or_default().push(dead);
        }
        let mut reuses: HashMap<Uuid, usize> = HashMap::new();
        for row in self
            .query(
                "SELECT session_id FROM security_events WHERE kind = 'refresh_reused'",
                [],
            )
            .await
        {
            *reuses.entry(get(&row, "session_id")).or_default() += 1;
        }
        for row in self.query(SESSION, []).await {
            let session = SessionRow::from(&row);
            census.sessions += 1;
            census.live += usize::from(session.revoke_reason.is_none());
            let dead = dead_of.remove(&session.id).unwrap_or_default();
            let reuses = reuses.remove(&session.id).unwrap_or_default();
            wrong.extend(violations(&session, &dead, reuses, pruned));
        }
        for session in dead_of.keys().filter(|_| !pruned) {
            wrong.push(format!(
                "tokens of {session} are blacklisted, and there is no such session"
            ));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        census
    }

    async fn query(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Vec<QueryResult> {
        let statement = Statement::from_sql_and_values(self.0.get_database_backend(), sql, values);
        self.0.query_all_raw(statement).await.expect("SQL")
    }
}

/// The violations of one session: its row, its blacklisted tokens in order of generation, and the number of recorded
/// reuses. `pruned`: rows of expired tokens and sessions may be missing.
pub(crate) fn violations(
    session: &SessionRow,
    dead: &[BlacklistRow],
    reuses: usize,
    pruned: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!(
                "{what}: {session:?}, blacklisted {dead:?}, {reuses} reuses"
            ));
        }
    };
    // I1, I4: every ancestor is blacklisted exactly once. A live session has exactly one further token, which is not.
    let ended = session.revoke_reason.as_deref();
    let buried = if ended.is_some() {
        session.generation
    } else {
        session.generation - 1
    };
    let generations: Vec<_> = dead.iter().map(|dead| dead.generation).collect();
    let all_there = generations == (1..=buried).collect::<Vec<_>>();
    let in_order = generations.is_sorted_by(|one, next| one < next)
        && generations
            .iter()
            .all(|generation| (1..=buried).contains(generation));
    must(
        all_there || (pruned && in_order),
        "each generation but the live one is blacklisted exactly once",
    );
    must(
        ended.is_some() || dead.iter().all(|dead| dead.jti != session.current_jti),
        "the live token is not blacklisted",
    );
    let parent = dead.iter().find(|dead| dead.generation == session.generation - 1);
    must(
        session.previous_jti.is_none() == (session.generation == 1)
            && (session.previous_jti == parent.map(|parent| parent.jti) || (pruned && parent.is_none())),
        "previous_jti names the parent",
    );
    for dead in dead {
        let last = dead.generation == session.generation;
        must(
            dead.reason
                == if last {
                    ended.unwrap_or_default()
                } else {
                    "rotated"
                },
            "a token's reason is how it died",
        );
        must(
            last == (dead.jti == session.current_jti),
            "the newest token is the one that the row names",
        );
    }
    // I9: no token outlives the session's absolute lifetime.
    must(
        session.refresh_expires_at <= session.absolute_expires_at
            && dead
                .iter()
                .all(|dead| dead.expires_at <= session.absolute_expires_at),
        "nothing expires after the absolute end",
    );
    must(
        reuses == usize::from(ended == Some("reuse_detected")),
        "a reuse is written down once, and nothing else is called one",
    );
    wrong
}

impl From<&QueryResult> for SessionRow {
    fn from(row: &QueryResult) -> Self {
        Self {
            id: get(row, "id"),
            generation: get(row, "generation"),
            current_jti: get(row, "current_jti"),
            previous_jti: get(row, "previous_jti"),
            rotated_at: get(row, "rotated_at"),
            confirmed: get(row, "confirmed"),
            confirmed_at: get(row, "confirmed_at"),
            refresh_expires_at: get(row, "refresh_expires_at"),
            absolute_expires_at: get(row, "absolute_expires_at"),
            revoke_reason: get(row, "revoke_reason"),
        }
    }
}

impl From<&QueryResult> for BlacklistRow {
    fn from(row: &QueryResult) -> Self {
        Self {
            jti: get(row, "jti"),
            session: get(row, "session_id"),
            generation: get(row, "generation"),
            reason: get(row, "reason"),
            blacklisted_at: get(row, "blacklisted_at"),
            expires_at: get(row, "expires_at"),
        }
    }
}

fn get<T: sea_orm_migration::sea_orm::TryGetable>(row: &QueryResult, column: &str) -> T {
    row.try_get("", column)
        .unwrap_or_else(|why| panic!("{column}: {why}"))
}
