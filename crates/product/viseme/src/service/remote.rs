//! The seam to an engine somewhere else, and how often it is asked.

use super::Lipsynced;
use crate::spec::JobSpec;
use std::fmt::Debug;
use std::time::{Duration, Instant};
use viseme_core::{Error, ErrorKind, Observer, Result};
use viseme_media::{Tools, probe};

/// How often a remote engine is asked for one result.
const TRIES: u32 = 3;

/// How soon somebody who waits learns that the job was cancelled.
const GLANCE: Duration = Duration::from_millis(50);

/// An engine somewhere else that makes whole videos, for money.
pub trait RemoteLipsync: Debug + Send + Sync {
    /// Its name in [`Lipsynced::method_used`](crate::Lipsynced::method_used): `heygen`.
    fn name(&self) -> &str;

    /// The price of a second of result, in US dollars.
    fn usd_per_second(&self) -> f64;

    /// Makes the video of `spec` and writes it to its `output`, whole or not at all. Waits for the result, limits how many jobs
    /// are under way, and asks between two looks whether it was cancelled. The same job asked for again must not be paid again.
    ///
    /// # Errors
    /// `TimedOut` when the result took too long, `Network` for what may pass, `Remote` for what will not (a wrong key, no
    /// credit), `Cancelled`. Of these only `Network` is tried again.
    fn generate(&self, spec: &JobSpec, observer: &dyn Observer) -> Result<()>;
}

/// A result of a remote engine, which is asked up to three times.
pub(super) fn generate(
    remote: &dyn RemoteLipsync,
    spec: &JobSpec,
    wait: Duration,
    observer: &dyn Observer,
) -> Result<Lipsynced> {
    with_retries(remote, spec, wait, observer)?;
    // Whatever it said: a result is a video that can be read.
    let made = Tools::locate().and_then(|tools| probe(&tools, &spec.output, &spec.limits));
    match made {
        Ok(made) if made.video.is_some() => Ok(Lipsynced::remote(remote, spec, made.duration_s)),
        _ => {
            // It would be taken for a result.
            let _ = std::fs::remove_file(&spec.output);
            Err(Error::new(ErrorKind::Remote, format!("{} gave no video that can be read", remote.name())))
        }
    }
}

fn with_retries(
    remote: &dyn RemoteLipsync,
    spec: &JobSpec,
    wait: Duration,
    observer: &dyn Observer,
) -> Result<()> {
    for _ in 1..TRIES {
        match remote.generate(spec, observer) {
            Err(error) if error.kind() == ErrorKind::Network => pause(wait, observer)?,
            outcome => return outcome,
        }
    }
    remote.generate(spec, observer)
}

fn pause(wait: Duration, observer: &dyn Observer) -> Result<()> {
    let end = Instant::now() + wait;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        std::thread::sleep(left.min(GLANCE));
    }
    Ok(())
}
