//! The command line of Viseme: parses, calls the library, prints. Exit codes: 0 ok, 1 the input, 2 our fault or this
//! machine's, 130 interrupted.

mod arguments;
mod commands;
mod printer;
mod progress;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;
use viseme_core::{ErrorKind, Result};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come here too: they go to standard output and are no failure.
            let failed = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if failed { ErrorKind::InvalidInput.exit_code() } else { 0 });
        }
    };
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            printer::fail(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Sync(arguments) => commands::sync::run(arguments),
        Command::Batch(arguments) => commands::batch::run(arguments),
        Command::Cache(arguments) => commands::cache::run(&arguments),
        Command::Probe(arguments) => commands::probe::run(&arguments),
        Command::Faces(arguments) => commands::faces::run(arguments),
        Command::Models(arguments) => commands::models::run(arguments),
        Command::Score(arguments) => commands::score::run(arguments),
        Command::Offset(arguments) => commands::offset::run(arguments),
        Command::Serve(arguments) => commands::serve::serve(*arguments),
        Command::Work(arguments) => commands::serve::work(*arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
    }
}
