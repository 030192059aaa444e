//! How long a lipsync job will take: a model of what frames cost, mended by what the last jobs took.
//!
//! A frame costs a fixed time and one for each megapixel. The figures are those of two server cores ([`FrameCost::of`]); other
//! machines differ by a factor, which is the median over the last jobs of the engine here: what they took by what the model
//! says of them.

use crate::work::LipsyncResult;
use viseme_jobs::Job;

/// Jobs of which the factor is made.
pub(crate) const MOST_JOBS: u32 = 50;

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clip {
    /// Length in seconds.
    pub(crate) duration_s: f64,
    /// Columns of the picture.
    pub(crate) width: u32,
    /// Rows of the picture.
    pub(crate) height: u32,
    /// Frames per second.
    pub(crate) fps: f64,
}

/// What a frame costs on two server cores, decoded, changed and encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FrameCost {
    fixed_ms: f64,
    megapixel_ms: f64,
}

impl FrameCost {
    /// The line through two measurements each, on a Xeon with AVX-512 and x264 at presets that took longer. The built-in engine:
    /// 512 × 512 in 17.8 ms and 1280 × 720 in 30.9 ms. Wav2Lip on ONNX Runtime: 256 × 256 in 62.5 ms and 512 × 512 in
    /// 69.6 ms. An engine of which nothing was measured is taken for Wav2Lip.
    fn of(engine: &str) -> Self {
        match engine {
            "native" => Self { fixed_ms: 12.6, megapixel_ms: 19.9 },
            _ => Self { fixed_ms: 60.1, megapixel_ms: 36.1 },
        }
    }
}

/// What the last jobs of an engine say of this server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Calibration {
    /// Jobs that it rests on.
    pub(crate) jobs: usize,
    /// What jobs take here, by what the model says.
    pub(crate) factor: f64,
}

impl Clip {
    /// Frames that are to be made.
    pub(crate) fn frames(&self) -> f64 {
        (self.duration_s * self.fps).ceil()
    }

    /// Seconds that the model says, without any calibration.
    fn model_s(&self, engine: &str) -> f64 {
        let cost = FrameCost::of(engine);
        let megapixels = f64::from(self.width) * f64::from(self.height) / 1e6;
        self.frames() * (cost.fixed_ms + cost.megapixel_ms * megapixels) / 1000.0
    }

    /// Seconds that it takes here.
    pub(crate) fn seconds(&self, engine: &str, calibration: Calibration) -> f64 {
        self.model_s(engine) * calibration.factor
    }
}

impl Calibration {
    /// What the completed jobs among `jobs` say of `engine`. Without any, the model stands as it is.
    pub(crate) fn of(jobs: &[Job], engine: &str) -> Self {
        let results = jobs.iter().filter_map(result).filter(|result| result.method_used == engine);
        let factors: Vec<f64> = results.filter_map(|result| factor(&result)).collect();
        Self { jobs: factors.len(), factor: median(factors).unwrap_or(1.0) }
    }
}

/// Seconds that the jobs took from their start to their end: the middle one.
pub(crate) fn typical_job_s(jobs: &[Job]) -> Option<f64> {
    median(jobs.iter().filter_map(result).map(|result| result.timing.total_ms as f64 / 1000.0).collect())
}

fn result(job: &Job) -> Option<LipsyncResult> {
    serde_json::from_value(job.result.clone()?).ok()
}

/// What a job took, transfers apart, by what the model says.
fn factor(result: &LipsyncResult) -> Option<f64> {
    let (output, timing) = (&result.output, &result.timing);
    let clip = Clip {
        duration_s: output.duration_ms as f64 / 1000.0,
        width: output.width,
        height: output.height,
        fps: output.fps,
    };
    let transfers = timing.download_ms + timing.upload_ms;
    let took_s = timing.total_ms.saturating_sub(transfers) as f64 / 1000.0;
    let model_s = clip.model_s(&result.method_used);
    (model_s > 0.0 && took_s > 0.0).then(|| took_s / model_s)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied()?;
    Some(if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], upper) } else { upper })
}

