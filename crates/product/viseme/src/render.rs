//! The second pass over the video: three threads read, make and write, and frames flow through them in output order.

use crate::analyse::Analysis;
use crate::clip::Clip;
use crate::evidence::{Evidence, Witness};
use crate::loops::faces::face_in;
use crate::mask::{mask_frame, mask_of_blend};
use crate::plan::{Plan, PlannedFrame};
use crate::source::PlannedFrames;
use crate::threads::{channel, join, spawn};
use crossbeam_channel::{Receiver, Sender};
use rayon::prelude::*;
use std::sync::Arc;
use viseme_core::{Error, Observer, Progress, Result, Stage};
use viseme_engines::{EngineJob, EnhanceRequest, Enhancement, MouthRequest};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch, composite};
use viseme_media::{FrameSink, WrittenVideo};

/// Most bytes of frames that the engine gets at once, unless it takes more to give every core a frame. A frame's
/// patch is about as large again.
const BATCH_BYTES: usize = 8 << 20;
/// Most frames that the engine gets at once.
const BATCH_FRAMES: usize = 16;
/// Frames whose faces are enhanced at once: a face takes seconds on a processor, and 6 MB. Between them the job can end.
const ENHANCED_FRAMES: usize = 2;

/// Where the frames go.
pub(crate) struct Sinks<'a> {
    /// The video.
    pub(crate) video: Box<dyn FrameSink>,
    /// The video of what was changed.
    pub(crate) mask: Option<Box<dyn FrameSink>>,
    /// What keeps a little of every frame for the report.
    pub(crate) witness: Option<Witness<'a>>,
}

/// What the second pass works with.
pub(crate) struct Renderer<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) analysis: &'a Analysis,
    pub(crate) plan: &'a Plan,
    /// What happens to the faces after the engine.
    pub(crate) enhancement: Option<&'a Enhancement>,
    pub(crate) observer: &'a dyn Observer,
}

/// What the second pass made.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The video, without sound.
    pub(crate) video: WrittenVideo,
    /// The video of what was changed.
    pub(crate) mask: Option<WrittenVideo>,
    /// Frames with at least one changed mouth.
    pub(crate) changed: u64,
    /// What was kept for the report.
    pub(crate) evidence: Evidence,
}

/// A frame on its way from the engine to the encoder.
struct MadeFrame {
    planned: PlannedFrame,
    frame: Arc<Frame>,
    patches: Vec<Patch>,
}

impl MadeFrame {
    /// The frame with its patches blended over it.
    fn composited(&self) -> Result<Frame> {
        let mut frame = Frame::clone(&self.frame);
        self.patches.iter().try_for_each(|patch| composite(&mut frame, patch))?;
        Ok(frame)
    }
}

/// A face of a batch: which frame it is in, who it is, and how much of the effect it gets.
struct Face {
    position: usize,
    track: TrackId,
    observation: FaceObservation,
    strength: f32,
}

