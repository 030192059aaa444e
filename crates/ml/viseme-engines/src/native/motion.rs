//! From speech to the motion of the mouth.

use super::features::{Channel, level, peak_level, quantile};
use super::shape::{MouthShape, STILL, inner_gap, moved};
use super::space::ShapeSpace;
use super::voice::VoiceGate;
use std::sync::Arc;
use viseme_audio::mel::{BANDS, FRAMES_PER_SECOND, SAMPLE_RATE_HZ};
use viseme_audio::{LogMel, MelFrame};
use viseme_core::{Error, Result};
use viseme_models::{InferenceSession, Tensor};

/// Mouths per second that the net gives; one for every four feature frames.
const MOUTHS_PER_SECOND: f64 = 25.0;
const FRAMES_PER_MOUTH: usize = 4;
/// Mouths computed at once: 20 s, so that memory is bounded …
const STRETCH: usize = 500;
/// … with this much of the neighbouring sound on both sides: the net sees 0.62 s far.
const CONTEXT: usize = 25;

/// Channels of the net's `articulation`.
const ARTICULATIONS: usize = 5;
const BILABIAL: usize = 3;
const LABIODENTAL: usize = 4;

/// The widest opening, in units of the speaker's amplitude.
const WIDEST: f32 = 1.25;
/// Lip-teeth contact of f and v, as the net is sure of it: from here to there the lower lip rises …
const LABIODENTAL_RANGE: (f32, f32) = (0.45, 0.8);
/// … until the mouth is open by only this much.
const LABIODENTAL_OPENING: f32 = 0.15;

/// The net with its weights.
#[derive(Debug)]
pub(super) struct SpeechNet {
    pub(super) session: Arc<dyn InferenceSession>,
    pub(super) space: Arc<ShapeSpace>,
}

/// Collects the features of a sound as it comes in.
#[derive(Debug)]
pub(super) struct Listener {
    log_mel: LogMel,
    frames: Vec<MelFrame>,
    samples: u64,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self { log_mel: LogMel::new(), frames: Vec::new(), samples: 0 }
    }

    /// Hears the next samples: mono, −1 to 1, 16 kHz.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.log_mel.push(samples, &mut self.frames);
    }

    /// Seconds heard.
    pub(super) fn duration_s(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    /// Ends the sound.
    pub(super) fn finish(&mut self) -> &[MelFrame] {
        self.log_mel.finish(&mut self.frames);
        &self.frames
    }
}

/// The motion of the mouth through a speech, per unit of the speaker's amplitude.
#[derive(Debug)]
pub(super) struct MouthMotion {
    space: Arc<ShapeSpace>,
    keys: Vec<Key>,
    gate: VoiceGate,
}

/// The mouth at one moment of the net's 25 a second.
#[derive(Debug, Clone)]
struct Key {
    coefficients: Vec<f32>,
    /// Opening of the lips, 1 = the speaker's amplitude.
    opening: f32,
}

impl SpeechNet {
    /// The motion for a sound.
    pub(super) fn motion(&self, frames: &[MelFrame]) -> Result<MouthMotion> {
        let levels: Vec<f32> = frames.iter().map(level).collect();
        let peak = peak_level(&levels);
        let gate = VoiceGate::new(frames);
        let raw = match peak {
            Some(peak) => self.run(frames, &Channel::measure(frames, &levels, peak))?,
            None => Vec::new(),
        };
        Ok(MouthMotion { space: Arc::clone(&self.space), keys: self.keys(&raw, &gate), gate })
    }

    /// Runs the net over the whole sound: per mouth its outputs `shape` and `articulation`, one after the other.
    fn run(&self, frames: &[MelFrame], channel: &Channel) -> Result<Vec<Heard>> {
        let mouths = frames.len().div_ceil(FRAMES_PER_MOUTH);
        let mut heard = Vec::with_capacity(mouths);
        while heard.len() < mouths {
            let first = heard.len();
            let end = mouths.min(first + STRETCH);
            let context = first.saturating_sub(CONTEXT)..mouths.min(end + CONTEXT);
            let mel: Vec<f32> = (context.start * FRAMES_PER_MOUTH..context.end * FRAMES_PER_MOUTH)
                .flat_map(|i| channel.normalise(&frames[i.min(frames.len() - 1)]))
                .collect();
            let all = self.run_stretch(mel)?;
            if all.len() != context.len() {
                return Err(Error::internal("the speech net gave another number of mouths than asked for"));
            }
            heard.extend(all.into_iter().skip(first - context.start).take(end - first));
        }
        Ok(heard)
    }

