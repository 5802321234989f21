//! The `dunlin` command, built with the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    dunlin::cli::main()
}
