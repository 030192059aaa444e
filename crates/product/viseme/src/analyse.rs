//! The first pass over the video: every face is followed, and the engine studies those whose lips may move.

use crate::clip::{Clip, RangeReader, TimeRange};
use crate::foreseen::{FRAMES_AHEAD, Foreseen, look_ahead};
use crate::people::{LikenessRecorder, Likenesses};
use crate::threads::{join, room, spawn};
use crate::times::FrameTimes;
use crossbeam_channel::{Receiver, bounded};
use std::collections::BTreeSet;
use std::path::Path;
use viseme_core::{Error, FrameIndex, Limits, Observer, Progress, Result, Stage, Timebase, Warning};
use viseme_engines::EngineJob;
use viseme_face::framing::AnalysisImage;
use viseme_face::{
    FaceChoice, FaceNets, FaceObservation, Track, TrackId, TrackRecorder, TrackStore, Tracker, TrackerOptions,
};
use viseme_imaging::Frame;

/// A face smaller than this share of the largest in the frame, by area, does not become the largest face of its
/// shot. Generous, since tracks are compared over all of their frames.
pub(crate) const CANDIDATE_AREA: f32 = 0.5;

/// Frames per second of the video that is made of a picture.
const STILL_FPS: u32 = 25;

/// What the first pass found.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// The number in the clip of the first frame of the range.
    pub(crate) first: FrameIndex,
    /// Times of the frames of the range.
    pub(crate) times: FrameTimes,
    /// Every face. Frames are counted from the start of the range.
    pub(crate) tracks: TrackStore,
    /// A few pictures of every face.
    pub(crate) likenesses: Likenesses,
    /// The faces that the engine has studied.
    pub(crate) studied: BTreeSet<TrackId>,
    /// What was wrong with the video.
    pub(crate) warnings: Vec<Warning>,
}

impl Analysis {
    /// The same with faces that are smoothed over time so strongly, 0 to 1.
    pub(crate) fn with_smoothing(self, smoothing: f32) -> Self {
        Self { tracks: self.tracks.with_smoothing(smoothing), ..self }
    }
}

/// What is shown each frame of the first pass, with its number in the range and its faces.
pub(crate) type Visit<'a> = dyn FnMut(FrameIndex, &Frame, &[(TrackId, FaceObservation)]) -> Result<()> + 'a;

/// What the first pass works with.
#[derive(Debug)]
pub(crate) struct Analyst<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) range: TimeRange,
    pub(crate) nets: &'a FaceNets,
    pub(crate) choice: FaceChoice,
    pub(crate) limits: &'a Limits,
    /// The folder of the job.
    pub(crate) work_dir: &'a Path,
}

