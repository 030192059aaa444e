//! Wav2Lip: a net of 96 × 96 pixels that was trained to speak (Prajwal et al. 2020). Its weights are not ours to give: they
//! must be installed, and are not free for commercial use.
//!
//! Around the net there are two [`Profile`]s. The reference does what the authors' `inference.py` does. The other one, ours,
//! keeps the picture: the face is cut out along its landmarks, only the mouth is taken from the net, detail that 96 pixels
//! cannot hold comes from the source where both show the same, and in pauses the net hears silence, which closes the lips.

mod aligned;
mod blend;
pub mod boxes;
pub mod chunks;
pub mod face_box;
pub mod network;
mod options;
pub mod plain;
mod sightings;
mod speech;

pub use options::{Profile, Wav2LipOptions};

use crate::engine::{
    EngineInfo, EngineJob, JobContext, LocalEngine, MouthPlan, MouthRequest, SpeechSummary, VoiceId,
    never_heard, never_planned,
};
use network::{Generator, NetFace, most_faces};
use plain::PlainCrop;
use sightings::Sightings;
use speech::{Listener, Speech};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::geometry::Affine;
use viseme_core::{Error, FrameIndex, Result};
use viseme_face::{FaceDetector, FaceObservation, TrackId};
use viseme_imaging::{Frame, Patch};
use viseme_models::{BatchOptions, Batcher, InferenceSession};

/// Wav2Lip with its net.
#[derive(Debug)]
pub struct Wav2LipEngine {
    info: EngineInfo,
    options: Wav2LipOptions,
    /// All jobs of the engine share one copy of the net and its batches.
    batcher: Batcher,
    detector: Option<Arc<dyn FaceDetector>>,
}

impl Wav2LipEngine {
    /// The engine with a net that was loaded as its profile [wants it](Profile::net).
    ///
    /// # Errors
    /// `InvalidInput` when the net is not a Wav2Lip of 96 pixels.
    pub fn new(options: Wav2LipOptions, session: Arc<dyn InferenceSession>) -> Result<Self> {
        let at_once = most_faces(session.info())?;
        let batch = BatchOptions { max_items: at_once, ..BatchOptions::default() };
        let info = EngineInfo {
            name: "wav2lip",
            description: "a net of 96 × 96 pixels trained to speak; its weights must be installed",
            sample_rate_hz: SAMPLE_RATE_HZ,
            at_once,
        };
        Ok(Self { info, options, batcher: Batcher::new(session, batch)?, detector: None })
    }

    /// The same, but [`Profile::Reference`] takes its boxes from `detector`: S3FD, to have those of the reference. Without one
    /// they are made of the landmarks ([`face_box::s3fd_like`]).
    #[must_use]
    pub fn with_detector(self, detector: Arc<dyn FaceDetector>) -> Self {
        Self { detector: Some(detector), ..self }
    }
}

impl LocalEngine for Wav2LipEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn begin(&self, context: JobContext) -> Result<Box<dyn EngineJob>> {
        Ok(Box::new(Wav2LipJob {
            sightings: (self.options.profile == Profile::Reference)
                .then(|| Sightings::new(context.colour.clone(), self.detector.clone())),
            context,
            options: self.options,
            generator: Generator::new(Arc::new(self.batcher.client()))?,
            listeners: BTreeMap::new(),
            speeches: BTreeMap::new(),
            voices: BTreeMap::new(),
        }))
    }

    /// Only the reference studies anything: the boxes that its detector sees.
    fn study_key(&self) -> Option<String> {
        let detector = self.detector.as_ref().map_or("landmarks", |detector| detector.name());
        Some(match self.options.profile {
            Profile::Viseme => Profile::Viseme.name().to_owned(),
            Profile::Reference => format!("{} {detector}", Profile::Reference.name()),
        })
    }
}

/// A job.
#[derive(Debug)]
struct Wav2LipJob {
    context: JobContext,
    options: Wav2LipOptions,
    generator: Generator,
    /// Until the voices have been heard.
    listeners: BTreeMap<VoiceId, Listener>,
    /// From then on.
    speeches: BTreeMap<VoiceId, Speech>,
    /// Who speaks which.
    voices: BTreeMap<TrackId, VoiceId>,
    /// Where the faces were, in the reference profile.
    sightings: Option<Sightings>,
}

