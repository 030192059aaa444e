//! From speech to the motion of the mouth.

use super::features::{Channel, level, peak_level, quantile};
use super::shape::{MouthShape, STILL, inner_gap, moved};
use super::space::ShapeSpace;
use crate::voice::{Rests, VoiceGate, silence};
use std::ops::Range;
use std::sync::Arc;
use viseme_audio::mel::{BANDS, FRAMES_PER_SECOND, SAMPLE_RATE_HZ};
use viseme_audio::{LogMel, MelFrame};
use viseme_core::{Error, Result};
use viseme_models::{InferenceSession, ModelFile, Runtime, Tensor};

/// The net that listens to the speech. How it was made and what it was trained on stands in `training/speech`.
const SPEECH: &[u8] = include_bytes!("nets/speech.onnx");

/// Mouths per second that the net gives; one for every four feature frames.
const MOUTHS_PER_SECOND: f64 = 25.0;
const FRAMES_PER_MOUTH: usize = 4;
/// Mouths computed at once: 5 s, so that memory is bounded …
const STRETCH: usize = 125;
/// … with this much of the neighbouring sound on both sides: the net sees 1.04 s far.
const CONTEXT: usize = 27;

/// Channels of the net's `articulation`.
const ARTICULATIONS: usize = 5;
const BILABIAL: usize = 3;
const LABIODENTAL: usize = 4;

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
    rests: Rests,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self { log_mel: LogMel::new(), frames: Vec::new(), samples: 0, rests: Rests::default() }
    }

    /// Hears the next samples: mono, −1 to 1, 16 kHz.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.log_mel.push(samples, &mut self.frames);
    }

    /// Hears nothing for so many samples.
    pub(super) fn rest(&mut self, samples: u64) {
        self.rests.add(self.samples..self.samples + samples);
        silence(samples, |part| self.hear(part));
    }

    /// When nothing was to be heard.
    pub(super) fn rests(&self) -> &Rests {
        &self.rests
    }

    /// Seconds heard.
    pub(super) fn duration_s(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    /// Ends the sound and hands over its features, which take 16 kB per second: nothing should hold them for longer
    /// than it takes to hear them.
    pub(super) fn finish(&mut self) -> Vec<MelFrame> {
        self.log_mel.finish(&mut self.frames);
        std::mem::take(&mut self.frames)
    }
}

/// The motion of the mouth through a speech, per unit of the speaker's amplitude.
#[derive(Debug)]
pub(super) struct MouthMotion {
    space: Arc<ShapeSpace>,
    keys: Vec<Key>,
    gate: VoiceGate,
}

/// The mouth at any moment, per unit of the speaker's amplitude.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// How it has moved away from rest.
    pub(super) motion: MouthShape,
    /// How far the lips are apart: at 0 they touch all along.
    pub(super) opening: f32,
}

impl Moment {
    /// The mouth between utterances.
    const REST: Self = Self { motion: STILL, opening: 0.0 };
}

/// The mouth at one moment of the net's 25 a second.
#[derive(Debug, Clone)]
struct Key {
    coefficients: Vec<f32>,
    /// Opening of the lips, 1 = the speaker's amplitude.
    opening: f32,
}

impl SpeechNet {
    /// Loads the embedded net.
    pub(super) fn embedded(runtime: &dyn Runtime) -> Result<Self> {
        let session = runtime.load(&ModelFile::embedded("native speech", SPEECH))?;
        Ok(Self { session, space: Arc::new(ShapeSpace::embedded()?) })
    }

    /// The motion for a voice.
    pub(super) fn motion(&self, frames: &[MelFrame], rests: &Rests) -> Result<MouthMotion> {
        let levels: Vec<f32> = frames.iter().map(level).collect();
        let peak = peak_level(&levels);
        let gate = VoiceGate::new(frames, rests);
        let raw = match peak {
            Some(peak) => self.run(frames, &Channel::measure(frames, &levels, peak))?,
            None => Vec::new(),
        };
        Ok(MouthMotion {
            space: Arc::clone(&self.space),
            keys: self.keys(raw, &rests.recordings(frames.len())),
            gate,
        })
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
        let rows = shape.floats()?.chunks_exact(self.space.dimensions() + 2);
        Ok(rows
            .zip(articulation.floats()?.chunks_exact(ARTICULATIONS))
            .map(|(shape, articulation)| Heard {
                coefficients: shape[..self.space.dimensions()].to_vec(),
                opening: shape[self.space.dimensions()],
                bilabial: articulation[BILABIAL],
                labiodental: articulation[LABIODENTAL],
            })
            .collect())
    }

