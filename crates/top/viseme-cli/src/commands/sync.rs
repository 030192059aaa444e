//! `viseme sync`: the main job.

use crate::arguments::SyncArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use std::process::ExitCode;
use viseme::{CacheUse, Checkpoints, JobSpec, Report};
use viseme_core::Result;

/// Makes the video and says what was done.
pub(crate) fn run(arguments: SyncArguments) -> Result<ExitCode> {
    let (json, quiet) = (arguments.json, arguments.quiet);
    let (spec, checkpoints) = job(arguments);
    let terminal = Terminal::new(Interrupt::install()?, quiet);
    let result = match checkpoints {
        Some(checkpoints) => viseme::run_resumable(&spec, &checkpoints, &terminal),
        None => viseme::run(&spec, &terminal),
    };
    terminal.finish();
    let report = result?;
    if json {
        printer::json(&report)?;
    } else if !quiet {
        printer::say(&summary(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn job(arguments: SyncArguments) -> (JobSpec, Option<Checkpoints>) {
    let SyncArguments { video, audio, output, say, sound, job, mask, report, resume, .. } = arguments;
    let spec = job.spec(video, audio, output);
    let spec = JobSpec { say, sound, mask_output: mask, report_output: report, ..spec };
    (spec, resume.checkpoints())
}

/// One line: where the result is, and how much of it was changed at what speed.
fn summary(report: &Report) -> String {
    let output = &report.output;
    format!(
        "{}: {} of {} frames synced, {:.1} s at {}x{}, made in {:.1} s ({:.0} frames per second){}{}",
        output.path.display(),
        output.frames_changed,
        output.frames_written,
        output.duration_ms as f64 / 1000.0,
        output.width,
        output.height,
        report.total_ms as f64 / 1000.0,
        report.frames_per_second,
        if report.analysis_cache == CacheUse::Hit { ", faces from the cache" } else { "" },
        match report.frames_resumed {
            Some(frames @ 1..) => format!(", {frames} frames from an earlier run"),
            _ => String::new(),
        },
    )
}
