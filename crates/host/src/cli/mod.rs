//! The `dunlin` command: its words, their help, and what their exit codes mean.

mod backup;
mod build;
mod client;
mod demo;
mod import;
mod key;
mod key_file;
mod progress;
mod summary;
mod sweep;
mod table;
mod up;
mod verify;
mod workbook;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;

/// It worked.
const DONE: u8 = 0;
/// It was refused or it failed; the reason is on standard error. Wrong usage is 2, which clap sees to.
const FAILED: u8 = 1;

#[derive(Parser)]
#[command(
    name = "dunlin",
    version,
    about = "Credit control and collections: takes in invoices and payments, scores customers, reminds and reports.",
    long_about = "Credit control and collections: takes in invoices and payments, scores customers, reminds and \
                  reports.\n\nNew here? `dunlin demo` starts everything with a made-up company to look around in.",
    after_help = "Exit codes: 0 it worked, 1 it was refused or failed, 2 the command was not understood."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is stale and serve the application until stopped (Ctrl-C)
    Up(up::Options),
    /// Build what is stale and serve nothing
    Build,
    /// Serve the application with a made-up company, two years old, already worked through
    Demo(demo::Options),
    /// Send a file of customers, invoices or payments to a running application
    Import(import::Options),
    /// Run the day's work: age, score, warn, remind; repeats until it is done
    Sweep(sweep::Options),
    /// Check that the books hold: every sum, and the chain of who did what
    Verify(verify::Options),
    /// Create, list, revoke and rotate the keys that programs call with
    Key(key::Options),
    /// Copy the database to a file while the application runs
    Backup(backup::Options),
}

/// Where the application is and who is calling.
#[derive(Args)]
struct Target {
    /// Address of the application
    #[arg(long, env = "DUNLIN_URL", default_value = "http://127.0.0.1:3000")]
    url: String,
    /// Key to call with, such as the admin key that `dunlin up` printed
    #[arg(long, env = "DUNLIN_KEY", hide_env_values = true)]
    key: String,
}

/// How a result is printed.
#[derive(Args)]
struct Format {
    /// Print the result as JSON, for programs
    #[arg(long)]
    json: bool,
}

/// What a command came to: `false` is a result that was printed but is a refusal, such as a rejected file.
type Outcome = Result<bool>;

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Up(options) => up::run(&options),
        Command::Build => build::run(),
        Command::Demo(options) => demo::run(&options),
        Command::Import(options) => client::block_on(import::run(&options)),
        Command::Sweep(options) => client::block_on(sweep::run(&options)),
        Command::Verify(options) => client::block_on(verify::run(&options)),
        Command::Key(options) => client::block_on(key::run(&options)),
        Command::Backup(options) => backup::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::from(DONE),
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("dunlin: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Prints a result on standard output. A reader that has gone away, as in `dunlin … | head`, is no error.
fn print(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