impl Analyst<'_> {
    /// Looks at every frame of the range. Without an engine the faces are only followed.
    ///
    /// # Errors
    /// As [`watch`](Self::watch), and whatever the engine meets.
    pub(crate) fn analyse(
        &self,
        mut engine: Option<&mut dyn EngineJob>,
        observer: &dyn Observer,
    ) -> Result<Analysis> {
        let mut studied = BTreeSet::new();
        let mut study =
            |index: FrameIndex, frame: &Frame, faces: &[(TrackId, FaceObservation)]| match &mut engine {
                Some(engine) => self.study(*engine, index, frame, faces, &mut studied),
                None => Ok(()),
            };
        let analysis = self.watch(&mut study, observer)?;
        Ok(Analysis { studied, ..analysis })
    }

    /// Follows the faces through every frame of the range and shows each frame with its faces to `visit`.
    ///
    /// # Errors
    /// `InvalidInput` when there is no frame in the range; `Cancelled`; whatever decoding, tracking or `visit` meet.
    pub(crate) fn watch(&self, visit: &mut Visit<'_>, observer: &dyn Observer) -> Result<Analysis> {
        let tracker = Tracker::new(self.nets.clone(), tracker_options(self.clip, self.limits));
        let (clip, foresight) = (self.clip, tracker.foresight());
        let reader = RangeReader::open(clip, self.range)?;
        let info = clip.info();
        let waiting = room(info.format.frame_bytes(info.width, info.height), FRAMES_AHEAD);
        std::thread::scope(|scope| {
            let (ahead, frames) = bounded(waiting);
            let reading = spawn(scope, "reading", move || look_ahead(clip, reader, &foresight, &ahead))?;
            let followed = self.follow(tracker, frames, visit, observer);
            // What broke off the frames is the cause of whatever came after.
            let warnings = join("reading", reading)?;
            Ok(Analysis { warnings, ..followed? })
        })
    }

    /// Follows the faces through `frames`.
    fn follow(
        &self,
        mut tracker: Tracker,
        frames: Receiver<Foreseen>,
        visit: &mut Visit<'_>,
        observer: &dyn Observer,
    ) -> Result<Analysis> {
        let mut recorder = TrackRecorder::create(self.work_dir)?;
        let mut likenesses = LikenessRecorder::create(self.work_dir)?;
        let mut times = FrameTimes::new(timebase(self.clip));
        let mut first = None;
        let (colour, total) = (&self.clip.info().colour, expected_frames(self.clip, self.range));
        for Foreseen { number, frame, detections } in frames {
            if observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let index = FrameIndex(times.len() as u64);
            first.get_or_insert(number);
            times.push(frame.pts);
            let faces = tracker.observe_foreseen(&frame, colour, index, detections)?;
            recorder.push(index, tracker.is_cut(), &faces)?;
            likenesses.see(index, AnalysisImage { frame: &frame, colour }, &faces)?;
            visit(index, &frame, &faces)?;
            observer.progress(Progress { stage: Stage::Analyse, done: index.0 + 1, total });
        }
        let first = first.ok_or_else(no_frame)?;
        if self.clip.is_still() {
            times = still_times();
        }
        let (tracks, likenesses) = (recorder.finish()?, likenesses.finish()?);
        let (studied, warnings) = (BTreeSet::new(), Vec::new());
        Ok(Analysis { first, times, tracks, likenesses, studied, warnings })
    }

    /// Shows the engine the faces that may be chosen in the end. A face that was shown once is shown to its end, so
    /// that the engine knows all of it.
    fn study(
        &self,
        engine: &mut dyn EngineJob,
        index: FrameIndex,
        frame: &Frame,
        faces: &[(TrackId, FaceObservation)],
        studied: &mut BTreeSet<TrackId>,
    ) -> Result<()> {
        let area = |face: &FaceObservation| face.bbox.width * face.bbox.height;
        let largest = faces.iter().map(|(_, face)| area(face)).fold(0.0, f32::max);
        for (track, face) in faces {
            let may_be_chosen = match self.choice {
                FaceChoice::All => true,
                FaceChoice::Nth(number) => u64::from(track.0) + 1 == u64::from(number),
                FaceChoice::Largest => area(face) >= CANDIDATE_AREA * largest,
            };
            if may_be_chosen || studied.contains(track) {
                engine.study(index, frame, *track, face)?;
                studied.insert(*track);
            }
        }
        Ok(())
    }
}

/// How the tracker looks at `clip`.
fn tracker_options(clip: &dyn Clip, limits: &Limits) -> TrackerOptions {
    TrackerOptions { max_faces: limits.faces, is_still: clip.is_still(), ..TrackerOptions::default() }
}

/// Checks that a face that was chosen by its number is there, where any is.
///
/// # Errors
/// `InvalidInput` when it is not.
pub(crate) fn check_face_number(tracks: &[Track], choice: FaceChoice) -> Result<()> {
    match choice {
        FaceChoice::Nth(number) if !tracks.is_empty() && number as usize > tracks.len() => {
            let found = tracks.len();
            Err(Error::invalid_input(format!("there is no face {number}: the video has {found}"))
                .with_hint("Faces are counted from 1 in order of appearance; `viseme faces` lists them."))
        }
        _ => Ok(()),
    }
}

/// The error for a range that the video does not reach.
pub(crate) fn no_frame() -> Error {
    Error::invalid_input("there is no frame in the chosen range")
        .with_hint("The start of the range must lie before the end of the video.")
}

/// The ticks in which the output is timed: those of the clip, or those of the video made of a picture.
pub(crate) fn timebase(clip: &dyn Clip) -> Timebase {
    let of_still = if clip.is_still() { Timebase::new(1, STILL_FPS) } else { None };
    of_still.unwrap_or(clip.info().timebase)
}

/// One frame, shown for one tick.
fn still_times() -> FrameTimes {
    let mut times = FrameTimes::new(Timebase::new(1, STILL_FPS).unwrap_or(Timebase::MICROSECOND));
    times.push(viseme_core::Pts(0));
    times.set_last_duration(1);
    times
}

/// How many frames the range holds, as far as the container knows.
fn expected_frames(clip: &dyn Clip, range: TimeRange) -> Option<u64> {
    let info = clip.info();
    if clip.is_still() {
        return Some(1);
    }
    if range == TimeRange::default() && info.frame_count.is_some() {
        return info.frame_count;
    }
    let end_s = range.end_s.unwrap_or(f64::INFINITY).min(info.duration_s);
    let length_s = end_s - range.start_s.unwrap_or(0.0);
    (length_s > 0.0).then(|| (length_s * info.average_frame_rate.value()).round() as u64)
}
