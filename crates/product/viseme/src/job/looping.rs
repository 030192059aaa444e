//! What a job shows where its clip has ended and the speech goes on.

use super::Job;
use crate::analyse::Analysis;
use crate::clip::Clip;
use crate::loops::interpolators::NATIVE;
use crate::loops::search::best_loop;
use crate::loops::{LoopFacts, LoopMode, LoopShape};
use crate::plan::Plan;
use viseme_core::Result;

impl Job<'_> {
    /// The part of the clip that is looped.
    pub(super) fn loop_shape(
        &self,
        clip: &dyn Clip,
        analysis: &Analysis,
        mode: LoopMode,
        is_looped: bool,
    ) -> Result<LoopShape> {
        let blended = u64::from(self.spec.crossfade_frames);
        if is_looped && mode.is_blended() {
            return best_loop(clip, analysis, mode, blended, self.observer);
        }
        Ok(LoopShape { blended, ..LoopShape::whole(analysis.times.len() as u64) })
    }

    /// Loads what makes the pictures at the boundaries of a loop, if there are any.
    pub(super) fn open_interpolator(&mut self, clip: &dyn Clip, plan: &Plan) -> Result<()> {
        if plan.loop_facts().frames_blended > 0 {
            let (found, warning) = self.runner.interpolators.open(self.spec.interpolator, clip.info())?;
            self.interpolator = found;
            self.warn_all(warning.into_iter().collect());
        }
        Ok(())
    }

    /// What was shown where clip and speech are not of one length.
    pub(super) fn loop_facts(&self, plan: &Plan) -> LoopFacts {
        let facts = plan.loop_facts();
        let name = self.interpolator.as_ref().map_or(NATIVE, |found| found.net.name());
        LoopFacts { interpolator: (facts.frames_blended > 0).then_some(name), ..facts }
    }
}

/// What is shown where the clip has ended and the speech goes on.
pub(super) fn repetition(plan: &Plan) -> String {
    let more = plan.len() - plan.source_frames();
    match plan.loop_facts().mode {
        LoopMode::Hold => format!("its last frame stays for {more} more"),
        LoopMode::Remap => format!("it is slowed down by {more} frames"),
        _ => format!("{more} frames are shown again"),
    }
}
