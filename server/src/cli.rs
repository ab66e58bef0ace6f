//! The command line.

mod serve;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::{Args, Parser, Subcommand};
use migrations::Migrator;
use sea_orm_migration::MigratorTrait;
use store::{Options, Store};

use crate::{
    clock::SystemClock,
    config::{self, Config, ConfigError, Flags},
    private_files,
    random::SystemRandom,
    state::StartError,
};

/// Browser sessions with a short-lived access token in memory and a rotating refresh token in an httpOnly cookie.
#[derive(Debug, Parser)]
#[command(name = "keyturn", version, about)]
pub struct Cli {
    /// Read this file instead of keyturn.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and API (the default)
    Serve(ServeArgs),
    /// Bring the database to the schema of this version
    Migrate,
    /// Look at the configuration without serving
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// Listen on this port (`http.listen` keeps its address)
    #[arg(long)]
    port: Option<u16>,
    /// Listen on this address and port (`http.listen`)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The origin that browsers use (`http.public_origin`)
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the configuration and say what is wrong with it
    Check,
}

/// Why the program stopped. One line each.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),

    #[error("configuration: database.url: {0}")]
    Database(store::StoreError),
    #[error("migration: {0}")]
    Migration(sea_orm_migration::DbErr),
    #[error("configuration: http.listen: cannot listen on {address}: {why}")]
    Listen {
        address: SocketAddr,
        why: std::io::Error,
    },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Does what the command line says.
///
/// # Errors
/// Why it could not be done.
pub async fn run(cli: Cli) -> Result<(), CliError> {
    let args = match &cli.command {
        Some(Command::Serve(args)) => args,
        _ => &ServeArgs::default(),
    };
    let flags = Flags {
        file: cli.config.clone(),
        listen: args.listen,
        port: args.port,
        public_origin: args.origin.clone(),
        only_look: matches!(cli.command, Some(Command::Config { .. })),
    };
    let config = config::load(&flags)?;
    match cli.command {
        Some(Command::Migrate) => {
            open_database(&config).await?;
            println!("The database has the schema of this version.");
            Ok(())
        }
        Some(Command::Config {
            command: ConfigCommand::Check,
        }) => {
            println!(
                "The configuration is sound: {} on {}.",
                config.origin, config.http.listen
            );
            Ok(())
        }
        None | Some(Command::Serve(_)) => {
            serve::serve(config, Arc::new(SystemClock), Arc::new(SystemRandom::default())).await
        }
    }
}

/// Opens the database and brings it to the present schema.
async fn open_database(config: &Config) -> Result<Store, CliError> {
    if let Some(file) = config::check::sqlite_path(&config.database.url) {
        let failed =
            |why| ConfigError::new("database.url", format!("cannot create {}: {why}", file.display()));
        private_files::make(&file).map_err(failed)?;
    }
    let options = Options {
        url: config.database.url.clone(),
        max_connections: config.database.max_connections,
        timeout: config.database.timeout,
    };
    let store = Store::connect(&options).await.map_err(CliError::Database)?;
    let tx = store.begin_alone().await.map_err(CliError::Database)?;
    Migrator::up(&tx, None).await.map_err(CliError::Migration)?;
    tx.commit().await.map_err(CliError::Migration)?;
    Ok(store)
}
