//! An engine that paints a rectangle.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, FrameIndex, Result};
use viseme_engines::{
    EngineInfo, EngineJob, JobContext, LocalEngine, MouthPlan, MouthRequest, PlannedMouth, SpeechSummary,
    VoiceId,
};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch, PatchPlane};

/// Name of the file of a kept study.
const STUDY: &str = "fake.txt";

/// What the engine paints over every mouth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FakePatch {
    /// The region of the patch, its edges even. Its outermost samples have weight 0.
    pub region: PixelRect,
    /// The value of all new samples.
    pub value: f32,
}

/// What the engine was asked, for the test to look at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calls {
    /// Frames studied, in order.
    pub studied: Vec<(FrameIndex, TrackId)>,
    /// How often it went on from what another job kept.
    pub restored: usize,
    /// What was heard of each voice: samples at 16 kHz.
    pub heard: BTreeMap<VoiceId, Vec<f32>>,
    /// Mouths planned.
    pub planned: Vec<MouthPlan>,
    /// Mouths made, in order: whose they are, and their strength.
    pub made: Vec<(TrackId, PlannedMouth, f32)>,
}

/// When the engine misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Never.
    #[default]
    None,
    /// It gives an error for this output frame.
    ErrorAt(u64),
    /// It panics at this output frame.
    PanicAt(u64),
    /// It leaves out the answer for this output frame.
    SilenceAt(u64),
    /// It cannot keep what it studied.
    CannotSave,
    /// It cannot go on from what another job kept.
    CannotRestore,
}

/// Paints [`FakePatch`] over every mouth. Its clones share what they were asked.
#[derive(Debug, Clone)]
pub struct FakeEngine {
    info: EngineInfo,
    patch: FakePatch,
    fault: Fault,
    voiced: bool,
    keeps: bool,
    calls: Arc<Mutex<Calls>>,
}

impl FakeEngine {
    /// An engine that paints `patch` and hears voice in everything.
    #[must_use]
    pub fn new(patch: FakePatch) -> Self {
        let info = EngineInfo {
            name: "fake",
            description: "paints a rectangle",
            sample_rate_hz: 16_000,
            at_once: 3,
        };
        Self { info, patch, fault: Fault::None, voiced: true, keeps: false, calls: Arc::default() }
    }

    /// The same, but it misbehaves.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// The same, but it hears no voice.
    #[must_use]
    pub fn deaf(self) -> Self {
        Self { voiced: false, ..self }
    }

    /// The same, but another job can go on from what it studied.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// What it was asked so far, the mouths in output order: they are asked for in any.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        calls.made.sort_by_key(|(track, mouth, _)| (mouth.output, *track));
        calls
    }
}

impl LocalEngine for FakeEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn begin(&self, context: JobContext) -> Result<Box<dyn EngineJob>> {
        Ok(Box::new(FakeJob { engine: self.clone(), context }))
    }

    fn study_key(&self) -> Option<String> {
        self.keeps.then(String::new)
    }
}

#[derive(Debug)]
struct FakeJob {
    engine: FakeEngine,
    context: JobContext,
}

impl FakeJob {
    fn note(&self, change: impl FnOnce(&mut Calls)) {
        change(&mut self.engine.calls.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn patch(&self, strength: f32) -> Patch {
        let FakePatch { region, value } = self.engine.patch;
        let format = self.context.format;
        let plane = |plane: usize| {
            let PixelRect { width, height, .. } = format.plane_region(plane, region);
            let weight = |index: u32| {
                let (x, y) = (index % width, index / width);
                let is_edge = x == 0 || y == 0 || x == width - 1 || y == height - 1;
                if is_edge { 0.0 } else { strength }
            };
            let count = width * height;
            PatchPlane {
                width,
                height,
                values: vec![value; count as usize],
                mask: (0..count).map(weight).collect(),
            }
        };
        Patch { region, planes: (0..format.chroma.plane_count()).map(plane).collect() }
    }
}

impl EngineJob for FakeJob {
    fn study(&mut self, index: FrameIndex, _: &Frame, track: TrackId, _: &FaceObservation) -> Result<()> {
        self.note(|calls| calls.studied.push((index, track)));
        Ok(())
    }

    fn save_study(&mut self, folder: &Path) -> Result<()> {
        if self.engine.fault == Fault::CannotSave {
            return Err(Error::io("keep a study", std::io::ErrorKind::StorageFull.into()));
        }
        let count = self.engine.calls().studied.len();
        std::fs::write(folder.join(STUDY), count.to_string())
            .map_err(|source| Error::io("keep a study", source))
    }

    fn restore_study(&mut self, folder: &Path) -> Result<()> {
        let kept = std::fs::read(folder.join(STUDY)).map_err(|source| Error::io("read a study", source))?;
        if kept.is_empty() || self.engine.fault == Fault::CannotRestore {
            return Err(Error::invalid_input("no study"));
        }
        self.note(|calls| calls.restored += 1);
        Ok(())
    }

    fn listen(&mut self, voice: VoiceId, samples: &[f32]) -> Result<()> {
        self.note(|calls| calls.heard.entry(voice).or_default().extend(samples));
        Ok(())
    }

    fn rest(&mut self, voice: VoiceId, samples: u64) -> Result<()> {
        self.listen(voice, &vec![0.0; samples as usize])
    }

    fn prepare(&mut self, plans: &[MouthPlan]) -> Result<BTreeMap<VoiceId, SpeechSummary>> {
        self.note(|calls| calls.planned = plans.to_vec());
        let summary = |samples: &Vec<f32>| {
            let duration_s = samples.len() as f64 / f64::from(self.engine.info.sample_rate_hz);
            SpeechSummary { duration_s, voiced_s: if self.engine.voiced { duration_s } else { 0.0 } }
        };
        Ok(self.engine.calls().heard.iter().map(|(&voice, samples)| (voice, summary(samples))).collect())
    }

    fn synthesize(&self, requests: &[MouthRequest<'_>]) -> Result<Vec<Option<Patch>>> {
        let mut answers = Vec::new();
        for request in requests {
            let output = request.planned.output.0;
            match self.engine.fault {
                Fault::ErrorAt(frame) if frame == output => {
                    return Err(Error::internal(format!("the fake engine failed at frame {frame}")));
                }
                Fault::PanicAt(frame) if frame == output => {
                    panic!("the fake engine panicked at frame {frame}")
                }
                Fault::SilenceAt(frame) if frame == output => continue,
                _ => {}
            }
            self.note(|calls| calls.made.push((request.track, request.planned, request.strength)));
            answers.push(Some(self.patch(request.strength)));
        }
        Ok(answers)
    }
}
