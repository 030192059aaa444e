//! LR-ASD (Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", 2025): a net that sees a face
//! and hears a sound. Steps and constants are those of `Columbia_test.py` of `Junhua-Liao/LR-ASD`.

use super::{Scene, SceneFace, SpeakerSense, TICKS_PER_SECOND, TickPictures};
use crate::metrics::syncnet_crop::{CROP_SIZE, CropRect, crop_rects};
use crate::metrics::syncnet_picture::syncnet_picture;
use std::sync::Arc;
use viseme_audio::MfccFrame;
use viseme_audio::mfcc::COEFFICIENTS;
use viseme_core::{Error, Result};
use viseme_imaging::{ColourInfo, Frame, ImageU8};
use viseme_models::{InferenceSession, ModelFile, Runtime, Tensor};

/// The side of the middle of the crop, which the net sees.
const SIDE: usize = 112;
/// Frames of coefficients in a tick.
const COEFFICIENTS_PER_TICK: usize = 4;
/// Lengths in seconds of the windows that a face is seen in, whose answers are averaged. The reference takes 1 to 6
/// (`durationSet`), which costs three times as much.
const DURATIONS_S: [usize; 2] = [2, 4];

/// The net. Cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct LrAsd {
    session: Arc<dyn InferenceSession>,
}

impl LrAsd {
    /// Wraps a loaded net: `face` `[ticks, 112, 112]` and `mfcc` `[4 ticks, 13]` to `logits` `[ticks, 2]`.
    #[must_use]
    pub fn new(session: Arc<dyn InferenceSession>) -> Self {
        Self { session }
    }

    /// Loads the net.
    ///
    /// # Errors
    /// When `runtime` cannot run it.
    pub fn load(runtime: &dyn Runtime, model: &ModelFile) -> Result<Self> {
        Ok(Self::new(runtime.load(model)?))
    }

    /// What the net says of a face through a few ticks, pictures and coefficients from the same tick on.
    fn run(&self, pictures: &[Vec<u8>], coefficients: &[MfccFrame]) -> Result<Vec<f32>> {
        let ticks = pictures.len();
        let faces: Vec<f32> = pictures.iter().flatten().map(|&value| f32::from(value)).collect();
        let sound: Vec<f32> = coefficients.iter().flatten().map(|&value| value as f32).collect();
        let inputs = vec![
            ("face", Tensor::new(vec![ticks, SIDE, SIDE], faces)?),
            ("mfcc", Tensor::new(vec![coefficients.len(), COEFFICIENTS], sound)?),
        ];
        let outputs = self.session.run(inputs, &["logits"])?;
        let logits = outputs.first().map(Tensor::floats).transpose()?.unwrap_or_default();
        if logits.len() != 2 * ticks || logits.iter().any(|value| !value.is_finite()) {
            return Err(Error::internal("the speaker net gave other answers than one for each picture"));
        }
        Ok(logits.chunks_exact(2).map(|both| both[1]).collect())
    }
}

impl SpeakerSense for LrAsd {
    fn name(&self) -> &'static str {
        "lr_asd"
    }

    fn sense(&self, scene: &Scene<'_>, pictures: &mut dyn TickPictures) -> Result<Vec<Vec<f32>>> {
        let mut faces: Vec<Face<'_>> = scene.faces.iter().map(|face| Face::new(self, face)).collect();
        let ticks = scene.faces.iter().map(SceneFace::end).max().unwrap_or(0);
        for tick in 0..ticks {
            let Some((frame, colour)) = pictures.next_tick()? else { break };
            for face in &mut faces {
                face.see(tick, frame, colour, &scene.sound.coefficients)?;
            }
        }
        faces.into_iter().map(|face| face.finish(&scene.sound.coefficients)).collect()
    }
}

