//! The `keyturn` binary. All its logic is in the library crate, where tests can reach it.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Cli::parse())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keyturn: {error}");
            ExitCode::FAILURE
        }
    }
}
