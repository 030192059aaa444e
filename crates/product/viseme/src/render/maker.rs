//! From a source frame to the frame with new mouths.

use super::{MadeFrame, Renderer};
use crate::loops::faces::face_in;
use crate::mask::{mask_frame, mask_of_blend};
use crate::plan::PlannedFrame;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use viseme_core::{Error, Result};
use viseme_engines::{EngineJob, EnhanceRequest, MouthRequest};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch, composite};

/// Makes the mouths of a job and blends them over their frames, one frame at a time.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) renderer: &'a Renderer<'a>,
    pub(super) engine: &'a dyn EngineJob,
    pub(super) with_mask: bool,
    /// Whether the frame is wanted as it was, too.
    pub(super) with_source: bool,
}

/// A face whose lips move: who it is, and how much of the effect it gets.
struct Face {
    track: TrackId,
    observation: FaceObservation,
    strength: f32,
}

impl Maker<'_> {
    /// The frame as it is to be written.
    pub(super) fn make(&self, planned: PlannedFrame, source: Arc<Frame>) -> Result<MadeFrame> {
        let faces = self.faces(&planned)?;
        let mut patches = self.mouths(&planned, &source, &faces)?;
        self.enhance(&source, &faces, &mut patches)?;
        let mask = self.with_mask.then(|| match planned.blend {
            Some(_) => mask_of_blend(&source, planned.pts),
            None => mask_frame(&source, &patches, planned.pts),
        });
        let kept = self.with_source.then(|| Arc::clone(&source));
        let mut frame = composited(source, &patches)?;
        frame.pts = planned.pts;
        Ok(MadeFrame { planned, frame, source: kept, mask, is_changed: !patches.is_empty() })
    }

    /// The faces whose lips move.
    fn faces(&self, planned: &PlannedFrame) -> Result<Vec<Face>> {
        let mut faces = Vec::new();
        for face in self.renderer.plan.faces() {
            let state = face.state(planned);
            if !state.is_moved() {
                continue;
            }
            if let Some(observation) = face_in(&self.renderer.analysis.tracks, face.track, planned)? {
                faces.push(Face { track: face.track, observation, strength: state.strength });
            }
        }
        Ok(faces)
    }

    /// What the engine lays over the frame.
    fn mouths(&self, planned: &PlannedFrame, frame: &Frame, faces: &[Face]) -> Result<Vec<Patch>> {
        if faces.is_empty() {
            return Ok(Vec::new());
        }
        let planned = planned.mouth();
        let requests: Vec<_> = faces
            .iter()
            .map(|face| {
                let Face { track, observation: ref face, strength } = *face;
                MouthRequest { track, planned, frame, face, strength }
            })
            .collect();
        let answers = self.engine.synthesize(&requests)?;
        if answers.len() != faces.len() {
            let (given, asked) = (answers.len(), faces.len());
            return Err(Error::internal(format!("the engine gave {given} answers to {asked} requests")));
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Lays a patch over every face that has one from the engine, or could have had: what comes and goes would flicker.
    fn enhance(&self, source: &Arc<Frame>, faces: &[Face], patches: &mut Vec<Patch>) -> Result<()> {
        let Some(enhancement) = self.renderer.enhancement.filter(|_| !faces.is_empty()) else {
            return Ok(());
        };
        let synced = composited(Arc::clone(source), patches)?;
        // One frame at a time: its net takes seconds and all cores of a processor, and much memory.
        let mut spent = self.renderer.enhancing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.renderer.observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        let started = Instant::now();
        let requests: Vec<_> = faces
            .iter()
            .map(|face| EnhanceRequest { frame: &synced, face: &face.observation, strength: face.strength })
            .collect();
        let enhanced = enhancement.patches(&self.renderer.clip.info().colour, &requests)?;
        *spent += started.elapsed();
        patches.extend(enhanced.into_iter().flatten());
        Ok(())
    }
}

/// The frame with its patches blended over it. A frame that somebody else holds, because it is shown several times on
/// end or is still to be looked at, is copied.
fn composited(frame: Arc<Frame>, patches: &[Patch]) -> Result<Frame> {
    let mut frame = Arc::unwrap_or_clone(frame);
    patches.iter().try_for_each(|patch| composite(&mut frame, patch))?;
    Ok(frame)
}
