//! `keyturn help`: every command and every argument has a description.

use clap::{Command, CommandFactory};
use server::cli::Cli;

/// All commands, with their full path.
fn commands(command: &Command, path: &str) -> Vec<(String, Command)> {
    let mut all = vec![(path.to_owned(), command.clone())];
    for below in command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        all.extend(commands(below, &format!("{path} {}", below.get_name())));
    }
    all
}

fn all_commands() -> Vec<(String, Command)> {
    let mut cli = Cli::command();
    cli.build();
    commands(&cli, "keyturn")
}

#[test]
fn every_command_and_argument_is_described() {
    for (path, command) in all_commands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 10, "{path} has no description");
        for argument in command
            .get_arguments()
            .filter(|argument| !argument.is_global_set())
        {
            let id = argument.get_id();
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.len() >= 10, "{path}: {id} has no description");
            if argument.get_action().takes_values() {
                let names = argument.get_value_names().unwrap_or_default();
                let is_upper = |name: &str| !name.chars().any(char::is_lowercase);
                assert!(
                    !names.is_empty() && names.iter().all(|name| is_upper(name)),
                    "{path}: {id} names no value"
                );
            }
        }
        for subcommand in command.get_subcommands() {
            assert!(
                subcommand.get_about().is_some(),
                "{path} {} has no description",
                subcommand.get_name()
            );
        }
    }
}

#[test]
fn what_help_says() {
    let texts = all_commands().into_iter().map(|(path, command)| {
        let help = command.term_width(100).render_long_help();
        format!("$ {path} --help\n{help}")
    });
    insta::assert_snapshot!(texts.collect::<Vec<_>>().join("\n\n"));
}
