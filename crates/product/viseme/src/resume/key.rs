//! What the frames of a job depend on. Where two runs agree in all of it, they would make the same.

use crate::cache::{content, program};
use crate::clip::Clip;
use crate::loops::interpolators::Interpolator;
use crate::plan::Plan;
use crate::runner::Runner;
use crate::spec::JobSpec;
use serde_json::{Value, json};
use std::fmt::Write;
use std::ops::Range;
use std::path::PathBuf;
use viseme_core::{Error, Observer, Result};
use viseme_models::Digest;

/// The version of what a chunk holds and how.
const FORMAT: u32 = 1;

/// All that the frames of a job depend on besides its plan: this very program, the tools, the nets, the settings, and the bytes
/// of the inputs. Neither their names nor where the result goes. `None` when some of it cannot be known.
///
/// # Errors
/// `Cancelled`.
pub(crate) fn basis(
    runner: &Runner,
    spec: &JobSpec,
    clip: &dyn Clip,
    interpolator: Option<&Interpolator>,
    observer: &dyn Observer,
) -> Result<Option<Value>> {
    let step = || if observer.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) };
    let Some(inputs) = inputs(spec, step)? else { return Ok(None) };
    let interpolator = interpolator.map_or(Ok(Some(Value::Null)), |found| described(found, step))?;
    let Some(interpolator) = interpolator else { return Ok(None) };
    let (Some(program), Some(files)) = (program(), runner.instruments.digests()) else { return Ok(None) };
    let engine = &runner.engine;
    Ok(Some(json!({
        "format": FORMAT,
        "program": program,
        "ffmpeg": runner.tools.version,
        "nets": [runner.instruments.description, files],
        "engine": [engine.info().name, engine.study_key()],
        "enhancer": runner.enhancer.as_ref().map(|enhancer| enhancer.name()),
        "interpolator": interpolator,
        "settings": settings(spec)?,
        "inputs": inputs,
        "stream": clip.info(),
        "is_still": clip.is_still(),
    })))
}

/// Which interpolator it is.
fn described(found: &Interpolator, step: impl Fn() -> Result<()>) -> Result<Option<Value>> {
    let name = found.net.name();
    let Some(file) = &found.file else { return Ok(Some(json!([name, null]))) };
    Ok(content(file, step)?.map(|digest| json!([name, digest])))
}

/// The digest of a part of a plan: which frames it shows, when, and what happens to every face in them.
pub(super) fn plan_digest(plan: &Plan, frames: Range<u64>) -> Digest {
    let mut text = String::new();
    for frame in frames.map(|output| plan.frame(output)) {
        // Rust writes floats so that they can be read back to the bit. Writing to a string does not fail.
        let _ = write!(text, "{frame:?}");
        for face in plan.faces() {
            let _ = write!(text, " {:?} {:?} {:?}", face.track, face.voice, face.state(&frame));
        }
    }
    Digest::of(text.as_bytes())
}

/// The job without the names of its files.
fn settings(spec: &JobSpec) -> Result<Value> {
    let mut spec = JobSpec { cache: true, ..spec.clone() };
    spec.report_output = spec.report_output.map(|_| PathBuf::new());
    for path in spec.paths_mut() {
        *path = PathBuf::new();
    }
    serde_json::to_value(&spec)
        .map_err(|source| Error::internal(format!("cannot write down a job: {source}")).with_source(source))
}

/// The hashes of the files that go in.
fn inputs(spec: &JobSpec, step: impl Fn() -> Result<()>) -> Result<Option<Vec<Digest>>> {
    let references = spec.characters.iter().flat_map(|character| &character.references);
    std::iter::once(&spec.video)
        .chain(spec.sounds())
        .chain(references)
        .map(|input| content(input, &step))
        .collect()
}
