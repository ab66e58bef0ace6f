//! Revokes everything of an account with one row, and lets nodes read revocations by a cursor.
//!
//! - `ended_accounts`: everything issued to the account before this epoch is revoked. The row is written in the
//!   transaction that bumps the epoch. `pending` until each session has been marked as well.
//! - The cursor selects the rows that a node has not read yet, by an order that does not depend on clocks. On
//!   PostgreSQL it is the transaction that wrote the row (`xid8`), because sequence numbers are assigned before the
//!   commit and may become visible in another order. On SQLite it is an increasing number, because writes are
//!   serialised.
//! - The index on a user's sessions now also shows which of them are live.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const POSTGRES: &str = "
    CREATE TABLE ended_accounts (
        user_id uuid NOT NULL,
        token_epoch integer NOT NULL,
        reason text NOT NULL,
        ended_at bigint NOT NULL,
        pending boolean NOT NULL,
        written_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
        PRIMARY KEY (user_id, token_epoch)
    );
    CREATE INDEX ended_accounts_written_by_idx ON ended_accounts (written_by);
    CREATE INDEX ended_accounts_pending_idx ON ended_accounts (ended_at) WHERE pending;
    ALTER TABLE ended_sessions ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();
    CREATE INDEX ended_sessions_written_by_idx ON ended_sessions (written_by);
";

const SQLITE: &str = "
    CREATE TABLE ended_accounts (
        number integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        user_id uuid_text NOT NULL,
        token_epoch integer NOT NULL,
        reason text NOT NULL,
        ended_at bigint NOT NULL,
        pending boolean NOT NULL,
        UNIQUE (user_id, token_epoch)
    );
    CREATE INDEX ended_accounts_pending_idx ON ended_accounts (ended_at) WHERE pending;
    CREATE TABLE ended_sessions_numbered (
        number integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        session_id uuid_text NOT NULL UNIQUE,
        ended_at bigint NOT NULL
    );
    INSERT INTO ended_sessions_numbered (session_id, ended_at)
        SELECT session_id, ended_at FROM ended_sessions ORDER BY ended_at;
    DROP TABLE ended_sessions;
    ALTER TABLE ended_sessions_numbered RENAME TO ended_sessions;
";

const INDEX: &str = "
    DROP INDEX sessions_user_id_idx;
    CREATE INDEX sessions_user_id_revoked_at_token_epoch_idx ON sessions (user_id, revoked_at, token_epoch);
";

const POSTGRES_BACK: &str = "
    DROP TABLE ended_accounts;
    ALTER TABLE ended_sessions DROP COLUMN written_by;
";

const SQLITE_BACK: &str = "
    DROP TABLE ended_accounts;
    CREATE TABLE ended_sessions_before (
        session_id uuid_text NOT NULL PRIMARY KEY,
        ended_at bigint NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO ended_sessions_before SELECT session_id, ended_at FROM ended_sessions;
    DROP TABLE ended_sessions;
    ALTER TABLE ended_sessions_before RENAME TO ended_sessions;
";

const INDEX_BACK: &str = "
    DROP INDEX sessions_user_id_revoked_at_token_epoch_idx;
    CREATE INDEX sessions_user_id_idx ON sessions (user_id);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        let connection = manager.get_connection();
        connection.execute_unprepared(tables).await?;
        connection.execute_unprepared(INDEX).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE_BACK,
            _ => POSTGRES_BACK,
        };
        let connection = manager.get_connection();
        connection.execute_unprepared(tables).await?;
        connection.execute_unprepared(INDEX_BACK).await?;
        Ok(())
    }
}
