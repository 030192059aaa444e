//! Many videos in one call.

use super::{LipsyncService, Lipsynced, Method};
use crate::batch::{BatchObserver, BatchReport, BatchResult, OneJob, check_files};
use crate::spec::JobSpec;
use std::path::PathBuf;
use viseme_core::{Error, Observer, Result};

impl LipsyncService {
    /// Makes the videos of `pairs`, each a video and its speech, one after the other, into `outputs`. [`Method::Auto`] makes
    /// them on this machine. What befalls one stops none of the others.
    ///
    /// # Errors
    /// `InvalidInput`, before anything is started, when there are not as many outputs as pairs, or none, or two of them
    /// touch one file; `Unsupported` as [`generate_lipsync`](Self::generate_lipsync).
    pub fn batch_generate_lipsync(
        &self,
        pairs: &[(PathBuf, PathBuf)],
        outputs: &[PathBuf],
        method: Method,
        observer: &dyn BatchObserver,
    ) -> Result<BatchReport> {
        if pairs.len() != outputs.len() {
            let (pairs, outputs) = (pairs.len(), outputs.len());
            return Err(Error::invalid_input(format!("{pairs} videos and {outputs} outputs"))
                .with_hint("Give every pair of video and audio an output of its own."));
        }
        let jobs = pairs.iter().zip(outputs);
        let jobs: Vec<JobSpec> =
            jobs.map(|((video, audio), output)| self.spec(video, audio, output)).collect();
        check_files(&jobs)?;
        jobs.first().map_or(Ok(()), |job| self.steps(job, method, false).map(drop))?;
        let results = jobs.iter().enumerate().map(|(number, job)| self.one_of(number, job, method, observer));
        Ok(BatchReport::of(results.collect()))
    }

    fn one_of(
        &self,
        job: usize,
        spec: &JobSpec,
        method: Method,
        observer: &dyn BatchObserver,
    ) -> BatchResult {
        if observer.is_cancelled() {
            return result(spec, method, Err(Error::cancelled()));
        }
        observer.started(job, spec);
        let result = result(spec, method, self.in_batch(spec, method, &OneJob { job, observer }));
        observer.ended(job, &result);
        result
    }

    fn in_batch(&self, spec: &JobSpec, method: Method, observer: &dyn Observer) -> Result<Lipsynced> {
        spec.validate()?;
        self.make_folder(&spec.output)?;
        let (steps, warnings) = self.steps(spec, method, false)?;
        self.take(steps, spec, warnings, observer)
    }
}

fn result(spec: &JobSpec, method: Method, done: Result<Lipsynced>) -> BatchResult {
    match done {
        Ok(Lipsynced { status, output_path, method_used, duration, cost_usd, report, warnings: _ }) => {
            BatchResult {
                status,
                video_path: spec.video.clone(),
                audio_path: spec.audio.clone(),
                output_path,
                method_used,
                duration,
                cost_usd,
                error: None,
                report,
            }
        }
        Err(error) => BatchResult { method_used: method.to_string(), ..BatchResult::of(spec, Err(error)) },
    }
}