/// Jobs that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Wait.
    pub(crate) waiting: u64,
    /// Are being done.
    pub(crate) running: u64,
    /// Can be done at a time.
    pub(crate) slots: u64,
}

impl Queue {
    /// Seconds until a new job is begun, when each takes `job_s` and those that run are half done on average.
    pub(crate) fn wait_s(&self, job_s: f64) -> f64 {
        if self.waiting + self.running < self.slots {
            return 0.0;
        }
        (self.waiting as f64 + 0.5 * self.running as f64) * job_s / self.slots.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use viseme_jobs::{JobId, JobKind, JobState};

    const CLIP: Clip = Clip { duration_s: 8.0, width: 512, height: 512, fps: 25.0 };

    fn job(engine: &str, total_ms: u64, download_ms: u64) -> Job {
        let timing = json!({ "total_ms": total_ms, "download_ms": download_ms, "detection_ms": 0, "lipsync_ms": 0,
            "enhancement_ms": 0, "encoding_ms": 0, "upload_ms": 0 });
        let result = json!({ "artifact": "jobs/a/output.mp4", "faces": {}, "timing": timing, "method_used": engine,
            "cost_usd": 0.0, "warnings": [],
            "output": { "duration_ms": 8000, "width": 512, "height": 512, "fps": 25.0, "file_size_bytes": 1 } });
        let now = jiff::Timestamp::now();
        Job {
            id: JobId::random(),
            kind: JobKind::Lipsync,
            state: JobState::Completed,
            owner: String::new(),
            spec: json!({}),
            priority: 0,
            tries: 1,
            max_tries: 3,
            time_limit_ms: 1,
            created_at: now,
            run_at: now,
            started_at: None,
            finished_at: Some(now),
            progress: None,
            cancel_requested: false,
            result: Some(result),
            error: None,
        }
    }

    #[test]
    fn without_jobs_the_measured_figures_stand() {
        let calibration = Calibration::of(&[], "native");
        assert_eq!(calibration, Calibration { jobs: 0, factor: 1.0 });
        // They were made of 3.595 and 3.525 s, 5.655 and 5.457 s.
        assert!((CLIP.seconds("native", calibration) - 3.56).abs() < 0.03);
        let hd = Clip { duration_s: 6.0, width: 1280, height: 720, fps: 30.0 };
        assert!((hd.seconds("native", calibration) - 5.56).abs() < 0.03);
    }

    #[test]
    fn the_median_of_the_last_jobs_mends_them() {
        // Twice and four times as slow as the model, once with ten seconds of download; a faster one of another engine.
        let model_ms = (CLIP.model_s("native") * 1000.0) as u64;
        let jobs = [
            job("native", 2 * model_ms, 0),
            job("native", 4 * model_ms + 10_000, 10_000),
            job("wav2lip", model_ms, 0),
        ];
        let calibration = Calibration::of(&jobs, "native");
        assert_eq!(calibration.jobs, 2);
        assert!((calibration.factor - 3.0).abs() < 0.01, "{calibration:?}");
        let other = Clip { duration_s: 16.0, ..CLIP };
        assert!((other.seconds("native", calibration) - 6.0 * CLIP.model_s("native")).abs() < 0.05);
        let typical = typical_job_s(&jobs).unwrap();
        assert!((typical - 2.0 * CLIP.model_s("native")).abs() < 0.01);
    }

    #[test]
    fn who_comes_waits_for_those_before_unless_there_is_room() {
        let wait = |waiting, running| Queue { waiting, running, slots: 2 }.wait_s(10.0);
        assert_eq!(wait(0, 0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(wait(0, 1).to_bits(), 0.0_f64.to_bits());
        assert!((wait(0, 2) - 10.0 / 2.0).abs() < 1e-9);
        assert!((wait(4, 2) - 25.0).abs() < 1e-9);
    }
}
