//! `viseme batch`: many jobs of a list.

use crate::arguments::BatchArguments;
use crate::printer;
use crate::progress::Interrupt;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use viseme::{BatchObserver, BatchReport, BatchResult, JobSpec, JobStatus, read_list, run_batch};
use viseme_core::{Progress, Result, Stage, Warning};

/// Does the jobs and says what became of each.
pub(crate) fn run(arguments: BatchArguments) -> Result<ExitCode> {
    let BatchArguments { list, jobs: at_a_time, defaults, json, quiet } = arguments;
    let nothing = PathBuf::new;
    let jobs = read_list(&list, &defaults.spec(nothing(), Some(nothing()), nothing()))?;
    let screen = Screen::new(Interrupt::install()?, jobs.len(), quiet);
    let report = run_batch(&jobs, usize::from(at_a_time), &screen)?;
    if json {
        printer::json(&report)?;
    }
    if !quiet {
        printer::say(&summary(&report));
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// One line: how many jobs are done, and how many are not.
fn summary(report: &BatchReport) -> String {
    let sums = &report.summary;
    let cancelled =
        report.results.iter().filter(|result| result.status == JobStatus::Cancelled).count() as u64;
    let mut parts =
        vec![format!("{} of {} jobs done, {:.1} s of video", sums.success, sums.total, sums.total_duration)];
    if sums.failed > cancelled {
        parts.push(format!("{} failed", sums.failed - cancelled));
    }
    if cancelled > 0 {
        parts.push(format!("{cancelled} interrupted or not begun"));
    }
    parts.join(", ")
}

/// A bar for each job that runs, and a line for each that has ended.
struct Screen {
    interrupt: Interrupt,
    total: usize,
    quiet: bool,
    /// None when standard error is not a terminal or the user wants quiet.
    bars: Option<MultiProgress>,
    running: Mutex<BTreeMap<usize, (Option<Stage>, ProgressBar)>>,
}

impl Screen {
    fn new(interrupt: Interrupt, total: usize, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let bars = visible.then(MultiProgress::new);
        Self { interrupt, total, quiet, bars, running: Mutex::default() }
    }

    /// Says something without breaking the bars.
    fn say(&self, say: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(say),
            None => say(),
        }
    }

    fn place(&self, job: usize) -> String {
        format!("[{}/{}]", job + 1, self.total)
    }
}

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total {
        "{prefix} {msg:>8} {wide_bar} {pos}/{len} frames  {per_sec}  {eta} left"
    } else {
        "{prefix} {msg:>8} {spinner} {pos} frames  {per_sec}"
    };
    // The templates are constants; a mistake in them falls back on the plain bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl BatchObserver for Screen {
    fn started(&self, job: usize, spec: &JobSpec) {
        if !self.quiet {
            let (place, video) = (self.place(job), spec.video.display());
            let lines = spec.say.iter().filter_map(|line| line.audio.as_ref());
            let sounds = spec.audio.iter().chain(lines).map(|path| format!(" + {}", path.display()));
            let sounds: String = sounds.collect();
            self.say(|| printer::say(&format!("{place} {video}{sounds}")));
        }
        if let Some(bars) = &self.bars {
            let bar = bars.add(ProgressBar::new_spinner()).with_prefix(self.place(job));
            self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job, (None, bar));
        }
    }

    fn progress(&self, job: usize, progress: Progress) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((stage, bar)) = running.get_mut(&job) else { return };
        if *stage != Some(progress.stage) || bar.length() != progress.total {
            bar.set_style(style(progress.total.is_some()));
            bar.set_message(progress.stage.name());
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
            bar.reset();
            *stage = Some(progress.stage);
        }
        bar.set_position(progress.done);
    }

    fn warn(&self, job: usize, warning: &Warning) {
        if !self.quiet {
            let line = format!("{} {}", self.place(job), warning.message);
            self.say(|| printer::warn(&line));
        }
    }

    fn ended(&self, job: usize, result: &BatchResult) {
        let bar = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        if let Some((_, bar)) = bar {
            bar.finish_and_clear();
        }
        let (place, output) = (self.place(job), result.output_path.display());
        match (&result.error, &result.report) {
            (Some(failure), _) => self.say(|| {
                printer::say(&format!("{place} {} {output}: {}", printer::mark(false), failure.message));
                if let Some(hint) = &failure.hint {
                    printer::hint(hint);
                }
            }),
            (None, Some(report)) if !self.quiet => {
                let seconds = report.total_ms as f64 / 1000.0;
                let mark = printer::mark(true);
                self.say(|| printer::say(&format!("{place} {mark} {output}: made in {seconds:.1} s")));
            }
            _ => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.interrupt.is_set()
    }
}
