//! A face that is ready to speak: how it rests, what its mouth does at each planned moment, whom it borrows from.

use super::NativeOptions;
use super::bank::{BankEntry, MouthFeatures, choose, loans};
use super::borrowed::{BorrowedMouth, Fitting, MouthView};
use super::crops::CropFile;
use super::interior::DrawnMouth;
use super::motion::MouthMotion;
use super::neutral::{NeutralMouth, RESTING_GAP};
use super::overlay::{MARGIN, Overlay};
use super::placement::Placement;
use super::render::render;
use super::shape::{MouthShape, moved, with_lips_apart, with_lips_closed};
use super::space::ShapeSpace;
use super::still::alive;
use super::study::{Candidate, TrackStudy};
use crate::engine::{JobContext, MouthPlan, MouthRequest};
use std::borrow::Cow;
use std::sync::Arc;
use viseme_core::geometry::Vec2;
use viseme_core::{Error, FrameIndex, Result};
use viseme_imaging::{ColourInfo, Frame, Patch};

/// Lips that open by less than this, per unit of the speaker's amplitude, touch.
const CLOSED_OPENING: f32 = 0.05;
/// From there on no pair of lip points may be further apart than so much of the opening: never in the way of it.
const GAP_OF_OPENING: f32 = 1.6;

/// One track between `prepare` and the end of the job.
#[derive(Debug)]
pub(super) struct SpeakingFace {
    neutral: NeutralMouth,
    expression: f32,
    /// Whether the head sways and the eyes blink.
    animate: bool,
    colour: ColourInfo,
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
        options: NativeOptions,
        context: &JobContext,
    ) -> Result<Option<Self>> {
        study.finish()?;
        let Some(neutral) = study.statistics.neutral(space) else { return Ok(None) };
        let bank = if neutral.speaks { study.entries() } else { Vec::new() };
        let mut face = Self {
            neutral,
            expression: options.expression,
            animate: options.animate_still && context.is_still,
            colour: context.colour.clone(),
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
        let moment = self.motion.at(speech_s);
        // What the motion leaves open between lips that are said to touch is closed, and no more than that.
        let widest = RESTING_GAP + GAP_OF_OPENING * amount * (moment.opening - CLOSED_OPENING).max(0.0);
        with_lips_apart(with_lips_closed(moved(&self.neutral.shape, &moment.motion, amount), widest))
    }

    /// Answers one request.
    pub(super) fn speak(&self, request: &MouthRequest<'_>) -> Result<Option<Patch>> {
        if request.strength <= 0.0 {
            return Ok(None);
        }
        let at = self.outputs.binary_search(&request.planned.output).map_err(|_| {
            Error::internal(format!("output frame {} was never planned", request.planned.output.0))
        })?;
        let strength = request.strength.min(1.0);
        let target = self.target(request.planned.speech_s);
        let placement = if self.animate {
            let held = alive(request.face, request.planned.speech_s, strength);
            Placement::swaying(request.face, &held, &target, strength)
        } else {
            Placement::new(request.face, &target, strength)
        };
        let frame = request.frame;
        let region = placement.mouth_region(MARGIN, frame);
        if region.is_empty() {
            return Ok(render(frame, &placement, None));
        }
        let own = MouthView::of(request.face);
        let mouths = self.mouths(at, frame, &own)?;
        let fittings = mouths.iter().map(|mouth| Fitting::new(mouth, &placement, region)).collect();
        let drawn = if self.bank.is_empty() {
            let (neutral, colour) = (&self.neutral, &self.colour);
            Some(DrawnMouth::new(&placement, neutral, request.face, frame, colour, region)?)
        } else {
            None
        };
        let overlay = Overlay::new(&placement, fittings, drawn, frame.format, region, strength);
        Ok(render(frame, &placement, Some(&overlay)))
    }

    /// The mouths that output `at` shows: borrowed ones, or `own` when there is none to borrow.
    fn mouths<'a>(
        &'a self,
        at: usize,
        frame: &'a Frame,
        own: &'a MouthView,
    ) -> Result<Vec<BorrowedMouth<'a>>> {
        if self.chosen.is_empty() {
            let corner = Vec2::default();
            return Ok(vec![BorrowedMouth { view: own, picture: Cow::Borrowed(frame), corner, weight: 1.0 }]);
        }
        loans(&self.bank, &self.chosen, at)
            .into_iter()
            .map(|loan| {
                let Candidate { view, crop, .. } = &self.candidates[loan.entry];
                Ok(BorrowedMouth {
                    view,
                    picture: Cow::Owned(self.crops.read(*crop)?),
                    corner: Vec2::new(crop.region.x as f32, crop.region.y as f32),
                    weight: loan.weight,
                })
            })
            .collect()
    }
}
