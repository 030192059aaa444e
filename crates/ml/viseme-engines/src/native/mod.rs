//! The native engine: moves the mouth that the source shows, with nothing to download.
//!
//! A small net turns speech into the motion of 85 points of mouth, jaw and cheeks. Each frame is warped so that these
//! points lie where the speech wants them, and the mouth itself is borrowed from the frame of the same video whose
//! mouth comes nearest. Where the video never shows an open mouth, its inside is drawn.

mod bank;
mod borrowed;
mod crops;
mod expected;
mod face;
mod features;
mod grid;
mod interior;
mod kept;
mod motion;
mod neutral;
mod overlay;
mod placement;
mod render;
mod shape;
mod space;
mod still;
mod study;
mod teeth;

use crate::engine::{
    EngineInfo, EngineJob, JobContext, LocalEngine, MouthPlan, MouthRequest, SpeechSummary, VoiceId,
    never_heard, never_planned,
};
pub use expected::ExpectedMouth;
use face::SpeakingFace;
use motion::{Listener, SpeechNet};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use study::TrackStudy;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::{FrameIndex, Result};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch};
use viseme_models::Runtime;

/// How the native engine speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NativeOptions {
    /// Scales all motion of the mouth: 1 as measured, 0 for lips that stay shut.
    pub expression: f32,
    /// Whether the head of a single picture moves a little and its eyes blink.
    pub animate_still: bool,
}

impl Default for NativeOptions {
    fn default() -> Self {
        Self { expression: 1.0, animate_still: false }
    }
}

/// The engine that is always there.
#[derive(Debug)]
pub struct NativeEngine {
    info: EngineInfo,
    options: NativeOptions,
    net: Arc<SpeechNet>,
}

impl NativeEngine {
    /// Loads the embedded net.
    ///
    /// # Errors
    /// When `runtime` cannot read it.
    pub fn new(options: NativeOptions, runtime: &dyn Runtime) -> Result<Self> {
        let net = SpeechNet::embedded(runtime)?;
        Ok(Self {
            info: EngineInfo {
                name: "native",
                description: "built in: warps the source's own mouth, full resolution, nothing to download",
                sample_rate_hz: SAMPLE_RATE_HZ,
                at_once: 1,
            },
            options,
            net: Arc::new(net),
        })
    }
}

impl LocalEngine for NativeEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn begin(&self, context: JobContext) -> Result<Box<dyn EngineJob>> {
        Ok(Box::new(NativeJob {
            context,
            options: self.options,
            net: Arc::clone(&self.net),
            listeners: BTreeMap::new(),
            studies: BTreeMap::new(),
            faces: BTreeMap::new(),
        }))
    }

    /// Neither expression nor animation changes what is studied.
    fn study_key(&self) -> Option<String> {
        Some(String::new())
    }
}

/// A job: first the studies of its faces grow, then each planned face is turned into one that speaks.
#[derive(Debug)]
struct NativeJob {
    context: JobContext,
    options: NativeOptions,
    net: Arc<SpeechNet>,
    listeners: BTreeMap<VoiceId, Listener>,
    studies: BTreeMap<TrackId, TrackStudy>,
    faces: BTreeMap<TrackId, SpeakingFace>,
}

impl EngineJob for NativeJob {
    fn study(
        &mut self,
        index: FrameIndex,
        frame: &Frame,
        track: TrackId,
        face: &FaceObservation,
    ) -> Result<()> {
        let study = match self.studies.entry(track) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let path = self.context.work_dir.join(format!("mouths-{}.planes", track.0));
                entry.insert(TrackStudy::begin(&path, self.context.format)?)
            }
        };
        study.see(index, frame, &self.context.colour, face)
    }

    fn save_study(&mut self, folder: &Path) -> Result<()> {
        kept::save(&mut self.studies, folder)
    }

    fn restore_study(&mut self, folder: &Path) -> Result<()> {
        self.studies = kept::restore(folder, self.context.format)?;
        Ok(())
    }

    fn listen(&mut self, voice: VoiceId, samples: &[f32]) -> Result<()> {
        self.listeners.entry(voice).or_insert_with(Listener::new).hear(samples);
        Ok(())
    }

    fn rest(&mut self, voice: VoiceId, samples: u64) -> Result<()> {
        self.listeners.entry(voice).or_insert_with(Listener::new).rest(samples);
        Ok(())
    }

    fn prepare(&mut self, plans: &[MouthPlan]) -> Result<BTreeMap<VoiceId, SpeechSummary>> {
        let (mut motions, mut summaries) = (BTreeMap::new(), BTreeMap::new());
        for (voice, mut listener) in std::mem::take(&mut self.listeners) {
            let motion = Arc::new(self.net.motion(&listener.finish(), listener.rests())?);
            let (duration_s, voiced_s) = (listener.duration_s(), motion.voiced_s());
            summaries.insert(voice, SpeechSummary { duration_s, voiced_s });
            motions.insert(voice, motion);
        }
        for plan in plans {
            let motion = motions.get(&plan.voice).ok_or_else(|| never_heard(plan.voice))?;
            let Some(study) = self.studies.remove(&plan.track) else { continue };
            let space = &self.net.space;
            if let Some(face) =
                SpeakingFace::prepare(study, plan, motion, space, self.options, &self.context)?
            {
                self.faces.insert(plan.track, face);
            }
        }
        Ok(summaries)
    }

    fn synthesize(&self, requests: &[MouthRequest<'_>]) -> Result<Vec<Option<Patch>>> {
        let speak = |request: &MouthRequest<'_>| {
            let face = self.faces.get(&request.track);
            face.ok_or_else(|| never_planned(request.track))?.speak(request)
        };
        requests.iter().map(speak).collect()
    }
}
