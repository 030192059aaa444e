//! A video in which nothing is to be changed keeps its picture as it is, packet by packet.

use crate::clip::Clip;
use crate::evidence::Seen;
use crate::plan::Plan;
use crate::render::Rendered;
use crate::spec::{EncodeOptions, JobSpec};
use std::path::Path;
use viseme_core::Result;
use viseme_media::{Container, Tools, WrittenVideo, copy_picture};

/// Times closer than this are one, in seconds: containers round to the millisecond.
const TOLERANCE_S: f64 = 1.5e-3;

/// The untouched picture as a file in `work_dir`; `None` where it has to be encoded: something is to be changed, the
/// frames of the output are not those of the file, or another codec was asked for.
///
/// # Errors
/// When the copy cannot be written or read.
pub(crate) fn copied_picture(
    tools: &Tools,
    spec: &JobSpec,
    clip: &dyn Clip,
    plan: &Plan,
    work_dir: &Path,
) -> Result<Option<Rendered>> {
    let video = clip.info();
    if !may_be_copied(spec, clip, plan)? {
        return Ok(None);
    }
    let target = work_dir.join("untouched.mp4");
    let copy = copy_picture(tools, &spec.video, video, &target, &spec.limits)?;
    let is_same = has_frames_of(&copy, plan);
    let rendered = Rendered { video: copy, mask: None, changed: 0, seen: Seen::default(), resumed: None };
    Ok(is_same.then_some(rendered))
}

fn may_be_copied(spec: &JobSpec, clip: &dyn Clip, plan: &Plan) -> Result<bool> {
    let codec = &clip.info().codec;
    let is_whole = spec.start_s.is_none() && spec.end_s.is_none() && plan.len() == plan.source_frames();
    let is_as_it_was = spec.encode == EncodeOptions::default() && spec.mask_output.is_none();
    Ok(is_whole
        && is_as_it_was
        && !clip.is_still()
        && !plan.moves_lips()
        && Container::Mp4.takes_copied_picture(codec)
        && Container::of(&spec.output)?.takes_copied_picture(codec))
}

/// Whether a copy has exactly the frames that were planned, at their times.
fn has_frames_of(copy: &WrittenVideo, plan: &Plan) -> bool {
    copy.frames == plan.len()
        && (copy.start_s - plan.start_s(0)).abs() < TOLERANCE_S
        && (copy.end_s - plan.duration_s()).abs() < TOLERANCE_S
}
