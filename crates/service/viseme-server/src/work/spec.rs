//! From the task of a lipsync job to the job of the library.

use crate::tasks::{FaceTask, LipsyncOptions, LipsyncTask};
use std::path::Path;
use viseme::{Character, EnhancerName, JobSpec, Line, WhenMissing};
use viseme_core::{Limits, Warning, WarningCode};

/// The threshold that clients send because their documents name it. It was meant for another model than the one in use; what
/// was measured for that one takes its place.
const DOCUMENTED_THRESHOLD: f32 = 0.5;

/// The built-in engine.
const BUILT_IN: &str = "native";

/// The files of a job.
pub(super) struct Files<'a> {
    pub(super) video: &'a Path,
    pub(super) audio: &'a Path,
    pub(super) output: &'a Path,
}

/// The engines of a job, in the order in which they are tried.
pub(super) fn engine_order(options: &LipsyncOptions) -> Vec<String> {
    let first = options.engine.clone().unwrap_or_else(|| BUILT_IN.to_owned());
    let mut order = vec![first];
    order.extend(options.fallback.iter().cloned());
    order.dedup();
    order
}

/// The job of the library for a task, with the engine `engine`.
pub(super) fn job_spec(
    task: &LipsyncTask,
    engine: &str,
    files: &Files<'_>,
    characters: &[Character],
    limits: &Limits,
) -> JobSpec {
    let options = &task.options;
    let mut spec = JobSpec::new(files.video, files.audio, files.output);
    spec.characters = characters.to_vec();
    spec.similarity = threshold(options.similarity_threshold);
    spec.loop_mode = options.loop_mode();
    spec.crossfade_frames = options.crossfade_frames();
    spec.smoothing = options.temporal_smoothing();
    spec.include_sound = options.include_audio.0;
    engine.clone_into(&mut spec.engine.name);
    if let Some(expression) = options.expression {
        spec.engine.expression = expression;
    }
    if options.enhance_quality.0 {
        spec.enhance.name = EnhancerName::Gfpgan;
        spec.enhance.when_missing = WhenMissing::Continue;
    }
    if !task.faces.is_empty() {
        // Lines without a sound of their own say who speaks the speech: nobody else does.
        spec.say = task.faces.iter().map(line).collect();
    }
    spec.limits = limits.clone();
    spec
}

/// The threshold of the library for the one of a client.
pub(super) fn threshold(sent: Option<f32>) -> Option<f32> {
    sent.filter(|sent| (sent - DOCUMENTED_THRESHOLD).abs() > f32::EPSILON)
}

fn line(face: &FaceTask) -> Line {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    Line {
        who: face.character_id.clone(),
        bbox: Some(face.bbox),
        audio: None,
        start_s: face.start_time_ms.map(seconds),
        end_s: face.end_time_ms.map(seconds),
    }
}

/// What of the options nothing here does.
pub(super) fn not_applied(options: &LipsyncOptions, engine: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if options.padding.is_some_and(|padding| padding != [0, 20, 0, 0]) {
        let message = format!("padding was not applied: {engine} finds the mouth by landmarks");
        warnings.push(Warning::new(WarningCode::NotApplied, message));
    }
    warnings
}
