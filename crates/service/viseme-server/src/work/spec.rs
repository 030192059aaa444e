//! From the task of a lipsync job to the job of the library.

use crate::tasks::{FaceTask, LipsyncOptions, LipsyncTask};
use std::path::Path;
use viseme::{Character, EnhanceChoice, EnhancerName, JobSpec, Line, RuntimeRequest, WhenMissing};
use viseme_core::{Limits, Warning, WarningCode};
use viseme_models::Store;

/// The threshold that clients send because their documents name it. It was meant for another model than the one in use; what
/// was measured for that one takes its place.
const DOCUMENTED_THRESHOLD: f32 = 0.5;

/// What clients mean that say nothing of it.
const DOCUMENTED_FIDELITY: f32 = 0.7;

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
    (limits, compute): (&Limits, RuntimeRequest),
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
        spec.enhance = enhancement(options.fidelity_weight, is_installed);
    }
    if !task.faces.is_empty() {
        // Lines without a sound of their own say who speaks the speech: nobody else does.
        spec.say = task.faces.iter().map(line).collect();
        let is_said = |who: &str| task.faces.iter().any(|face| face.character_id == who);
        let others = characters.iter().filter(|character| !is_said(&character.id));
        spec.say.extend(others.map(|character| Line { who: character.id.clone(), ..Line::default() }));
    }
    (spec.limits, spec.runtime) = (limits.clone(), compute);
    spec
}

/// The enhancer for a client: `CodeFormer` where it says how faithful that is to be, GFPGAN otherwise; of the two the one that
/// is installed.
fn enhancement(fidelity: Option<f32>, is_installed: fn(&str) -> bool) -> EnhanceChoice {
    let gfpgan = EnhanceChoice { name: EnhancerName::Gfpgan, ..EnhanceChoice::default() };
    let codeformer = EnhanceChoice {
        name: EnhancerName::CodeFormer,
        fidelity: Some(fidelity.unwrap_or(DOCUMENTED_FIDELITY)),
        ..EnhanceChoice::default()
    };
    let (has_gfpgan, has_codeformer) = (is_installed("gfpgan_1_4"), is_installed("codeformer"));
    let is_codeformer = has_codeformer && (fidelity.is_some() || !has_gfpgan);
    EnhanceChoice { when_missing: WhenMissing::Continue, ..if is_codeformer { codeformer } else { gfpgan } }
}

/// Whether a model can be used.
fn is_installed(model: &str) -> bool {
    Store::open().is_ok_and(|store| store.model(model).is_ok())
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
    let is_wanted = [
        ("padding", options.padding.is_some_and(|padding| padding != [0, 20, 0, 0])),
        ("bbox_shift", options.bbox_shift.is_some_and(|shift| shift != 0)),
    ];
    let wanted = is_wanted.into_iter().filter(|(_, is_wanted)| *is_wanted);
    let warning = |(name, _)| {
        let message = format!("{name} was not applied: {engine} finds the mouth by landmarks");
        Warning::new(WarningCode::NotApplied, message)
    };
    wanted.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enhancer_is_one_that_is_there() {
        let chosen = |fidelity, is_installed: fn(&str) -> bool| {
            let EnhanceChoice { name, fidelity, .. } = enhancement(fidelity, is_installed);
            (name, fidelity)
        };
        assert_eq!(chosen(None, |_| true), (EnhancerName::Gfpgan, None));
        assert_eq!(chosen(Some(0.3), |_| true), (EnhancerName::CodeFormer, Some(0.3)));
        assert_eq!(chosen(Some(0.3), |id| id == "gfpgan_1_4"), (EnhancerName::Gfpgan, None));
        assert_eq!(chosen(None, |id| id == "codeformer"), (EnhancerName::CodeFormer, Some(0.7)));
        assert_eq!(chosen(Some(0.3), |_| false), (EnhancerName::Gfpgan, None));
    }
}
