//! The second pass over the video: three threads read, make and write, and frames flow through them in output order.

mod maker;

use crate::analyse::Analysis;
use crate::clip::Clip;
use crate::evidence::{Seen, Witness};
use crate::plan::{Plan, PlannedFrame};
use crate::source::PlannedFrames;
use crate::threads::{channel, join, spawn};
use crossbeam_channel::{Receiver, Sender};
use maker::Maker;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use viseme_core::{Error, Observer, Progress, Result, Stage};
use viseme_engines::{EngineJob, Enhancement};
use viseme_imaging::Frame;
use viseme_media::{FrameSink, WrittenVideo};

/// Most frames that are read ahead.
const READ_FRAMES: usize = 8;

/// Where the frames go.
pub(crate) struct Sinks<'a> {
    /// The video.
    pub(crate) video: Box<dyn FrameSink>,
    /// The video of what was changed.
    pub(crate) mask: Option<Box<dyn FrameSink>>,
    /// What keeps a little of every frame for the report.
    pub(crate) witness: Option<&'a Witness<'a>>,
}

/// What the second pass works with.
pub(crate) struct Renderer<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) analysis: &'a Analysis,
    pub(crate) plan: &'a Plan,
    /// Mouths that the engine makes best at one time.
    pub(crate) batch: usize,
    /// What happens to the faces after the engine.
    pub(crate) enhancement: Option<&'a Enhancement>,
    /// How long that took so far, in microseconds.
    pub(crate) enhanced_us: AtomicU64,
    pub(crate) observer: &'a dyn Observer,
}

/// What the second pass made: the whole output, or a part of it.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The video, without sound.
    pub(crate) video: WrittenVideo,
    /// The video of what was changed.
    pub(crate) mask: Option<WrittenVideo>,
    /// Frames with at least one changed mouth.
    pub(crate) changed: u64,
    /// What was kept for the report.
    pub(crate) seen: Seen,
    /// Frames of it that an earlier run of the job had made, where what is made is kept.
    pub(crate) resumed: Option<u64>,
}

/// A frame on its way to the encoder.
struct MadeFrame {
    frame: Frame,
    /// What was changed of it, where that is asked for.
    mask: Option<Frame>,
    is_changed: bool,
}

/// What is being written: from which frame on, and how many of them.
struct Writing {
    video: Box<dyn FrameSink>,
    mask: Option<Box<dyn FrameSink>>,
    first: u64,
    written: u64,
    changed: u64,
}

impl Renderer<'_> {
    /// Makes and writes the planned `frames`, as if there were no others: what is made depends on them alone.
    ///
    /// # Errors
    /// `Cancelled`; whatever decoding, the engine or encoding meet; `Internal` when not every planned frame arrived.
    pub(crate) fn render(
        &self,
        engine: &mut dyn EngineJob,
        frames: Range<u64>,
        sinks: Sinks<'_>,
    ) -> Result<Rendered> {
        let info = self.clip.info();
        let frame_bytes = info.format.frame_bytes(info.width, info.height);
        let Sinks { video, mask, witness } = sinks;
        let mut maker = Maker::new(self, mask.is_some(), witness);
        let (reads, read) = channel(frame_bytes, READ_FRAMES);
        // There is room for a whole batch: the next one is made while it waits for the encoder.
        let (makes, made) = channel(frame_bytes, maker.batch_frames());
        let writing = Writing { video, mask, first: frames.start, written: 0, changed: 0 };
        let planned = frames.end - frames.start;
        let (writing, seen) = std::thread::scope(|scope| {
            let reader = spawn(scope, "reading", move || self.read(frames, &reads))?;
            let writer = spawn(scope, "writing", move || self.write(writing, &made))?;
            let making = maker.make(engine, &read, &makes);
            // Both threads wait for each other's end of a channel as long as we hold it.
            drop((read, makes));
            let (reading, writing) = (join("reading", reader), join("writing", writer));
            // A thread that failed is the cause; the others only saw their channel close.
            Ok((reading.and(making).and(writing)?, maker.into_seen()))
        })?;
        let Writing { video, mask, written, changed, .. } = writing;
        if written != planned {
            return Err(Error::internal(format!(
                "{written} of {planned} planned frames reached the encoder"
            )));
        }
        let video = video.finish()?;
        let mask = mask.map(FrameSink::finish).transpose()?;
        Ok(Rendered { video, mask, changed, seen, resumed: None })
    }

    fn read(&self, frames: Range<u64>, reads: &Sender<(PlannedFrame, Arc<Frame>)>) -> Result<()> {
        let mut frames = PlannedFrames::new(self.clip, self.analysis, self.plan, frames);
        while let Some(frame) = frames.next_frame()? {
            if reads.send(frame).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Encodes and counts. Gives the sinks back, not yet finished: only a whole video is.
    fn write(&self, mut to: Writing, made: &Receiver<MadeFrame>) -> Result<Writing> {
        for MadeFrame { frame, mask, is_changed } in made {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            if let (Some(sink), Some(mask)) = (&mut to.mask, &mask) {
                sink.write(mask)?;
            }
            to.video.write(&frame)?;
            to.written += 1;
            to.changed += u64::from(is_changed);
            let total = Some(self.plan.len());
            self.observer.progress(Progress { stage: Stage::Render, done: to.first + to.written, total });
        }
        Ok(to)
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
        let renderer = Renderer {
            clip,
            analysis: &analysis,
            plan: &plan,
            batch: 16,
            enhancement: None,
            enhanced_us: AtomicU64::new(0),
            observer: &Silent,
        };
        let sinks = Sinks { video, mask: Some(mask), witness: None };
        renderer.render(engine.begin(context)?.as_mut(), 0..plan.len(), sinks)
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
