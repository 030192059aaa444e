//! Runs a job from the files that it names to the file that it makes.

use crate::report::Report;
use crate::spec::JobSpec;
use viseme_core::{Error, Observer, Result};

/// Runs a job.
///
/// # Errors
/// `Cancelled` when the observer said so; otherwise whatever made the job impossible. Nothing is left behind then,
/// neither at the place of the output nor in the folder for temporary files.
pub fn run(spec: &JobSpec, observer: &dyn Observer) -> Result<Report> {
    spec.validate()?;
    if observer.is_cancelled() {
        return Err(Error::cancelled());
    }
    Err(Error::internal("media are not connected"))
}
