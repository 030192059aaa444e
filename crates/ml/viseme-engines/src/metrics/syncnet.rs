//! The scores LSE-D and LSE-C: how near the embeddings of lips and speech come, and at which offset.
//!
//! From "Out of time: automated lip sync in the wild" (Chung and Zisserman, 2016); steps and constants are those of
//! `SyncNetInstance.py` (`calc_pdist`, `evaluate`) of `joonson/syncnet_python`.

use super::median::{median, median_filter};
use std::collections::VecDeque;
use viseme_core::{Error, Result};

/// The greatest offset that is tried, in frames of 25 a second (`vshift`).
pub const MAX_OFFSET: usize = 15;

/// Offsets that are tried.
pub const OFFSETS: usize = 2 * MAX_OFFSET + 1;

/// Frames that the lip net sees at once: a window starts at every frame that has four more after it.
pub const WINDOW_FRAMES: usize = 5;

/// Samples of speech per frame: 16 kHz at 25 frames a second.
pub const SAMPLES_PER_FRAME: u64 = 640;

/// Added to each difference by `torch.nn.functional.pairwise_distance`.
const EPSILON: f64 = 1e-6;

/// Values that the confidence of frames is the running median of.
const CONFIDENCE_MEDIAN: usize = 9;

/// How many windows a clip has: those whose five frames both the video and the speech cover.
#[must_use]
pub fn window_count(frames: u64, samples: u64) -> u64 {
    // One less than would fit, as in the reference.
    frames.min(samples / SAMPLES_PER_FRAME).saturating_sub(WINDOW_FRAMES as u64)
}

/// What the scores of a clip are.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncScore {
    /// LSE-D: the least of the mean distances. Lower is better.
    pub distance: f64,
    /// LSE-C: the median of the mean distances less the least. Higher is better.
    pub confidence: f64,
    /// Frames of 25 a second, 15 less the index of the least mean distance: 0 is in step.
    pub offset: i32,
    /// The mean distance at each offset that was tried, from 15 to −15.
    pub mean_distances: [f64; OFFSETS],
    /// For each window, its distance at each offset.
    pub distances: Vec<[f32; OFFSETS]>,
}

impl SyncScore {
    /// For each window, the median of the mean distances less its own distance at the offset of the clip.
    #[must_use]
    pub fn window_confidences(&self) -> Vec<f64> {
        let median = self.distance + self.confidence;
        let best = (MAX_OFFSET as i32 - self.offset) as usize;
        self.distances.iter().map(|distances| median - f64::from(distances[best])).collect()
    }

    /// The confidences of the windows without outliers: their running median of 9, zeros beyond the ends.
    #[must_use]
    pub fn smooth_window_confidences(&self) -> Vec<f64> {
        median_filter(&self.window_confidences(), CONFIDENCE_MEDIAN)
    }
}

/// Compares the embeddings of a clip as they come, window by window; it holds those of 31 windows and 31 distances of every window.
#[derive(Debug)]
pub struct SyncScorer {
    width: usize,
    lips: VecDeque<Vec<f32>>,
    /// From 15 before the first of `lips` on.
    speech: VecDeque<Vec<f32>>,
    distances: Vec<[f32; OFFSETS]>,
}

impl SyncScorer {
    /// Starts a clip of embeddings of `width` values: 1024 for the original nets.
    #[must_use]
    pub fn new(width: usize) -> Self {
        let speech = std::iter::repeat_n(vec![0.0; width], MAX_OFFSET).collect();
        Self { width, lips: VecDeque::new(), speech, distances: Vec::new() }
    }

    /// Takes the embeddings of the next window.
    ///
    /// # Errors
    /// When they are not as wide as the others.
    pub fn push(&mut self, lips: &[f32], speech: &[f32]) -> Result<()> {
        if lips.len() != self.width || speech.len() != self.width {
            return Err(Error::internal(format!(
                "embeddings of {} and {} values instead of {}",
                lips.len(),
                speech.len(),
                self.width
            )));
        }
        self.lips.push_back(lips.to_vec());
        self.push_speech(speech.to_vec());
        Ok(())
    }

    /// Ends the clip.
    ///
    /// # Errors
    /// When there was no window, or an embedding is not of numbers.
    pub fn finish(mut self) -> Result<SyncScore> {
        for _ in 0..MAX_OFFSET {
            self.push_speech(vec![0.0; self.width]);
        }
        if self.distances.is_empty() {
            return Err(Error::invalid_input("nothing to score: the clip is too short")
                .with_hint("A score needs at least six frames of 25 a second, with sound."));
        }
        let count = self.distances.len() as f64;
        let sum = |k: usize| self.distances.iter().map(|row| f64::from(row[k])).sum::<f64>();
        let mean_distances: [f64; OFFSETS] = std::array::from_fn(|k| sum(k) / count);
        if mean_distances.iter().any(|mean| !mean.is_finite()) {
            return Err(Error::internal("the sync nets answered values that are not numbers"));
        }
        let best = (0..OFFSETS).fold(0, |a, b| if mean_distances[b] < mean_distances[a] { b } else { a });
        Ok(SyncScore {
            distance: mean_distances[best],
            confidence: median(&mut mean_distances.clone()) - mean_distances[best],
            offset: MAX_OFFSET as i32 - best as i32,
            mean_distances,
            distances: self.distances,
        })
    }

    fn push_speech(&mut self, speech: Vec<f32>) {
        self.speech.push_back(speech);
        if self.speech.len() < OFFSETS {
            return;
        }
        if let Some(lips) = self.lips.pop_front() {
            let mut row = [0.0; OFFSETS];
            for (out, speech) in row.iter_mut().zip(&self.speech) {
                *out = distance(&lips, speech);
            }
            self.distances.push(row);
        }
        self.speech.pop_front();
    }
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squares = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b) + EPSILON).powi(2));
    squares.sum::<f64>().sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_without_windows_and_odd_embeddings_are_refused() {
        assert!(SyncScorer::new(4).finish().is_err());
        assert!(SyncScorer::new(4).push(&[0.0; 4], &[0.0; 3]).is_err());
        let mut scorer = SyncScorer::new(1);
        scorer.push(&[f32::NAN], &[0.0]).unwrap();
        assert!(scorer.finish().is_err());
    }

    #[test]
    fn windows_end_with_the_shorter_of_video_and_speech() {
        assert_eq!(window_count(100, 64_000), 95);
        assert_eq!(window_count(100, 50 * 640 + 639), 45);
        assert_eq!(window_count(3, 64_000), 0);
    }
}