    fn run_stretch(&self, mel: Vec<f32>) -> Result<Vec<Heard>> {
        let mel = Tensor::new(vec![1, mel.len() / BANDS, BANDS], mel)?;
        let outputs = self.session.run(vec![("mel", mel)], &["shape", "articulation"])?;
        let [shape, articulation] = outputs.as_slice() else {
            return Err(Error::internal("the speech net has not two outputs"));
        };
        let rows = shape.data().chunks_exact(self.space.dimensions() + 2);
        Ok(rows
            .zip(articulation.data().chunks_exact(ARTICULATIONS))
            .map(|(shape, articulation)| Heard {
                coefficients: shape[..self.space.dimensions()].to_vec(),
                opening: shape[self.space.dimensions()],
                bilabial: articulation[BILABIAL],
                labiodental: articulation[LABIODENTAL],
            })
            .collect())
    }

    /// Stretches the net's cautious openings to the whole range of the mouth, and closes it where lips must touch.
    fn keys(&self, heard: &[Heard], gate: &VoiceGate) -> Vec<Key> {
        let calibration = self.space.calibration();
        let mut voiced: Vec<f32> = heard
            .iter()
            .enumerate()
            .filter(|(i, _)| gate.at(*i as f64 / MOUTHS_PER_SECOND) > 0.5)
            .map(|(_, mouth)| mouth.opening)
            .collect();
        voiced.sort_by(f32::total_cmp);
        let low = calibration.opening_low.min(quantile(&voiced, calibration.opening_low_percentile / 100.0));
        let high = calibration.opening_high.max(quantile(&voiced, calibration.opening_high_percentile / 100.0));
        let gain = (0.9 / (high - low)).clamp(1.0, 1.5);
        let closures = closures(heard, calibration.closure_from, calibration.closure_to);
        heard
            .iter()
            .zip(closures)
            .map(|(mouth, closure)| {
                let opening = ((mouth.opening - low) / (high - low)).clamp(0.0, WIDEST) * (1.0 - closure);
                let lifted = ramp(mouth.labiodental, LABIODENTAL_RANGE);
                Key {
                    coefficients: mouth.coefficients.iter().map(|c| c * gain).collect(),
                    opening: opening + lifted * (opening.min(LABIODENTAL_OPENING) - opening),
                }
            })
            .collect()
    }
}

/// What the net hears at one moment.
#[derive(Debug, Clone)]
struct Heard {
    coefficients: Vec<f32>,
    opening: f32,
    bilabial: f32,
    labiodental: f32,
}

/// How far the lips are pressed together, 0 to 1. A closure that once passes `to` holds the lips shut until the net is
/// less sure than `from`: a mouth does not flutter within a p, b or m.
fn closures(heard: &[Heard], from: f32, to: f32) -> Vec<f32> {
    let mut closures: Vec<f32> = heard.iter().map(|mouth| ramp(mouth.bilabial, (from, to))).collect();
    let mut start = 0;
    while start < closures.len() {
        let end = start + closures[start..].iter().take_while(|&&closure| closure > 0.0).count();
        let run = &mut closures[start..end];
        let first = run.iter().position(|&closure| closure >= 1.0);
        let last = run.iter().rposition(|&closure| closure >= 1.0);
        if let (Some(first), Some(last)) = (first, last) {
            run[first..=last].fill(1.0);
        }
        start = end.max(start + 1);
    }
    closures
}

fn ramp(value: f32, (from, to): (f32, f32)) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

impl MouthMotion {
    /// How the mouth has moved away from rest at a moment of the speech, per unit of the speaker's amplitude.
    pub(super) fn at(&self, seconds: f64) -> MouthShape {
        let gate = self.gate.at(seconds);
        let (Some(last), true) = (self.keys.len().checked_sub(1), gate > 0.0) else { return STILL };
        let position = (seconds * MOUTHS_PER_SECOND).clamp(0.0, last as f64);
        let index = (position as usize).min(last);
        let (key, next) = (&self.keys[index], &self.keys[(index + 1).min(last)]);
        let t = (position - index as f64) as f32;
        let mix = |a: f32, b: f32| (a + (b - a) * t) * gate;
        let coefficients: Vec<f32> =
            key.coefficients.iter().zip(&next.coefficients).map(|(&a, &b)| mix(a, b)).collect();
        let motion = self.space.motion(&coefficients);
        let direction = self.space.opening_direction();
        let missing = mix(key.opening, next.opening) - inner_gap(&motion);
        moved(&motion, direction, missing / inner_gap(direction))
    }

    /// Seconds of voice in the speech.
    pub(super) fn voiced_s(&self) -> f64 {
        self.gate.voiced_s()
    }
}

/// Frames of features per mouth, as a check of the two rates.
const _: () = assert!(FRAMES_PER_SECOND as usize == MOUTHS_PER_SECOND as usize * FRAMES_PER_MOUTH);
