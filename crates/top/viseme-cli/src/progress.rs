//! Draws the progress of a job on standard error and passes Ctrl-C on to it.

use crate::printer;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Error, ErrorKind, Observer, Progress, Result, Stage, Warning};

/// Set by the first Ctrl-C; the job ends at the next frame and removes what it made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C and for the request to terminate.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub(crate) fn install() -> Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(|source| {
            Error::new(ErrorKind::Internal, "cannot listen for Ctrl-C").with_source(source)
        })?;
        Ok(interrupt)
    }

    /// Whether it has come.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A progress bar per stage: stage, frames or bytes, their rate, time left.
#[derive(Debug)]
pub(crate) struct Terminal {
    interrupt: Interrupt,
    /// None when standard error is not a terminal or the user wants quiet.
    bar: Option<Mutex<(Option<Stage>, ProgressBar)>>,
}

impl Terminal {
    pub(crate) fn new(interrupt: Interrupt, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let bar = visible.then(|| Mutex::new((None, ProgressBar::new_spinner())));
        Self { interrupt, bar }
    }

    /// Says a line on standard error without breaking the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => {
                bar.lock().unwrap_or_else(PoisonError::into_inner).1.suspend(|| printer::say(line));
            }
            None => printer::say(line),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.lock().unwrap_or_else(PoisonError::into_inner).1.finish_and_clear();
        }
    }
}

fn style(stage: Stage, has_total: bool) -> ProgressStyle {
    let template = match (stage, has_total) {
        (Stage::Models, true) => "{msg:>8} {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        (Stage::Models, false) => "{msg:>8} {spinner} {bytes}  {bytes_per_sec}",
        (_, true) => "{msg:>8} {wide_bar} {pos}/{len} frames  {per_sec}  {eta} left",
        (_, false) => "{msg:>8} {spinner} {pos} frames  {per_sec}",
    };
    // The templates are constants; a mistake in them falls back on the plain bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Observer for Terminal {
    fn progress(&self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        let mut guard = bar.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.0 != Some(progress.stage) || guard.1.length() != progress.total {
            guard.1.finish_and_clear();
            let bar = progress.total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            bar.set_style(style(progress.stage, progress.total.is_some()));
            bar.set_message(progress.stage.name());
            *guard = (Some(progress.stage), bar);
        }
        guard.1.set_position(progress.done);
    }

    fn warn(&self, warning: &Warning) {
        match &self.bar {
            Some(bar) => bar
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .1
                .suspend(|| printer::warn(&warning.message)),
            None => printer::warn(&warning.message),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.interrupt.is_set()
    }
}
