//! What changes or reads the files of models: `pull`, `import`, `verify`, `rm`.

use crate::arguments::{ImportArguments, PullArguments, RmArguments, VerifyArguments};
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use indicatif::DecimalBytes;
use std::process::ExitCode;
use viseme_core::{ErrorKind, Result, Silent};
use viseme_models::Store;
use viseme_models::store::{FileCheck, PullOptions, Pulled};

/// `viseme models pull`.
pub(super) fn pull(store: &Store, arguments: PullArguments) -> Result<ExitCode> {
    let options = PullOptions {
        accept_licence: arguments.accept_license,
        trust_first_download: arguments.trust_first_download,
        form: arguments.form,
    };
    // A name that is written wrong is found before the first gigabyte.
    arguments.ids.iter().try_for_each(|id| store.manifest().model(id).map(drop))?;
    let talk = !arguments.output.json && !arguments.output.quiet;
    let pulled = with_terminal(arguments.output.quiet, |terminal| {
        arguments
            .ids
            .iter()
            .map(|id| {
                let pulled = store.pull(id, &options, terminal)?;
                if talk {
                    terminal.say(&pull_line(&pulled));
                }
                Ok(pulled)
            })
            .collect::<Result<Vec<Pulled>>>()
    })?;
    if arguments.output.json {
        printer::json(&pulled)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pull_line(pulled: &Pulled) -> String {
    if pulled.files.is_empty() {
        return format!("{} is installed already", pulled.id);
    }
    let bytes = pulled.files.iter().map(|file| file.bytes).sum();
    format!("{} is installed: {}", pulled.id, DecimalBytes(bytes))
}

/// `viseme models import`.
pub(super) fn import(store: &Store, arguments: &ImportArguments) -> Result<ExitCode> {
    let imported = with_terminal(arguments.output.quiet, |terminal| {
        store.import(arguments.id.as_deref(), &arguments.file, terminal)
    })?;
    let model = store.manifest().model(&imported.id)?;
    if arguments.output.json {
        printer::json(&imported)?;
    } else if !arguments.output.quiet {
        if imported.missing.is_empty() {
            printer::say(&format!("{} is installed. Licence: {}", imported.id, model.licence));
        } else {
            let missing = imported.missing.join(", ");
            printer::say(&format!("{} still needs {missing}. Licence: {}", imported.id, model.licence));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `viseme models verify`. Fails with exit code 2 when a file is not what it was.
pub(super) fn verify(store: &Store, arguments: &VerifyArguments) -> Result<ExitCode> {
    let all: Vec<String>;
    let ids = if arguments.ids.is_empty() {
        all = store.manifest().models.iter().map(|model| model.id.clone()).collect();
        &all
    } else {
        &arguments.ids
    };
    let checks = with_terminal(arguments.output.quiet, |terminal| {
        let checks = ids.iter().map(|id| store.verify(id, terminal));
        Ok(checks.collect::<Result<Vec<_>>>()?.concat())
    })?;
    if arguments.output.json {
        printer::json(&checks)?;
    } else {
        checks.iter().try_for_each(|check| printer::data(&check_line(check)))?;
    }
    let bad = checks.iter().find(|check| !check.ok);
    if let Some(FileCheck { id, .. }) = bad
        && !arguments.output.json
    {
        printer::hint(&format!("viseme models rm {id}, then pull or import it again."));
    }
    Ok(ExitCode::from(if bad.is_some() { ErrorKind::Internal.exit_code() } else { 0 }))
}

fn check_line(check: &FileCheck) -> String {
    let what = match check.found {
        _ if check.ok => String::new(),
        None => " is gone".to_owned(),
        Some(found) => format!(" has changed: SHA-256 {found}, was {}", check.expected),
    };
    format!("{} {}/{}{what}", printer::mark(check.ok), check.id, check.name)
}

/// `viseme models rm`.
pub(super) fn remove(store: &Store, arguments: &RmArguments) -> Result<ExitCode> {
    let mut removed = Vec::new();
    for id in &arguments.ids {
        let bytes = store.remove(id, &Silent)?;
        if !arguments.json {
            printer::say(&match bytes {
                Some(bytes) => format!("{id} is removed: {}", DecimalBytes(bytes)),
                None => format!("{id} was not installed"),
            });
        }
        removed.push(serde_json::json!({ "id": id, "bytes": bytes }));
    }
    if arguments.json {
        printer::json(&removed)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Does `work` with a progress bar, which is gone when it returns.
pub(super) fn with_terminal<T>(quiet: bool, work: impl FnOnce(&Terminal) -> Result<T>) -> Result<T> {
    let terminal = Terminal::new(Interrupt::install()?, quiet);
    let result = work(&terminal);
    terminal.finish();
    result
}
