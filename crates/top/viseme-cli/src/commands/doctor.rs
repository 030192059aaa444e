//! `viseme doctor`: whether this machine has what Viseme needs, and what to do where it has not.

mod compute;

use crate::arguments::DoctorArguments;
use crate::printer;
use serde::Serialize;
use std::borrow::Cow;
use std::process::ExitCode;
use viseme_core::{Error, ErrorKind, Result};
use viseme_face::{FaceNets, Weights};
use viseme_media::Tools;
use viseme_models::RtenRuntime;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: Cow<'static, str>,
    ok: bool,
    /// What was found, or what is wrong.
    found: String,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Runs every check. Fails with exit code 2 when one of them does.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<ExitCode> {
    let checks = checks();
    if arguments.json {
        printer::json(&checks)?;
    } else {
        for check in &checks {
            printer::data(&format!("{} {}: {}", printer::mark(check.ok), check.name, check.found))?;
            if let Some(remedy) = &check.remedy {
                printer::data(&format!("    {remedy}"))?;
            }
        }
    }
    let all_ok = checks.iter().all(|check| check.ok);
    Ok(ExitCode::from(if all_ok { 0 } else { ErrorKind::MissingTool.exit_code() }))
}

fn checks() -> Vec<Check> {
    let tools = Tools::locate();
    let mut checks = vec![check(
        "ffmpeg",
        tools.as_ref().map(|tools| format!("{} at {}", tools.version, tools.ffmpeg.display())),
        None,
    )];
    if let Ok(tools) = &tools {
        checks.push(encoders(tools));
    }
    checks.push(check("face nets", face_nets().as_deref(), None));
    checks.push(check(
        "temporary folder",
        temporary_folder().as_deref(),
        Some("Set TMPDIR to a folder that can be written."),
    ));
    checks.push(check("processor", processors().as_deref(), None));
    checks.extend(compute::checks());
    checks
}

/// A check from a result; an error's hint is the remedy, else `remedy` is.
fn check(name: &'static str, result: Result<impl ToString, &Error>, remedy: Option<&str>) -> Check {
    match result {
        Ok(found) => Check { name: name.into(), ok: true, found: found.to_string(), remedy: None },
        Err(error) => {
            let remedy = error.hint().or(remedy).map(str::to_owned);
            Check { name: name.into(), ok: false, found: error.to_string(), remedy }
        }
    }
}

/// The encoders of the default output must be there; the others are only told.
fn encoders(tools: &Tools) -> Check {
    let needed = ["libx264", "aac", "ffv1"];
    let optional = ["libx265", "libsvtav1", "libvpx-vp9"];
    let found = tools.encoders().and_then(|encoders| {
        if let Some(missing) = needed.iter().find(|name| !encoders.contains(**name)) {
            return Err(Error::new(
                ErrorKind::MissingTool,
                format!("this ffmpeg was built without {missing}"),
            )
            .with_hint("Install the ffmpeg of your system's package manager, which has it."));
        }
        let present = needed.iter().chain(&optional).filter(|name| encoders.contains(**name));
        Ok(present.copied().collect::<Vec<_>>().join(", "))
    });
    check("encoders", found.as_deref(), None)
}

fn face_nets() -> Result<String> {
    for weights in [Weights::Default, Weights::Clean] {
        FaceNets::embedded(&RtenRuntime::default(), weights)?;
    }
    Ok("embedded, run by rten on the CPU".to_owned())
}

fn temporary_folder() -> Result<String> {
    let folder = std::env::temp_dir();
    tempfile::tempfile_in(&folder)
        .map_err(|source| Error::io(format_args!("write to {}", folder.display()), source))?;
    Ok(format!("{} can be written", folder.display()))
}

fn processors() -> Result<String> {
    let count =
        std::thread::available_parallelism().map_err(|source| Error::io("count the processors", source))?;
    Ok(format!("{count} threads"))
}
