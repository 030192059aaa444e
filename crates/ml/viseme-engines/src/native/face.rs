//! A face that is ready to speak: how it rests, what its mouth does at each planned moment, whom it borrows from.

use super::bank::{BankEntry, MouthFeatures, choose, loans};
use super::crops::CropFile;
use super::motion::MouthMotion;
use super::neutral::NeutralMouth;
use super::overlay::BorrowedMouth;
use super::placement::Placement;
use super::render::render;
use super::shape::{MouthShape, moved, with_lips_apart};
use super::space::ShapeSpace;
use super::study::{Candidate, TrackStudy};
use crate::engine::{MouthPlan, MouthRequest};
use std::sync::Arc;
use viseme_core::{Error, FrameIndex, Result};
use viseme_imaging::Patch;

/// One track between `prepare` and the end of the job.
#[derive(Debug)]
pub(super) struct SpeakingFace {
    neutral: NeutralMouth,
    expression: f32,
    motion: Arc<MouthMotion>,
    candidates: Vec<Candidate>,
    bank: Vec<BankEntry>,
    crops: CropFile,
    /// The planned output frames, ascending, and the candidate chosen for each.
    outputs: Vec<FrameIndex>,
    chosen: Vec<u16>,
}

impl SpeakingFace {
    /// Turns a study into a face that speaks; none when the face was never seen.
    pub(super) fn prepare(
        mut study: TrackStudy,
        plan: &MouthPlan,
        motion: &Arc<MouthMotion>,
        space: &ShapeSpace,
        expression: f32,
    ) -> Result<Option<Self>> {
        study.finish()?;
        let Some(neutral) = study.statistics.neutral(space) else { return Ok(None) };
        let bank = if neutral.speaks { study.entries() } else { Vec::new() };
        let mut face = Self {
            neutral,
            expression,
            motion: Arc::clone(motion),
            bank,
            candidates: study.candidates,
            crops: study.crops,
            outputs: plan.mouths.iter().map(|mouth| mouth.output).collect(),
            chosen: Vec::new(),
        };
        let upright = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        face.chosen = choose(&face.bank, plan.mouths.len(), |i| {
            let mouth = plan.mouths[i];
            let rotation = study.rotations.get(&mouth.source.0).copied().unwrap_or(upright);
            MouthFeatures::new(&face.target(mouth.speech_s), rotation)
        });
        Ok(Some(face))
    }

    /// The mouth at a moment of the speech.
    fn target(&self, speech_s: f64) -> MouthShape {
        let amount = self.neutral.amplitude * self.expression;
        with_lips_apart(moved(&self.neutral.shape, &self.motion.at(speech_s), amount))
    }

    /// Answers one request.
    pub(super) fn speak(&self, request: &MouthRequest<'_>) -> Result<Option<Patch>> {
        if request.strength <= 0.0 {
            return Ok(None);
        }
        let at = self
            .outputs
            .binary_search(&request.planned.output)
            .map_err(|_| Error::internal(format!("output frame {} was never planned", request.planned.output.0)))?;
        let borrowed = self.borrow(at)?;
        let strength = request.strength.min(1.0);
        let placement = Placement::new(request.face, &self.target(request.planned.speech_s), strength);
        Ok(render(request.frame, &placement, &borrowed, strength))
    }

    /// Reads the mouths that output `at` borrows.
    fn borrow(&self, at: usize) -> Result<Vec<BorrowedMouth<'_>>> {
        if self.chosen.is_empty() {
            return Ok(Vec::new());
        }
        loans(&self.bank, &self.chosen, at)
            .into_iter()
            .map(|loan| {
                let candidate = &self.candidates[loan.entry];
                Ok(BorrowedMouth { candidate, crop: self.crops.read(candidate.crop)?, weight: loan.weight })
            })
            .collect()
    }
}