/// One face on its way through the net. It holds the pictures of the longest window.
struct Face<'a> {
    net: &'a LrAsd,
    first: usize,
    crops: Vec<CropRect>,
    /// Pictures from tick `dropped` of the face on.
    pictures: Vec<Vec<u8>>,
    dropped: usize,
    /// For each duration, the tick of the face at which its next window begins.
    begun: [usize; DURATIONS_S.len()],
    /// Sums over the durations; 0 where there is no sound.
    scores: Vec<f32>,
}

impl<'a> Face<'a> {
    fn new(net: &'a LrAsd, face: &SceneFace) -> Self {
        let corners = face.seen.iter().map(|seen| {
            let bbox = seen.bbox;
            [bbox.x, bbox.y, bbox.x + bbox.width, bbox.y + bbox.height].map(f64::from)
        });
        Self {
            net,
            first: face.first,
            crops: crop_rects(&corners.collect::<Vec<_>>()),
            pictures: Vec::new(),
            dropped: 0,
            begun: [0; DURATIONS_S.len()],
            scores: vec![0.0; face.seen.len()],
        }
    }

    /// Takes what the frame of a tick shows of the face, and answers the windows that end with it.
    fn see(&mut self, tick: usize, frame: &Frame, colour: &ColourInfo, sound: &[MfccFrame]) -> Result<()> {
        let crop = tick.checked_sub(self.first).and_then(|position| self.crops.get(position));
        let Some(crop) = crop else { return Ok(()) };
        self.pictures.push(middle(&syncnet_picture(frame, colour, crop)?));
        let seen = self.dropped + self.pictures.len();
        for (index, seconds) in DURATIONS_S.into_iter().enumerate() {
            if seen - self.begun[index] == seconds * TICKS_PER_SECOND as usize {
                self.answer(index, seen, sound)?;
            }
        }
        // What every window has been answered for is not needed any more.
        let needed = self.begun.iter().copied().min().unwrap_or(seen);
        self.pictures.drain(..needed - self.dropped);
        self.dropped = needed;
        Ok(())
    }

    /// Adds the answers for the window of a duration that ends with tick `end` of the face.
    fn answer(&mut self, duration: usize, end: usize, sound: &[MfccFrame]) -> Result<()> {
        let begin = std::mem::replace(&mut self.begun[duration], end);
        let at = |tick: usize| ((self.first + tick) * COEFFICIENTS_PER_TICK).min(sound.len());
        let heard = &sound[at(begin)..at(end)];
        // Where the sound ends before the picture, there is nothing to be heard.
        let ticks = heard.len() / COEFFICIENTS_PER_TICK;
        if ticks == 0 {
            return Ok(());
        }
        let pictures = &self.pictures[begin - self.dropped..][..ticks];
        let scores = self.net.run(pictures, &heard[..ticks * COEFFICIENTS_PER_TICK])?;
        for (sum, score) in self.scores[begin..].iter_mut().zip(scores) {
            *sum += score / DURATIONS_S.len() as f32;
        }
        Ok(())
    }

    /// Answers the windows that are not full, and hands over the scores.
    fn finish(mut self, sound: &[MfccFrame]) -> Result<Vec<f32>> {
        let seen = self.dropped + self.pictures.len();
        for duration in 0..DURATIONS_S.len() {
            if self.begun[duration] < seen {
                self.answer(duration, seen, sound)?;
            }
        }
        Ok(self.scores)
    }
}

/// The middle of a crop (blue, green, red) in grey, as `cv2.cvtColor` makes it.
fn middle(crop: &ImageU8<3>) -> Vec<u8> {
    let start = (CROP_SIZE as usize - SIDE) / 2;
    let grey = |[blue, green, red]: [u8; 3]| {
        // Weights in 32768ths, rounded (`color_rgb.simd.hpp`).
        let sum = 3735 * u32::from(blue) + 19_235 * u32::from(green) + 9798 * u32::from(red);
        ((sum + 16_384) >> 15) as u8
    };
    let row = |y: usize| (start..start + SIDE).map(move |x| grey(crop.at(x, y)));
    (start..start + SIDE).flat_map(row).collect()
}
