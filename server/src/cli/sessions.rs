//! `keyturn sessions`: lists and revokes sessions, for operators.

use std::time::Duration;

use clap::Subcommand;
use rotation::{SessionId, Timestamp};

use tokio::time::sleep;

use super::{
    error::CliError,
    operator::{Operator, format_time},
    users,
};

/// How long to wait for sessions that another transaction has locked.
const BETWEEN_PASSES: Duration = Duration::from_millis(50);

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// List the sessions in which an account is signed in, the last used first
    List(users::AccountArgument),
    /// End one session, all of an account's, all that signed in before a moment, or all there are
    #[command(group(clap::ArgGroup::new("which").required(true)))]
    Revoke {
        /// The session's id, as `keyturn sessions list` shows it
        #[arg(group = "which", value_name = "SESSION")]
        session: Option<String>,
        /// The email address or id of the account whose sessions end
        #[arg(long, group = "which", value_name = "EMAIL|ID")]
        user: Option<String>,
        /// Sessions that signed in before this moment (RFC 3339, for instance 2026-11-30T12:00:00Z)
        #[arg(long, group = "which", value_name = "TIME", value_parser = parse_time)]
        issued_before: Option<Timestamp>,
        /// Every session of every account
        #[arg(long, group = "which")]
        all: bool,
    },
}

/// How many sessions are read at a time.
const PAGE: u64 = 500;

pub(super) async fn run(command: SessionsCommand, operator: &Operator) -> Result<(), CliError> {
    match command {
        SessionsCommand::List(who) => list(operator, &who).await,
        SessionsCommand::Revoke {
            session: Some(session),
            ..
        } => revoke_one(operator, &session).await,
        SessionsCommand::Revoke {
            issued_before,
            all,
            user: None,
            ..
        } if all || issued_before.is_some() => revoke_before(operator, issued_before).await,
        SessionsCommand::Revoke { user, .. } => {
            let user = users::find(operator, &users::AccountArgument::new(user.unwrap_or_default())).await?;
            operator
                .store
                .revoke_all_sessions(user.id, &operator.audit_context())
                .await?;
            operator.finish_account_revocations().await?;
            println!("All sessions of {} have ended.", user.email);
            Ok(())
        }
    }
}

/// Ends all sessions that signed in before a moment, or all sessions.
async fn revoke_before(operator: &Operator, signed_in_before: Option<Timestamp>) -> Result<(), CliError> {
    let mut ended = 0;
    loop {
        let pass = operator
            .store
            .revoke_sessions_before(signed_in_before, || operator.audit_context())
            .await?;
        ended += pass.revoked;
        if pass.skipped == 0 {
            println!("Sessions ended: {ended}.");
            return Ok(());
        }
        sleep(BETWEEN_PASSES).await;
    }
}

/// Parses a moment: RFC 3339, in UTC if it names no zone.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let moment = humantime::parse_rfc3339_weak(text)
        .map_err(|_| "write the moment as 2026-11-30T12:00:00Z (UTC)".to_owned())?;
    let since = moment
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(|_| "no session is older than 1970".to_owned())?;
    i64::try_from(since.as_millis())
        .map(Timestamp::from_millis)
        .map_err(|_| "that is too far in the future".to_owned())
}

async fn list(operator: &Operator, who: &users::AccountArgument) -> Result<(), CliError> {
    let user = users::find(operator, who).await?;
    println!("ID\tSIGNED IN\tLAST USED\tIP\tDEVICE");
    let mut after = None;
    loop {
        let now = operator.clock.now();
        let page = operator.store.live_sessions(user.id, after, PAGE, now).await?;
        for session in page.sessions {
            println!(
                "{}\t{}\t{}\t{}\t{}",
                session.id,
                format_time(session.created_at),
                format_time(session.last_used_at),
                session.client.ip.as_deref().unwrap_or("-"),
                session.client.user_agent.as_deref().unwrap_or("-").escape_debug(),
            );
        }
        if page.next.is_none() {
            return Ok(());
        }
        after = page.next;
    }
}

async fn revoke_one(operator: &Operator, session: &str) -> Result<(), CliError> {
    let id: SessionId = session.parse().map_err(|_| {
        CliError::Refused(format!(
            "{session} is not the id of a session; see `keyturn sessions list`"
        ))
    })?;
    if operator
        .store
        .revoke_any_session(id, &operator.audit_context())
        .await?
    {
        println!("Session {id} has ended.");
        Ok(())
    } else {
        Err(CliError::Refused(format!(
            "there is no session {id} that is not over already"
        )))
    }
}
