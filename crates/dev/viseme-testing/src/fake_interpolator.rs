//! An interpolator whose pictures are plain to see.

use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::Result;
use viseme_engines::FrameInterpolator;
use viseme_imaging::{ColourInfo, Frame, ImageF32};

/// A model that takes what RIFE takes and dissolves the one picture into the other: `input` `[1, 7, height, width]`.
pub const DISSOLVE: &[u8] = include_bytes!("models/dissolve.onnx");
/// The same contract, but the first picture sampled with its edges repeated, which `rten` cannot.
pub const REPEATED_EDGES: &[u8] = include_bytes!("models/repeated_edges.onnx");

/// Gives pictures of one value. Its clones share what they were asked for.
#[derive(Debug, Clone)]
pub struct FakeInterpolator {
    value: f32,
    asked: Arc<Mutex<Vec<f32>>>,
}

impl FakeInterpolator {
    /// The most columns that it takes.
    pub const MOST_COLUMNS: u32 = 1000;

    /// One that gives pictures of `value`.
    #[must_use]
    pub fn new(value: f32) -> Self {
        Self { value, asked: Arc::default() }
    }

    /// How far the way had gone in each picture that it was asked for.
    #[must_use]
    pub fn asked(&self) -> Vec<f32> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FrameInterpolator for FakeInterpolator {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn takes(&self, width: u32, _: u32) -> bool {
        width <= Self::MOST_COLUMNS
    }

    fn between(&self, _: &ColourInfo, _: &Frame, arriving: &Frame, share: f32) -> Result<Vec<ImageF32>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(share);
        let planes = &arriving.planes[..arriving.format.chroma.plane_count()];
        let picture = |width: u32, height: u32| ImageF32::filled(width as usize, height as usize, self.value);
        Ok(planes.iter().map(|plane| picture(plane.width, plane.height)).collect())
    }
}
