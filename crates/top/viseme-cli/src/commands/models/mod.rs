//! `viseme models`: which models there are, and getting them onto this machine.

mod change;
mod runtime;
mod show;

use crate::arguments::{ModelsArguments, ModelsCommand};
use std::process::ExitCode;
use viseme_core::Result;
use viseme_models::Store;

/// Runs one of the sub-commands.
pub(crate) fn run(arguments: ModelsArguments) -> Result<ExitCode> {
    let store = Store::open()?;
    match arguments.command {
        ModelsCommand::List(arguments) => show::list(&store, &arguments),
        ModelsCommand::Info(arguments) => show::info(&store, &arguments),
        ModelsCommand::Path(arguments) => show::path(&store, &arguments),
        ModelsCommand::Pull(arguments) => change::pull(&store, arguments),
        ModelsCommand::Import(arguments) => change::import(&store, &arguments),
        ModelsCommand::Verify(arguments) => change::verify(&store, &arguments),
        ModelsCommand::Runtime(arguments) => runtime::run(&store, arguments),
        ModelsCommand::Rm(arguments) => change::remove(&store, &arguments),
    }
}