    /// Stretches the net's cautious openings to the whole range of the mouth, and closes it where lips must touch. What the
    /// range is, the recorded frames alone say: a voice may rest for most of a film.
    fn keys(&self, heard: Vec<Heard>, recordings: &[Range<usize>]) -> Vec<Key> {
        let calibration = self.space.calibration();
        let mouths = |frames: &Range<usize>| {
            frames.start.div_ceil(FRAMES_PER_MOUTH)..frames.end.div_ceil(FRAMES_PER_MOUTH)
        };
        let recorded = recordings.iter().flat_map(mouths).filter_map(|mouth| heard.get(mouth));
        let mut openings: Vec<f32> = recorded.map(|mouth| mouth.opening).collect();
        openings.sort_by(f32::total_cmp);
        let percentile = |percent: f32| quantile(&openings, percent / 100.0);
        let low = calibration.opening_low.min(percentile(calibration.opening_low_percentile));
        let high = calibration.opening_high.max(percentile(calibration.opening_high_percentile));
        heard
            .into_iter()
            .map(|mouth| {
                let open = ((mouth.opening - low) / (high - low)).clamp(0.0, calibration.opening_limit);
                let closure = ramp(mouth.bilabial, (calibration.closure_from, calibration.closure_to));
                let opening = open * (1.0 - closure);
                let lifted = ramp(mouth.labiodental, LABIODENTAL_RANGE);
                Key {
                    coefficients: mouth.coefficients,
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

fn ramp(value: f32, (from, to): (f32, f32)) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// A moment between two of the net's own.
struct Between<'a> {
    key: &'a Key,
    next: &'a Key,
    /// How much of the way to `next`, 0 to 1.
    share: f32,
    /// How much the mouth follows the speech, 0 to 1.
    gate: f32,
}

impl MouthMotion {
    /// The mouth at a moment of the speech, between the net's own moments by linear interpolation.
    pub(super) fn at(&self, seconds: f64) -> Moment {
        let Some(Between { key, next, share, gate }) = self.between(seconds) else { return Moment::REST };
        let mix = |a: f32, b: f32| (a + (b - a) * share) * gate;
        let coefficients: Vec<f32> =
            key.coefficients.iter().zip(&next.coefficients).map(|(&a, &b)| mix(a, b)).collect();
        let motion = self.space.motion(&coefficients);
        let direction = self.space.opening_direction();
        let opening = mix(key.opening, next.opening);
        let missing = opening - inner_gap(&motion);
        Moment { motion: moved(&motion, direction, missing / inner_gap(direction)), opening }
    }

    /// The opening alone of [`at`](Self::at).
    pub(super) fn opening(&self, seconds: f64) -> f32 {
        self.between(seconds).map_or(0.0, |Between { key, next, share, gate }| {
            (key.opening + (next.opening - key.opening) * share) * gate
        })
    }

    /// Where a moment lies among the net's own; `None` where the mouth rests.
    fn between(&self, seconds: f64) -> Option<Between<'_>> {
        let gate = self.gate.at(seconds);
        let last = self.keys.len().checked_sub(1).filter(|_| gate > 0.0)?;
        let position = (seconds * MOUTHS_PER_SECOND).clamp(0.0, last as f64);
        let index = (position as usize).min(last);
        let (key, next) = (&self.keys[index], &self.keys[(index + 1).min(last)]);
        Some(Between { key, next, share: (position - index as f64) as f32, gate })
    }

    /// Seconds of voice in the speech.
    pub(super) fn voiced_s(&self) -> f64 {
        self.gate.voiced_s()
    }
}

/// Frames of features per mouth, as a check of the two rates.
const _: () = assert!(FRAMES_PER_SECOND as usize == MOUTHS_PER_SECOND as usize * FRAMES_PER_MOUTH);

#[cfg(test)]
mod tests {
    use super::super::features::RANGE;
    use super::*;
    use std::collections::HashMap;
    use viseme_models::RtenRuntime;

    const VECTORS: &[u8] = include_bytes!("../../tests/vectors/speech.f32");
    const INDEX: &str = include_str!("../../tests/vectors/speech.json");

    #[derive(serde::Deserialize)]
    struct Index {
        arrays: HashMap<String, Location>,
    }

    #[derive(serde::Deserialize)]
    struct Location {
        offset: usize,
        shape: Vec<usize>,
    }

    fn vector(name: &str) -> Vec<f32> {
        let index: Index = serde_json::from_str(INDEX).unwrap();
        let Location { offset, shape } = &index.arrays[name];
        let count: usize = shape.iter().product();
        VECTORS[offset * 4..(offset + count) * 4]
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    }

    fn net() -> SpeechNet {
        SpeechNet::embedded(&RtenRuntime::default()).unwrap()
    }

    fn hear(sound: &[f32]) -> Vec<MelFrame> {
        let mut listener = Listener::new();
        sound.chunks(777).for_each(|piece| listener.hear(piece));
        listener.finish()
    }

    fn normalised(frames: &[MelFrame]) -> Vec<f32> {
        let levels: Vec<f32> = frames.iter().map(level).collect();
        let channel = Channel::measure(frames, &levels, peak_level(&levels).unwrap());
        frames.iter().flat_map(|frame| channel.normalise(frame)).collect()
    }

    fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn features_and_net_give_the_reference_vectors() {
        let frames = hear(&vector("sound"));
        let wanted = vector("normalised");
        let features = normalised(&frames[..wanted.len() / BANDS]);
        assert!(largest_difference(&features, &wanted) < 2e-3);
        assert!(features.iter().all(|v| (RANGE.0..=RANGE.1).contains(v)));
        let net = net();
        let heard = net.run_stretch(wanted).unwrap();
        let (shape, articulation) = (vector("shape"), vector("articulation"));
        let dimensions = net.space.dimensions();
        for (i, mouth) in heard.iter().enumerate() {
            let row = &shape[i * (dimensions + 2)..];
            assert!(largest_difference(&mouth.coefficients, &row[..dimensions]) < 2e-3);
            assert!((mouth.opening - row[dimensions]).abs() < 2e-3);
            assert!((mouth.bilabial - articulation[i * ARTICULATIONS + BILABIAL]).abs() < 2e-3);
            assert!((mouth.labiodental - articulation[i * ARTICULATIONS + LABIODENTAL]).abs() < 2e-3);
        }
    }

    #[test]
    fn a_long_sound_in_stretches_is_the_same_as_at_once() {
        let once = vector("sound");
        let sound: Vec<f32> = once.iter().copied().cycle().take(once.len() * 30).collect();
        let frames = hear(&sound);
        let levels: Vec<f32> = frames.iter().map(level).collect();
        let channel = Channel::measure(&frames, &levels, peak_level(&levels).unwrap());
        let net = net();
        let in_stretches = net.run(&frames, &channel).unwrap();
        assert!(in_stretches.len() > 2 * STRETCH);
        let mut mel = normalised(&frames);
        let last = mel[mel.len() - BANDS..].to_vec();
        while !mel.len().is_multiple_of(BANDS * FRAMES_PER_MOUTH) {
            mel.extend_from_slice(&last);
        }
        let at_once = net.run_stretch(mel).unwrap();
        for (a, b) in in_stretches.iter().zip(&at_once) {
            assert!(largest_difference(&a.coefficients, &b.coefficients) < 1e-3);
            assert!((a.opening - b.opening).abs() < 1e-3);
        }
    }

    #[test]
    fn a_line_between_rests_is_spoken_as_it_is_alone() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.006 * (state as f32 / u32::MAX as f32 - 0.5)
        };
        let speech = vector("sound");
        let pause = vec![0.0; 8000];
        let sound: Vec<f32> =
            [&speech, &pause, &speech].into_iter().flatten().map(|sample| sample + noise()).collect();
        let seconds = sound.len() as f64 / 16_000.0;
        let net = net();
        let motion = |rest_s: [u64; 2]| {
            let mut listener = Listener::new();
            listener.rest(rest_s[0] * 16_000);
            sound.chunks(777).for_each(|piece| listener.hear(piece));
            listener.rest(rest_s[1] * 16_000);
            net.motion(&listener.finish(), listener.rests()).unwrap()
        };
        let (alone, late) = (motion([0, 0]), motion([8, 40]));
        assert!((alone.voiced_s() - late.voiced_s()).abs() < 0.1, "{} {}", alone.voiced_s(), late.voiced_s());
        // At the ends the net hears silence in place of nothing at all.
        let moments = (0..).map(|i| 0.3 + f64::from(i) * 0.04).take_while(|moment| *moment < seconds - 0.3);
        for moment in moments {
            let (alone, late) = (alone.opening(moment), late.opening(moment + 8.0));
            assert!((alone - late).abs() < 0.05, "at {moment} s {alone}, between rests {late}");
        }
    }

    #[test]
    fn speech_opens_the_mouth_and_shuts_it_and_silence_leaves_it_at_rest() {
        let net = net();
        let motion = net.motion(&hear(&vector("sound")), &Rests::default()).unwrap();
        let openings: Vec<f32> = (0..160).map(|i| motion.opening(f64::from(i) * 0.01)).collect();
        assert!(openings.iter().copied().fold(0.0, f32::max) > 0.6);
        assert!(openings.iter().any(|&opening| opening < 0.05));
        assert!(motion.voiced_s() > 1.0);
        assert_eq!(motion.at(-0.5), Moment::REST);
        assert_eq!(motion.at(60.0), Moment::REST);
        let silence = net.motion(&hear(&vec![0.0; 16_000]), &Rests::default()).unwrap();
        assert!((0..100).all(|i| silence.at(f64::from(i) * 0.01) == Moment::REST));
        assert!(silence.voiced_s() < 1e-9);
        assert_eq!(net.motion(&hear(&[]), &Rests::default()).unwrap().at(0.0), Moment::REST);
    }
}