impl Renderer<'_> {
    /// Makes and writes every planned frame.
    ///
    /// # Errors
    /// `Cancelled`; whatever decoding, the engine or encoding meet; `Internal` when not every planned frame arrived.
    pub(crate) fn render(&self, engine: &mut dyn EngineJob, sinks: Sinks<'_>) -> Result<Rendered> {
        let info = self.clip.info();
        let frame_bytes = info.format.frame_bytes(info.width, info.height);
        let (reads, read) = channel(frame_bytes);
        // A patch is floats: its bytes are of the order of the whole frame's.
        let (makes, made) = channel(2 * frame_bytes);
        let (sinks, written, changed) = std::thread::scope(move |scope| {
            let reader = spawn(scope, "reading", move || self.read(&reads))?;
            let writer = spawn(scope, "writing", move || self.write(sinks, &made))?;
            let making = self.make(engine, frame_bytes, &read, &makes);
            // Both threads wait for each other's end of a channel as long as we hold it.
            drop((read, makes));
            let (reading, writing) = (join("reading", reader), join("writing", writer));
            // A thread that failed is the cause; the others only saw their channel close.
            reading.and(making).and(writing)
        })?;
        if written != self.plan.len() {
            let planned = self.plan.len();
            return Err(Error::internal(format!(
                "{written} of {planned} planned frames reached the encoder"
            )));
        }
        let video = sinks.video.finish()?;
        let mask = sinks.mask.map(FrameSink::finish).transpose()?;
        let evidence = sinks.witness.map(Witness::finish).unwrap_or_default();
        Ok(Rendered { video, mask, changed, evidence })
    }

    fn read(&self, reads: &Sender<(PlannedFrame, Arc<Frame>)>) -> Result<()> {
        let mut frames = PlannedFrames::new(self.clip, self.analysis, self.plan);
        while let Some(frame) = frames.next_frame()? {
            if reads.send(frame).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn make(
        &self,
        engine: &mut dyn EngineJob,
        frame_bytes: usize,
        read: &Receiver<(PlannedFrame, Arc<Frame>)>,
        makes: &Sender<MadeFrame>,
    ) -> Result<()> {
        let cores = rayon::current_num_threads();
        let batch_frames = (BATCH_BYTES / frame_bytes.max(1)).max(cores).min(BATCH_FRAMES);
        loop {
            let batch: Vec<_> = read.iter().take(batch_frames).collect();
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

    fn make_batch(
        &self,
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
        let made = |(planned, frame)| MadeFrame { planned, frame, patches: Vec::new() };
        let mut frames: Vec<_> = batch.into_iter().map(made).collect();
        for (face, patch) in faces.iter().zip(answers) {
            frames[face.position].patches.extend(patch);
        }
        if let Some(enhancement) = self.enhancement {
            self.enhance(enhancement, &faces, &mut frames)?;
        }
        Ok(frames)
    }

    /// Lays a patch over every face of a batch that has one from the engine, or could have had: what comes and goes would
    /// flicker.
    fn enhance(&self, enhancement: &Enhancement, faces: &[Face], frames: &mut [MadeFrame]) -> Result<()> {
        for (part, frames) in frames.chunks_mut(ENHANCED_FRAMES).enumerate() {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let start = part * ENHANCED_FRAMES;
            let is_here = |face: &&Face| (start..start + frames.len()).contains(&face.position);
            let faces: Vec<&Face> = faces.iter().filter(is_here).collect();
            if faces.is_empty() {
                continue;
            }
            let synced = frames.par_iter().map(MadeFrame::composited).collect::<Result<Vec<_>>>()?;
            let requests: Vec<_> = faces
                .iter()
                .map(|face| EnhanceRequest {
                    frame: &synced[face.position - start],
                    face: &face.observation,
                    strength: face.strength,
                })
                .collect();
            let patches = enhancement.patches(&self.clip.info().colour, &requests)?;
            for (face, patch) in faces.iter().zip(patches) {
                frames[face.position - start].patches.extend(patch);
            }
        }
        Ok(())
    }

    /// The faces of a batch whose lips move, frame by frame.
    fn faces(&self, batch: &[(PlannedFrame, Arc<Frame>)]) -> Result<Vec<Face>> {
        let mut faces = Vec::new();
        for (position, (planned, _)) in batch.iter().enumerate() {
            for face in self.plan.faces() {
                let state = face.state(planned.source);
                if state.skip.is_some() {
                    continue;
                }
                if let Some(observation) = face_in(&self.analysis.tracks, face.track, planned)? {
                    faces.push(Face { position, track: face.track, observation, strength: state.strength });
                }
            }
        }
        Ok(faces)
    }

    /// Blends, encodes and counts. Gives the sinks back, not yet finished: only a whole video is.
    fn write<'w>(&self, mut sinks: Sinks<'w>, made: &Receiver<MadeFrame>) -> Result<(Sinks<'w>, u64, u64)> {
        let (mut written, mut changed) = (0, 0);
        for MadeFrame { planned, frame, patches } in made {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            if let Some(mask) = &mut sinks.mask {
                let changed = if planned.blend.is_some() {
                    mask_of_blend(&frame, planned.pts)
                } else {
                    mask_frame(&frame, &patches, planned.pts)
                };
                mask.write(&changed)?;
            }
            if let Some(witness) = &mut sinks.witness {
                witness.see_before(&planned, &frame)?;
            }
            // Only a frame that is shown several times on end is shared, and copied here.
            let mut frame = Arc::unwrap_or_clone(frame);
            frame.pts = planned.pts;
            for patch in &patches {
                composite(&mut frame, patch)?;
            }
            if let Some(witness) = &mut sinks.witness {
                witness.see_after(&planned, &frame)?;
            }
            sinks.video.write(&frame)?;
            written += 1;
            changed += u64::from(!patches.is_empty());
            let total = Some(self.plan.len());
            self.observer.progress(Progress { stage: Stage::Render, done: written, total });
        }
        Ok((sinks, written, changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::LoopMode;
    use crate::source::tests::{MemoryClip, planned};
    use viseme_core::geometry::PixelRect;
    use viseme_core::{ErrorKind, Pts, Silent};
    use viseme_engines::{JobContext, LocalEngine};
    use viseme_testing::{FakeEngine, FakePatch, FakeSink};

    /// Renders `output` frames of a clip that is `clip` in the second pass and had `seen` frames in the first.
    fn render(clip: &MemoryClip, seen: usize, output: u64, sinks: [&FakeSink; 2]) -> Result<Rendered> {
        let analysis = MemoryClip::new(seen).analysis();
        let plan = planned(&analysis, output, LoopMode::Repeat);
        let region = PixelRect { x: 0, y: 0, width: 4, height: 4 };
        let engine = FakeEngine::new(FakePatch { region, value: 0.0 });
        let context = JobContext {
            width: clip.info.width,
            height: clip.info.height,
            format: clip.info.format,
            colour: clip.info.colour.clone(),
            work_dir: std::path::PathBuf::new(),
            is_still: false,
        };
        let [video, mask] = sinks.map(|sink| Box::new(sink.clone()));
        let renderer =
            Renderer { clip, analysis: &analysis, plan: &plan, enhancement: None, observer: &Silent };
        renderer.render(engine.begin(context)?.as_mut(), Sinks { video, mask: Some(mask), witness: None })
    }

    #[test]
    fn every_planned_frame_arrives_once_in_order_at_its_time() {
        let (clip, video, mask) = (MemoryClip::new(30), FakeSink::default(), FakeSink::default());
        let rendered = render(&clip, 30, 70, [&video, &mask]).unwrap();
        assert_eq!((rendered.video.frames, rendered.changed), (70, 0));
        for sink in [&video, &mask] {
            let times: Vec<_> = sink.frames().iter().map(|frame| frame.pts).collect();
            assert_eq!(times, (0..70).map(|n| Pts(n * 40)).collect::<Vec<_>>());
        }
        let values: Vec<_> =
            video.frames().iter().map(|frame| frame.planes[0].value(0, 0) as usize).collect();
        assert_eq!(values, (0..70).map(|n| n % 30).collect::<Vec<_>>());
        assert!(mask.frames().iter().all(|frame| frame.planes[0].value(3, 3) < 0.5));
    }

    #[test]
    fn a_sink_that_fails_ends_the_other_threads_and_keeps_its_kind() {
        let clip = MemoryClip::new(200);
        let good = FakeSink::default();
        for frame in [0, 1, 99] {
            let full = FakeSink::failing_at(frame);
            for sinks in [[&full, &good], [&good, &full]] {
                let error = render(&clip, 200, 200, sinks).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
            }
        }
    }

    #[test]
    fn a_source_that_fails_is_the_cause_that_is_told() {
        let (clip, sink) = (MemoryClip::new(20), FakeSink::default());
        let error = render(&clip, 50, 50, [&sink, &sink]).unwrap_err();
        assert!(error.to_string().contains("fewer frames"), "{error}");
    }
}
