//! `keyturn passwords`: the list of breached passwords, for operators.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use web::passwords::breached::{self, CorpusFormat};

use super::error::CliError;

#[derive(Debug, Subcommand)]
pub(super) enum PasswordsCommand {
    /// Make the file for `passwords.breached_filter` out of a list of breached passwords or their SHA-1 hashes
    BuildFilter {
        /// One password or SHA-1 hash (40 hexadecimal digits, perhaps with :count behind them) a line; - is standard input
        input: PathBuf,
        /// The file to make; one that is there already is replaced when the new one is complete
        output: PathBuf,
        /// The lines are passwords, although the first looks like a hash
        #[arg(long)]
        plain: bool,
    },
}

pub(super) fn run(command: &PasswordsCommand) -> Result<(), CliError> {
    let PasswordsCommand::BuildFilter { input, output, plain } = command;
    let lines = if *plain {
        CorpusFormat::Plain
    } else {
        CorpusFormat::Detected
    };
    let reader: Box<dyn BufRead> = if input == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(input).map_err(|why| failed(input, why))?;
        Box::new(BufReader::with_capacity(1 << 20, opened))
    };
    let built = breached::build(reader, lines, output).map_err(|why| match why {
        breached::BuildError::Io(why) => failed(output, why),
        why => failed(input, why),
    })?;
    println!(
        "{} holds {} passwords in {} bytes, from {} lines of {}.",
        output.display(),
        built.entries,
        built.bytes,
        built.lines,
        if built.hashes { "SHA-1 hashes" } else { "passwords" }
    );
    println!("To use it, set passwords.breached_filter to its path and restart.");
    Ok(())
}

fn failed(path: &Path, why: impl std::fmt::Display) -> CliError {
    CliError::Refused(format!("{}: {why}", path.display()))
}
