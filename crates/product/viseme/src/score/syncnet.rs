//! `SyncNet` over a video, as `run_pipeline.py` and `run_syncnet.py` of `joonson/syncnet_python` do it.
//!
//! The reference makes files on its way: the video at 25 frames a second, its frames as JPEG, crops as XVID. Here frames
//! are chosen by time and stay as they were decoded, and faces are those of our tracker.

use super::hearing::Sound;
use super::{SyncNetScore, SyncNetScores};
use crate::analyse::Analysis;
use crate::clip::{Clip, FileClip, RangeReader, TimeRange};
use crate::ticks::{Samples, Ticks};
use std::collections::BTreeMap;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::{Error, FrameIndex, Limits, Observer, Progress, Result, Stage};
use viseme_engines::metrics::syncnet::{SAMPLES_PER_FRAME, SyncScore};
use viseme_engines::metrics::syncnet_crop::{CropRect, crop_rects};
use viseme_engines::metrics::syncnet_picture::syncnet_picture;
use viseme_engines::metrics::syncnet_track::{SyncNet, SyncNetTrack};
use viseme_face::TrackId;
use viseme_media::Tools;
use viseme_models::{ModelFile, RuntimeRequest, Runtimes, Store};

/// The name of the model in the store, and of its parts.
const MODEL: &str = "syncnet_v2";
const LIP: &str = "lip";
const AUDIO: &str = "audio";

/// Shorter faces are left out, as in the reference (`min_track`).
const LEAST_FRAMES: usize = 100;

/// The nets of this machine.
#[derive(Debug)]
pub(super) struct Installed {
    nets: SyncNet,
}

/// One face among the frames of 25 a second.
struct Face {
    id: TrackId,
    /// The first of them in which it is seen.
    first: u64,
    crops: Vec<CropRect>,
    track: SyncNetTrack,
}

impl Installed {
    /// Loads the nets for whatever `request` asks for.
    ///
    /// # Errors
    /// Why they cannot be used; the hint is the command that installs them.
    pub(super) fn find(request: RuntimeRequest) -> Result<Self> {
        let store = Store::open()?;
        let model = store.model(MODEL)?;
        let file = |part: &str| -> Result<ModelFile> {
            Ok(ModelFile::file(format!("{MODEL} ({part})"), &model.graph(part)?.path))
        };
        let runtimes = Runtimes::find(request, Some(&store.runtimes_folder()))?;
        Ok(Self { nets: SyncNet::load(&runtimes, &file(LIP)?, &file(AUDIO)?)? })
    }

    /// Scores the chosen faces; `sound` with the moment of it at which the first frame is shown, in seconds.
    ///
    /// # Errors
    /// When the video or the sound cannot be decoded, or a net fails; `Cancelled`.
    #[expect(clippy::too_many_arguments, reason = "what a pass over picture and sound needs")]
    pub(super) fn score(
        &self,
        tools: &Tools,
        clip: &FileClip<'_>,
        analysis: &Analysis,
        chosen: &[TrackId],
        (sound, lead_s): (&Sound, f64),
        limits: &Limits,
        observer: &dyn Observer,
    ) -> Result<SyncNetScores> {
        let ticks = Ticks::new(&analysis.times);
        let mut faces = self.faces(&ticks, analysis, chosen);
        let mut scores = BTreeMap::new();
        let Some(last) = faces.iter().map(Face::end).max() else { return Ok(scores) };
        let mut reader = RangeReader::open(clip, TimeRange::default())?;
        let mut samples = Samples::open(sound.open(tools, SAMPLE_RATE_HZ, limits)?, lead_s)?;
        let (mut frame, mut source) = (None, None);
        for tick in 0..last {
            if observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let wanted = ticks.source(tick);
            while source.is_none_or(|source| source < wanted) {
                frame = Some(reader.next_frame()?.ok_or_else(crate::analyse::no_frame)?.1);
                source = Some(source.map_or(0, |source| source + 1));
            }
            let heard = samples.take(SAMPLES_PER_FRAME as usize)?;
            for face in faces.iter_mut().filter(|face| (face.first..face.end()).contains(&tick)) {
                let Some(frame) = &frame else { continue };
                let crop = &face.crops[(tick - face.first) as usize];
                face.track.push(syncnet_picture(frame, &clip.info().colour, crop)?, &heard)?;
            }
            for done in faces.extract_if(.., |face| face.end() == tick + 1) {
                scores.extend(done.track.finish()?.map(|score| (done.id, SyncNetScore::of(&score))));
            }
            observer.progress(Progress { stage: Stage::Score, done: tick + 1, total: Some(last) });
        }
        Ok(scores)
    }

    /// The chosen faces that are long enough.
    fn faces(&self, ticks: &Ticks<'_>, analysis: &Analysis, chosen: &[TrackId]) -> Vec<Face> {
        let tracks = chosen.iter().filter_map(|&id| analysis.tracks.track(id));
        let face = |track: &viseme_face::Track| {
            let seen: Vec<(u64, [f64; 4])> = (0..ticks.len())
                .filter_map(|tick| {
                    let bbox = track.summary(FrameIndex(ticks.source(tick)))?.bbox;
                    let corners = [bbox.x, bbox.y, bbox.x + bbox.width, bbox.y + bbox.height];
                    Some((tick, corners.map(f64::from)))
                })
                .collect();
            let first = seen.first()?.0;
            let boxes: Vec<[f64; 4]> = seen.into_iter().map(|(_, corners)| corners).collect();
            let track = SyncNetTrack::new(self.nets.clone());
            let face = Face { id: TrackId(0), first, crops: crop_rects(&boxes), track };
            (boxes.len() >= LEAST_FRAMES).then_some(face)
        };
        tracks.filter_map(|track| Some(Face { id: track.id, ..face(track)? })).collect()
    }
}

impl Face {
    /// The frame of 25 a second after its last.
    fn end(&self) -> u64 {
        self.first + self.crops.len() as u64
    }
}

impl SyncNetScore {
    fn of(score: &SyncScore) -> Self {
        Self {
            lse_c: score.confidence,
            lse_d: score.distance,
            offset_frames: score.offset,
            windows: score.distances.len() as u64,
        }
    }
}
