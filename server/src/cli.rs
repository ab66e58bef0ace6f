//! The command line.

mod backup;
mod check;
mod database;
mod error;
mod findings;
mod keys;
mod listen;
mod open_lab;
mod operator;
mod passwords;
mod serve;
mod sessions;
mod tokens;
mod users;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::{Args, Parser, Subcommand};

use web::{
    clock::SystemClock,
    config::{self, Flags},
    random::SystemRandom,
};

pub use error::CliError;
use operator::Operator;

/// The sources of the configuration, in the help of every command.
const AFTER_HELP: &str = "\
Settings are read from keyturn.toml in the working directory (or --config FILE), then from the environment
(KEYTURN__SECTION__KEY, such as KEYTURN__HTTP__LISTEN), then from options; the last one wins. All keys with their
defaults are in keyturn.example.toml. `keyturn config check` reports what is wrong with them.

The exit status is 0 if the command did what it says, 1 if it did not, and 2 if it was not understood.";

/// Browser sessions with a short-lived access token in memory and a rotating refresh token in an httpOnly cookie.
#[derive(Debug, Parser)]
#[command(name = "keyturn", version, about, after_help = AFTER_HELP)]
pub struct Cli {
    /// Read the settings from this file instead of keyturn.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and API until SIGTERM or Ctrl-C (the default command)
    Serve(ServeArgs),
    /// Bring the database to the schema of this version; needed on PostgreSQL after an update
    Migrate,
    /// Copy the embedded database into a new file, also while it is served
    Backup {
        /// The file to make; it must not exist
        file: PathBuf,
    },
    /// Create, list, change and delete accounts
    Users {
        #[command(subcommand)]
        command: users::UsersCommand,
    },
    /// Build and inspect the filter of passwords known from data breaches
    Passwords {
        #[command(subcommand)]
        command: passwords::PasswordsCommand,
    },
    /// List who is signed in, and end sessions
    Sessions {
        #[command(subcommand)]
        command: sessions::SessionsCommand,
    },
    /// Delete expired refresh tokens from the database
    Tokens {
        #[command(subcommand)]
        command: tokens::TokensCommand,
    },
    /// List, rotate, retire and revoke the keys that sign access tokens
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Check the settings without serving
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// Listen on this port; the address stays that of http.listen
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Listen on this address and port instead of http.listen, such as 0.0.0.0:3000
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The origin that browsers use, instead of `http.public_origin`, such as `https://keyturn.example`
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Report everything that would keep the server from starting: values, database, folders and listeners, a line each
    Check,
}

/// Runs the command line.
///
/// # Errors
/// Why it failed.
pub async fn run(cli: Cli) -> Result<(), CliError> {
    // This command needs no configuration and no database.
    if let Some(Command::Passwords { command }) = &cli.command {
        return passwords::run(command);
    }
    let args = match &cli.command {
        Some(Command::Serve(args)) => args,
        _ => &ServeArgs::default(),
    };
    let flags = Flags {
        file: cli.config.clone(),
        listen: args.listen,
        port: args.port,
        public_origin: args.origin.clone(),
        read_only: matches!(cli.command, Some(Command::Config { .. } | Command::Backup { .. })),
    };
    let config = config::load(&flags)?;
    match cli.command {
        Some(Command::Migrate) => {
            let filled = database::migrate(&config).await?;
            println!("The database has the schema of this version.");
            for account in filled.collisions {
                println!(
                    "The account {account} has the mailbox of another one. It is reached by the exact spelling of its address only."
                );
            }
            Ok(())
        }
        Some(Command::Config {
            command: ConfigCommand::Check,
        }) => check::run(&config).await,
        Some(Command::Backup { file }) => backup::run(&file, &config).await,
        Some(Command::Users { command }) => users::run(command, &Operator::new(config).await?).await,
        Some(Command::Sessions { command }) => sessions::run(command, &Operator::new(config).await?).await,
        Some(Command::Keys { command }) => keys::run(command, &Operator::new(config).await?).await,
        Some(Command::Tokens { command }) => tokens::run(command, &Operator::new(config).await?).await,
        Some(Command::Passwords { command }) => passwords::run(&command),
        None | Some(Command::Serve(_)) => {
            serve::serve(config, Arc::new(SystemClock), Arc::new(SystemRandom::default())).await
        }
    }
}
