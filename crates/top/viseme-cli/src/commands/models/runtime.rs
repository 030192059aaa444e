//! `viseme models runtime`: ONNX Runtime's library.

use super::change::with_terminal;
use crate::arguments::{RuntimeArguments, RuntimeCommand};
use crate::printer;
use indicatif::DecimalBytes;
use serde::Serialize;
use std::process::ExitCode;
use viseme_core::{Result, Silent};
use viseme_models::Store;
use viseme_models::store::{InstalledRuntime, Wheel};

/// One line of the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    flavour: &'a str,
    version: &'a str,
    download_bytes: u64,
    installed: Option<&'a InstalledRuntime>,
}

/// Runs one of the sub-commands.
pub(super) fn run(store: &Store, arguments: RuntimeArguments) -> Result<ExitCode> {
    match arguments.command {
        RuntimeCommand::List { json } => list(store, json),
        RuntimeCommand::Install { flavour, json, quiet } => install(store, &flavour, json, quiet),
        RuntimeCommand::Rm { flavour, json } => remove(store, &flavour, json),
    }
}

fn list(store: &Store, json: bool) -> Result<ExitCode> {
    let (wheels, installed) = (Wheel::for_this_machine()?, store.installed_runtimes()?);
    let line = |wheel: &'_ Wheel| installed.iter().find(|found| found.flavour == wheel.flavour);
    let lines: Vec<Line<'_>> = wheels
        .iter()
        .map(|wheel| Line {
            flavour: &wheel.flavour,
            version: &wheel.version,
            download_bytes: wheel.bytes,
            installed: line(wheel),
        })
        .collect();
    if json {
        printer::json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    printer::data(&format!("{:<10} {:<9} {:<10} DOWNLOAD", "RUNTIME", "VERSION", "STATE"))?;
    for line in lines {
        let state = if line.installed.is_some() { "installed" } else { "-" };
        let size = DecimalBytes(line.download_bytes);
        printer::data(&format!("{:<10} {:<9} {state:<10} {size}", line.flavour, line.version))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn install(store: &Store, flavour: &str, json: bool, quiet: bool) -> Result<ExitCode> {
    let wheel = Wheel::find(flavour)?;
    let installed = with_terminal(quiet || json, |terminal| store.install_runtime(&wheel, terminal))?;
    if json {
        printer::json(&installed)?;
    } else if !quiet {
        let InstalledRuntime { version, bytes, .. } = &installed;
        printer::say(&format!("ONNX Runtime {version} ({flavour}) is installed: {}", DecimalBytes(*bytes)));
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(store: &Store, flavour: &str, json: bool) -> Result<ExitCode> {
    let removed = store.remove_runtime(flavour, &Silent)?;
    if json {
        printer::json(&removed)?;
    } else {
        printer::say(&match &removed {
            Some(removed) => format!("{flavour} is removed: {}", DecimalBytes(removed.bytes)),
            None => format!("{flavour} was not installed"),
        });
    }
    Ok(ExitCode::SUCCESS)
}
