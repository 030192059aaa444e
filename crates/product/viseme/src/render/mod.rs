//! The second pass over the video: one thread reads, several make a frame each, and one writes, in output order.

mod maker;

use crate::analyse::Analysis;
use crate::clip::Clip;
use crate::evidence::{Seen, Witness};
use crate::plan::{Plan, PlannedFrame};
use crate::source::PlannedFrames;
use crate::threads::{cores, give_way, join, room, spawn};
use crossbeam_channel::{Receiver, Sender, bounded};
use maker::Maker;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use viseme_core::{Error, Observer, Progress, Result, Stage};
use viseme_engines::{EngineJob, Enhancement, FrameInterpolator};
use viseme_imaging::Frame;
use viseme_media::{FrameSink, WrittenVideo};

/// Most frames that wait, to be made or to be written.
const WAITING_FRAMES: usize = 8;

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
    /// Frames that the engine makes best at one time; never fewer than one for every core.
    pub(crate) at_once: usize,
    /// What makes the pictures at the boundaries of a loop, besides our own flow.
    pub(crate) interpolator: Option<&'a dyn FrameInterpolator>,
    /// What happens to the faces after the engine.
    pub(crate) enhancement: Option<&'a Enhancement>,
    /// How long that took so far. Held by whoever is at it.
    pub(crate) enhancing: Mutex<Duration>,
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

/// A frame on its way to a maker.
struct Order {
    planned: PlannedFrame,
    frame: Arc<Frame>,
    /// Its place among those that are written.
    place: Sender<MadeFrame>,
}

/// A frame on its way to the encoder.
struct MadeFrame {
    planned: PlannedFrame,
    frame: Frame,
    /// As it was, where somebody wants to compare.
    source: Option<Arc<Frame>>,
    /// What was changed of it, where that is asked for.
    mask: Option<Frame>,
    is_changed: bool,
}

/// What is being written: from which frame on, and how many of them.
struct Writing<'a> {
    sinks: Sinks<'a>,
    seen: Seen,
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
        engine: &dyn EngineJob,
        frames: Range<u64>,
        sinks: Sinks<'_>,
    ) -> Result<Rendered> {
        let (with_mask, with_source) = (sinks.mask.is_some(), sinks.witness.is_some());
        let maker = Maker { renderer: self, engine, with_mask, with_source };
        let info = self.clip.info();
        let waiting = room(info.format.frame_bytes(info.width, info.height), WAITING_FRAMES);
        let makers = self.at_once.max(cores());
        // Every frame that was read and is not yet written has its place, so no more than these are in memory.
        let (places, made) = bounded(waiting + makers);
        let (orders, ordered) = bounded(waiting);
        let planned = frames.end - frames.start;
        let writing = Writing { sinks, seen: Seen::default(), first: frames.start, written: 0, changed: 0 };
        let writing = std::thread::scope(|scope| {
            let writer = spawn(scope, "writing", move || self.write(writing, &made))?;
            let start = |orders: Receiver<Order>| {
                spawn(scope, "making", move || {
                    // The threads of the encoder wait for each other at every frame: whoever holds up one holds up all. Makers are
                    // frames ahead and work when it does not.
                    give_way();
                    make(maker, &orders)
                })
            };
            let making = std::iter::repeat_n(ordered, makers).map(start).collect::<Result<Vec<_>>>()?;
            let reading = self.read(frames, &places, &orders);
            // The other threads wait for the other end of a channel as long as we hold it.
            drop((places, orders));
            let making = making.into_iter().map(|maker| join("making", maker)).fold(Ok(()), Result::and);
            // A thread that failed is the cause; the others only saw their channel close.
            let writing = join("writing", writer);
            reading.and(making).and(writing)
        })?;
        let Writing { sinks: Sinks { video, mask, .. }, seen, written, changed, .. } = writing;
        if written != planned {
            return Err(Error::internal(format!(
                "{written} of {planned} planned frames reached the encoder"
            )));
        }
        let video = video.finish()?;
        let mask = mask.map(FrameSink::finish).transpose()?;
        Ok(Rendered { video, mask, changed, seen, resumed: None })
    }

    /// Reads, and gives every frame a place among those that are written and to one of the makers.
    fn read(
        &self,
        frames: Range<u64>,
        places: &Sender<Receiver<MadeFrame>>,
        orders: &Sender<Order>,
    ) -> Result<()> {
        let mut frames = PlannedFrames::new(self.clip, self.analysis, self.plan, self.interpolator, frames);
        while let Some((planned, frame)) = frames.next_frame()? {
            let (place, made) = bounded(1);
            if places.send(made).is_err() || orders.send(Order { planned, frame, place }).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Encodes and counts. Gives the sinks back, not yet finished: only a whole video is.
    fn write<'s>(&self, mut to: Writing<'s>, places: &Receiver<Receiver<MadeFrame>>) -> Result<Writing<'s>> {
        // A place without a frame is that of a maker that failed.
        for MadeFrame { planned, frame, source, mask, is_changed } in
            places.iter().map_while(|p| p.recv().ok())
        {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            if let (Some(witness), Some(source)) = (to.sinks.witness, &source) {
                witness.see(&planned, source, &frame, &mut to.seen)?;
            }
            if let (Some(sink), Some(mask)) = (&mut to.sinks.mask, &mask) {
                sink.write(mask)?;
            }
            to.sinks.video.write(&frame)?;
            to.written += 1;
            to.changed += u64::from(is_changed);
            let total = Some(self.plan.len());
            self.observer.progress(Progress { stage: Stage::Render, done: to.first + to.written, total });
        }
        Ok(to)
    }
}

/// Makes frame after frame, until there are no more or nobody takes them.
fn make(maker: Maker<'_>, orders: &Receiver<Order>) -> Result<()> {
    for Order { planned, frame, place } in orders {
        if place.send(maker.make(planned, frame)?).is_err() {
            break;
        }
    }
    Ok(())
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
            at_once: 3,
            interpolator: None,
            enhancement: None,
            enhancing: Mutex::default(),
            observer: &Silent,
        };
        let sinks = Sinks { video, mask: Some(mask), witness: None };
        renderer.render(engine.begin(context)?.as_ref(), 0..plan.len(), sinks)
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
