//! From source frames to frames with new mouths, batch by batch.

use super::{MadeFrame, Renderer};
use crate::evidence::{Seen, Witness};
use crate::loops::faces::face_in;
use crate::mask::{mask_frame, mask_of_blend};
use crate::plan::PlannedFrame;
use crossbeam_channel::{Receiver, Sender};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use viseme_core::{Error, Result};
use viseme_engines::{EngineJob, EnhanceRequest, Enhancement, MouthRequest};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch, composite};

/// Most bytes of frames that the engine gets at once, unless it takes more to give every core a frame. A frame's
/// patch is about as large again.
const BATCH_BYTES: usize = 8 << 20;
/// Frames that the engine gets at once for each core, unless it wants more: one core is seldom done with its own first.
const FRAMES_PER_CORE: usize = 2;
/// Frames whose faces are enhanced at once: a face takes seconds on a processor, and 6 MB. Between them the job can end.
const ENHANCED_FRAMES: usize = 2;

/// Makes the mouths of a job and blends them over their frames.
pub(super) struct Maker<'a> {
    renderer: &'a Renderer<'a>,
    batch_frames: usize,
    with_mask: bool,
    witness: Option<&'a Witness<'a>>,
    seen: Seen,
}

/// A frame with what is to be laid over it.
struct Draft {
    planned: PlannedFrame,
    frame: Arc<Frame>,
    patches: Vec<Patch>,
}

/// A face of a batch: which frame it is in, who it is, and how much of the effect it gets.
struct Face {
    position: usize,
    track: TrackId,
    observation: FaceObservation,
    strength: f32,
}

impl<'a> Maker<'a> {
    /// Shows each frame before and after to the `witness`, if there is one.
    pub(super) fn new(renderer: &'a Renderer<'a>, with_mask: bool, witness: Option<&'a Witness<'a>>) -> Self {
        let info = renderer.clip.info();
        let frame_bytes = info.format.frame_bytes(info.width, info.height);
        let cores = rayon::current_num_threads();
        let wanted = renderer.batch.max(FRAMES_PER_CORE * cores);
        let batch_frames = wanted.min((BATCH_BYTES / frame_bytes.max(1)).max(cores));
        Self { renderer, batch_frames, with_mask, witness, seen: Seen::default() }
    }

    /// Frames that are made at one time.
    pub(super) fn batch_frames(&self) -> usize {
        self.batch_frames
    }

