//! The three small nets that correct keypoints: stitching, lips, eyes (`live_portrait_wrapper.py`).

use super::keypoints::{KEYPOINT_COUNT, Keypoints};
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_models::{InferenceSession, Tensor};

/// Values of a set of keypoints.
const VALUES: usize = 3 * KEYPOINT_COUNT;

/// One of the nets, a perceptron with one input and one output of one row.
#[derive(Debug, Clone)]
pub struct RetargetingNet {
    session: Arc<dyn InferenceSession>,
    input: String,
    output: String,
}

impl RetargetingNet {
    /// The net of a loaded model, whose tensors may have any names: they differ from export to export.
    ///
    /// # Errors
    /// When the model has not exactly one input and one output.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let info = session.info();
        let ([input], [output]) = (info.inputs.as_slice(), info.outputs.as_slice()) else {
            let message = format!("the model {} is no retargeting net", info.name);
            return Err(Error::invalid_input(message).with_hint("One input and one output are expected."));
        };
        let (input, output) = (input.name.clone(), output.name.clone());
        Ok(Self { session, input, output })
    }

    /// The driving keypoints, moved so that the crop fits into its picture without a step (the stitching net, 126 → 65).
    ///
    /// # Errors
    /// When the net fails or is another one.
    pub fn stitch(&self, source: &Keypoints, driving: &Keypoints) -> Result<Keypoints> {
        let answer: [f32; VALUES + 2] = self.run(source, driving.as_flattened())?;
        let (moves, shift) = answer.split_at(VALUES);
        let mut stitched = moved(driving, moves);
        for point in &mut stitched {
            point[0] += shift[0];
            point[1] += shift[1];
        }
        Ok(stitched)
    }

    /// What to add to the keypoints so that the lips go from `source_ratio` to `target_ratio`, as
    /// [`lip_close_ratio`](super::lip_close_ratio) measures it (the lip net, 65 → 63).
    ///
    /// # Errors
    /// When the net fails or is another one.
    pub fn lip_move(&self, source: &Keypoints, source_ratio: f32, target_ratio: f32) -> Result<Keypoints> {
        let answer: [f32; VALUES] = self.run(source, &[source_ratio, target_ratio])?;
        Ok(moved(&[[0.0; 3]; KEYPOINT_COUNT], &answer))
    }

    /// What to add to the keypoints so that both eyes go from `source_ratios` to `target_ratio`, as
    /// [`eye_close_ratios`](super::eye_close_ratios) measures it (the eye net, 66 → 63).
    ///
    /// # Errors
    /// When the net fails or is another one.
    pub fn eye_move(
        &self,
        source: &Keypoints,
        source_ratios: [f32; 2],
        target_ratio: f32,
    ) -> Result<Keypoints> {
        let [left, right] = source_ratios;
        let answer: [f32; VALUES] = self.run(source, &[left, right, target_ratio])?;
        Ok(moved(&[[0.0; 3]; KEYPOINT_COUNT], &answer))
    }

    /// Runs the net on the source keypoints followed by `rest`.
    fn run<const N: usize>(&self, source: &Keypoints, rest: &[f32]) -> Result<[f32; N]> {
        let row = [source.as_flattened(), rest].concat();
        let input = Tensor::new(vec![1, row.len()], row)?;
        let answers = self.session.run(vec![(&self.input, input)], &[&self.output])?;
        let answer = answers.into_iter().next().map(Tensor::into_floats).transpose()?.unwrap_or_default();
        <[f32; N]>::try_from(answer).map_err(|answer| {
            Error::internal(format!("a retargeting net gave {} values instead of {N}", answer.len()))
                .with_hint("Check that the stitching, lip and eye nets are not mixed up.")
        })
    }
}

/// The keypoints, each moved by three of `moves`.
fn moved(keypoints: &Keypoints, moves: &[f32]) -> Keypoints {
    let mut moved = *keypoints;
    moved.as_flattened_mut().iter_mut().zip(moves).for_each(|(value, by)| *value += by);
    moved
}