/// How a face was cut out.
enum Crop {
    /// As in the reference.
    Plain(PlainCrop),
    /// Along its landmarks, by the map from the frame to the net's picture.
    Aligned(Affine),
}

impl EngineJob for Wav2LipJob {
    fn study(
        &mut self,
        index: FrameIndex,
        frame: &Frame,
        track: TrackId,
        face: &FaceObservation,
    ) -> Result<()> {
        self.sightings.as_mut().map_or(Ok(()), |sightings| sightings.see(index, frame, track, face))
    }

    fn save_study(&mut self, folder: &Path) -> Result<()> {
        self.sightings.as_ref().map_or(Ok(()), |sightings| sightings.save(folder))
    }

    fn restore_study(&mut self, folder: &Path) -> Result<()> {
        self.sightings.as_mut().map_or(Ok(()), |sightings| sightings.restore(folder))
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
        if let Some(sightings) = &mut self.sightings {
            sightings.smooth();
        }
        for (voice, listener) in std::mem::take(&mut self.listeners) {
            self.speeches.insert(voice, listener.finish(self.options)?);
        }
        if let Some(plan) = plans.iter().find(|plan| !self.speeches.contains_key(&plan.voice)) {
            return Err(never_heard(plan.voice));
        }
        self.voices = plans.iter().map(|plan| (plan.track, plan.voice)).collect();
        Ok(self.speeches.iter().map(|(&voice, speech)| (voice, speech.summary)).collect())
    }

    fn synthesize(&self, requests: &[MouthRequest<'_>]) -> Result<Vec<Option<Patch>>> {
        let parts = requests.chunks(self.generator.most_faces());
        let answers: Vec<_> = parts.map(|part| self.speak(part)).collect::<Result<_>>()?;
        Ok(answers.into_iter().flatten().collect())
    }
}

impl Wav2LipJob {
    /// As [`synthesize`](EngineJob::synthesize), of as many faces as go into one run of the net.
    fn speak(&self, part: &[MouthRequest<'_>]) -> Result<Vec<Option<Patch>>> {
        let faces: Vec<_> = part.iter().map(|request| self.cut_out(request)).collect::<Result<_>>()?;
        let mut asked = Vec::with_capacity(part.len());
        for (face, request) in faces.iter().zip(part) {
            if let Some((_, seen)) = face {
                asked.push((seen, self.speech_of(request.track)?.at(request.planned.speech_s)));
            }
        }
        let mut spoken = self.generator.speak(&asked)?.into_iter();
        let answer = |(face, request): (&Option<(Crop, NetFace)>, &MouthRequest<'_>)| {
            let Some((crop, seen)) = face else { return Ok(None) };
            let spoken = spoken.next().ok_or_else(|| Error::internal("Wav2Lip left out a face"))?;
            self.put_back(request, crop, seen, &spoken)
        };
        faces.iter().zip(part).map(answer).collect()
    }

    fn speech_of(&self, track: TrackId) -> Result<&Speech> {
        let speech = self.voices.get(&track).and_then(|voice| self.speeches.get(voice));
        speech.ok_or_else(|| never_planned(track))
    }

    /// The face that is asked for as the net is to see it; none where there is nothing to change.
    fn cut_out(&self, request: &MouthRequest<'_>) -> Result<Option<(Crop, NetFace)>> {
        if request.strength <= 0.0 {
            return Ok(None);
        }
        let (frame, colour) = (request.frame, &self.context.colour);
        let Some(sightings) = &self.sightings else {
            let crop_from_image = aligned::crop_from_image(request.face);
            let seen = aligned::net_face(frame, colour, &crop_from_image)?;
            return Ok(Some((Crop::Aligned(crop_from_image), seen)));
        };
        let Some(face) = sightings.face(request.track, request.planned.source) else { return Ok(None) };
        let crop = PlainCrop::new(frame, colour, face)?;
        let seen = crop.net_face()?;
        Ok(Some((Crop::Plain(crop), seen)))
    }

    fn put_back(
        &self,
        request: &MouthRequest<'_>,
        crop: &Crop,
        seen: &NetFace,
        spoken: &NetFace,
    ) -> Result<Option<Patch>> {
        let colour = &self.context.colour;
        match crop {
            // The reference knows no fading in and out.
            Crop::Plain(crop) => crop.paste(spoken, request.frame, colour).map(Some),
            Crop::Aligned(crop_from_image) => {
                Ok(blend::patch(request, colour, crop_from_image, seen, spoken))
            }
        }
    }
}
