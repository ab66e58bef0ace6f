//! `keyturn tokens`: prunes the blacklist, for operators.

use clap::Subcommand;
use web::background::prune_all;

use super::{error::CliError, operator::Operator};

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// Delete blacklisted refresh tokens and sessions that have expired, as the server does every `database.prune_every`
    Prune,
}

pub(super) async fn run(command: TokensCommand, operator: &Operator) -> Result<(), CliError> {
    match command {
        TokensCommand::Prune => {
            let pruned = prune_all(&operator.store, &*operator.clock, &operator.config).await?;
            println!(
                "Deleted {} blacklisted tokens, {} sessions, {} notes of ended sessions and {} events.",
                pruned.blacklisted, pruned.sessions, pruned.revocations, pruned.events
            );
            Ok(())
        }
    }
}
