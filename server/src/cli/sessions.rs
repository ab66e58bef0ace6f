//! `keyturn sessions`: who is signed in, for operators.

use clap::Subcommand;
use rotation::SessionId;

use super::{CliError, Operator, format_time, users};

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// List an account's sessions that are not over, the last used first
    List(users::Who),
    /// End one session, or with --user all of an account's
    #[command(group(clap::ArgGroup::new("which").required(true)))]
    Revoke {
        /// The session's id
        #[arg(group = "which")]
        session: Option<String>,
        /// The account's address or id
        #[arg(long, group = "which", value_name = "EMAIL|ID")]
        user: Option<String>,
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
        SessionsCommand::Revoke { user, .. } => {
            let user = users::find(operator, &users::Who::new(user.unwrap_or_default())).await?;
            operator
                .store
                .revoke_all_sessions(user.id, &operator.act())
                .await?;
            operator.finish_ends().await?;
            println!("All sessions of {} have ended.", user.email);
            Ok(())
        }
    }
}

async fn list(operator: &Operator, who: &users::Who) -> Result<(), CliError> {
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
                session.visitor.ip.as_deref().unwrap_or("-"),
                session
                    .visitor
                    .user_agent
                    .as_deref()
                    .unwrap_or("-")
                    .escape_debug(),
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
    if operator.store.revoke_any_session(id, &operator.act()).await? {
        println!("Session {id} has ended.");
        Ok(())
    } else {
        Err(CliError::Refused(format!(
            "there is no session {id} that is not over already"
        )))
    }
}
