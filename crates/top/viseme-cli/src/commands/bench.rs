//! `viseme bench`: a whole job, timed in turn with a plain re-encode of the same clip by ffmpeg.

use crate::arguments::BenchArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;
use viseme::{JobSpec, Report};
use viseme_core::{Error, Result, Stage};
use viseme_media::Tools;

/// The figures of a bench. Times are medians over the runs, in milliseconds.
#[derive(Debug, Serialize)]
struct Figures {
    runs: u32,
    width: u32,
    height: u32,
    frames: u64,
    clip_ms: u64,
    job_ms: u64,
    reencode_ms: u64,
    /// `job_ms / reencode_ms`: the median of the ratios of the pairs.
    ratio: f64,
    /// `clip_ms / job_ms`: over 1 is faster than the clip plays.
    realtime: f64,
    peak_memory_bytes: u64,
    stages_ms: BTreeMap<Stage, u64>,
}

/// Times the job and the re-encode in turn.
pub(crate) fn run(arguments: &BenchArguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir().map_err(|source| Error::io("make a temporary folder", source))?;
    let limits = arguments.limits.limits();
    let tools = Tools::locate()?;
    let info = viseme_media::probe(&tools, &arguments.video, &limits)?;
    let video = info.video.ok_or_else(|| Error::invalid_input("a bench needs a moving picture"))?;
    let spec = JobSpec {
        // The two then show the same frames: nothing is looped.
        loop_mode: viseme::LoopMode::None,
        encode: arguments.encode.options(),
        // Every run is a first one.
        cache: false,
        limits: limits.clone(),
        ..JobSpec::new(&arguments.video, &arguments.audio, folder.path().join("job.mp4"))
    };
    let settings = spec.encode.settings();
    let terminal = Terminal::new(Interrupt::install()?, true);
    let mut pairs = Vec::new();
    for _ in 0..arguments.runs {
        let report = viseme::run(&spec, &terminal)?;
        let start = Instant::now();
        let output = folder.path().join("plain.mp4");
        viseme_media::reencode(&tools, &arguments.video, &video, &output, &settings, &limits)?;
        pairs.push((report, start.elapsed().as_millis() as u64));
    }
    let figures = figures(&pairs)?;
    if arguments.json {
        printer::json(&figures)?;
    } else {
        print(&figures)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn figures(pairs: &[(Report, u64)]) -> Result<Figures> {
    let (first, _) = pairs.first().ok_or_else(|| Error::internal("a bench without a run"))?;
    let of =
        |figure: &dyn Fn(&Report) -> u64| median(pairs.iter().map(|(report, _)| figure(report)).collect());
    let stages = first.timings_ms.keys();
    let ratios = pairs.iter().map(|(report, plain)| report.total_ms * 1000 / (*plain).max(1)).collect();
    let (job_ms, clip_ms) = (of(&|report| report.total_ms), first.output.duration_ms);
    Ok(Figures {
        runs: pairs.len() as u32,
        width: first.output.width,
        height: first.output.height,
        frames: first.output.frames_written,
        clip_ms,
        job_ms,
        reencode_ms: median(pairs.iter().map(|(_, plain)| *plain).collect()),
        ratio: median(ratios) as f64 / 1000.0,
        realtime: clip_ms as f64 / job_ms.max(1) as f64,
        peak_memory_bytes: of(&|report| report.peak_memory_bytes),
        stages_ms: stages
            .map(|stage| (*stage, of(&|report| report.timings_ms.get(stage).copied().unwrap_or(0))))
            .collect(),
    })
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

fn print(figures: &Figures) -> Result<()> {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    printer::data(&format!(
        "{}x{}, {} frames, {:.1} s; medians of {} runs in turn",
        figures.width,
        figures.height,
        figures.frames,
        seconds(figures.clip_ms),
        figures.runs
    ))?;
    for (stage, ms) in &figures.stages_ms {
        printer::data(&format!("  {:<10} {:>7.2} s", stage.name(), seconds(*ms)))?;
    }
    printer::data(&format!(
        "whole job    {:>7.2} s  ({:.2} times as fast as the clip plays)",
        seconds(figures.job_ms),
        figures.realtime
    ))?;
    printer::data(&format!(
        "re-encode    {:>7.2} s  (ffmpeg alone, same codec settings)",
        seconds(figures.reencode_ms)
    ))?;
    printer::data(&format!("ratio        {:>7.2}", figures.ratio))?;
    printer::data(&format!("peak memory  {:>7.0} MB", figures.peak_memory_bytes as f64 / 1e6))
}