    /// Makes all that comes, until there is no more or nobody takes it.
    pub(super) fn make(
        &mut self,
        engine: &mut dyn EngineJob,
        read: &Receiver<(PlannedFrame, Arc<Frame>)>,
        makes: &Sender<MadeFrame>,
    ) -> Result<()> {
        loop {
            let batch: Vec<_> = read.iter().take(self.batch_frames).collect();
            if batch.is_empty() {
                return Ok(());
            }
            for made in self.make_batch(engine, batch)? {
                if makes.send(made).is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// What the witness has seen.
    pub(super) fn into_seen(self) -> Seen {
        self.seen
    }

    fn make_batch(
        &mut self,
        engine: &mut dyn EngineJob,
        batch: Vec<(PlannedFrame, Arc<Frame>)>,
    ) -> Result<Vec<MadeFrame>> {
        let faces = self.faces(&batch)?;
        let requests: Vec<_> = faces
            .iter()
            .map(|face| MouthRequest {
                track: face.track,
                planned: batch[face.position].0.mouth(),
                frame: &batch[face.position].1,
                face: &face.observation,
                strength: face.strength,
            })
            .collect();
        let answers = if requests.is_empty() { Vec::new() } else { engine.synthesize(&requests)? };
        if answers.len() != faces.len() {
            let (given, asked) = (answers.len(), faces.len());
            return Err(Error::internal(format!("the engine gave {given} answers to {asked} requests")));
        }
        let draft = |(planned, frame)| Draft { planned, frame, patches: Vec::new() };
        let mut drafts: Vec<_> = batch.into_iter().map(draft).collect();
        for (face, patch) in faces.iter().zip(answers) {
            drafts[face.position].patches.extend(patch);
        }
        if let Some(enhancement) = self.renderer.enhancement {
            let started = Instant::now();
            self.enhance(enhancement, &faces, &mut drafts)?;
            self.renderer.enhanced_us.fetch_add(started.elapsed().as_micros() as u64, Ordering::Relaxed);
        }
        self.finish(drafts)
    }

    /// The faces of a batch whose lips move, frame by frame.
    fn faces(&self, batch: &[(PlannedFrame, Arc<Frame>)]) -> Result<Vec<Face>> {
        let mut faces = Vec::new();
        for (position, (planned, _)) in batch.iter().enumerate() {
            for face in self.renderer.plan.faces() {
                let state = face.state(planned);
                if !state.is_moved() {
                    continue;
                }
                if let Some(observation) = face_in(&self.renderer.analysis.tracks, face.track, planned)? {
                    faces.push(Face { position, track: face.track, observation, strength: state.strength });
                }
            }
        }
        Ok(faces)
    }

    /// Lays a patch over every face of a batch that has one from the engine, or could have had: what comes and goes would
    /// flicker.
    fn enhance(&self, enhancement: &Enhancement, faces: &[Face], drafts: &mut [Draft]) -> Result<()> {
        for (part, drafts) in drafts.chunks_mut(ENHANCED_FRAMES).enumerate() {
            if self.renderer.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let start = part * ENHANCED_FRAMES;
            let is_here = |face: &&Face| (start..start + drafts.len()).contains(&face.position);
            let faces: Vec<&Face> = faces.iter().filter(is_here).collect();
            if faces.is_empty() {
                continue;
            }
            let blended = |draft: &Draft| composited(Arc::clone(&draft.frame), &draft.patches);
            let synced = drafts.par_iter().map(blended).collect::<Result<Vec<_>>>()?;
            let requests: Vec<_> = faces
                .iter()
                .map(|face| EnhanceRequest {
                    frame: &synced[face.position - start],
                    face: &face.observation,
                    strength: face.strength,
                })
                .collect();
            let patches = enhancement.patches(&self.renderer.clip.info().colour, &requests)?;
            for (face, patch) in faces.iter().zip(patches) {
                drafts[face.position - start].patches.extend(patch);
            }
        }
        Ok(())
    }

    /// Blends every draft with its patches, which end here: they are as large as the frames.
    fn finish(&mut self, drafts: Vec<Draft>) -> Result<Vec<MadeFrame>> {
        let planned: Vec<PlannedFrame> = drafts.iter().map(|draft| draft.planned).collect();
        let sources = self
            .witness
            .as_ref()
            .map(|_| drafts.iter().map(|draft| Arc::clone(&draft.frame)).collect::<Vec<_>>());
        let with_mask = self.with_mask;
        let made: Vec<MadeFrame> =
            drafts.into_par_iter().map(|draft| draft.finish(with_mask)).collect::<Result<_>>()?;
        if let (Some(witness), Some(sources)) = (self.witness, sources) {
            for ((planned, source), made) in planned.iter().zip(&sources).zip(&made) {
                witness.see(planned, source, &made.frame, &mut self.seen)?;
            }
        }
        Ok(made)
    }
}

impl Draft {
    fn finish(self, with_mask: bool) -> Result<MadeFrame> {
        let Self { planned, frame, patches } = self;
        let mask = with_mask.then(|| match planned.blend {
            Some(_) => mask_of_blend(&frame, planned.pts),
            None => mask_frame(&frame, &patches, planned.pts),
        });
        let mut frame = composited(frame, &patches)?;
        frame.pts = planned.pts;
        Ok(MadeFrame { frame, mask, is_changed: !patches.is_empty() })
    }
}

/// The frame with its patches blended over it. A frame that somebody else holds, because it is shown several times on
/// end or is still to be looked at, is copied.
fn composited(frame: Arc<Frame>, patches: &[Patch]) -> Result<Frame> {
    let mut frame = Arc::unwrap_or_clone(frame);
    patches.iter().try_for_each(|patch| composite(&mut frame, patch))?;
    Ok(frame)
}
