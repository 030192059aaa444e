//! An enhancer that does what a test says, and tiny nets with the contract of the real ones.

use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::Result;
use viseme_engines::FaceEnhancer;
use viseme_engines::enhance::FacePicture;

/// What GFPGAN and `RestoreFormer++` take, with random weights: `input` `[1, 3, 512, 512]`.
pub const RESTORER: &[u8] = include_bytes!("models/restorer.onnx");
/// What `CodeFormer` takes: also `weight` `[1]` of 64 bits, which scales what the net changes.
pub const RESTORER_WEIGHTED: &[u8] = include_bytes!("models/restorer_weighted.onnx");
/// As [`RESTORER`], but it gives back what it gets.
pub const RESTORER_IDENTITY: &[u8] = include_bytes!("models/restorer_identity.onnx");
/// What ONNX Runtime makes of a picture with these: `reference/make_enhancer_models.py`.
pub const RESTORER_ANSWERS: &str = include_str!("models/restorer.json");

/// What the enhancer does with the faces of one call.
type Behaviour = dyn Fn(&[FacePicture]) -> Result<Vec<FacePicture>> + Send + Sync;

/// Does what it is told. Its clones share what they were shown.
#[derive(Clone)]
pub struct FakeEnhancer {
    behaviour: Arc<Behaviour>,
    shown: Arc<Mutex<Vec<[f32; 3]>>>,
}

impl std::fmt::Debug for FakeEnhancer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeEnhancer").finish_non_exhaustive()
    }
}

impl FakeEnhancer {
    /// One that does `behaviour`.
    pub fn new(
        behaviour: impl Fn(&[FacePicture]) -> Result<Vec<FacePicture>> + Send + Sync + 'static,
    ) -> Self {
        Self { behaviour: Arc::new(behaviour), shown: Arc::default() }
    }

    /// One that adds `steps` to every value of every picture.
    #[must_use]
    pub fn adding(steps: f32) -> Self {
        Self::new(move |faces| Ok(faces.iter().map(|face| face.clone().map(|value| value + steps)).collect()))
    }

    /// Red, green and blue between the corners of the mouth in each picture so far.
    #[must_use]
    pub fn mouths_shown(&self) -> Vec<[f32; 3]> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FaceEnhancer for FakeEnhancer {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn enhance(&self, faces: &[FacePicture]) -> Result<Vec<FacePicture>> {
        let side = FacePicture::SIDE;
        let mouth =
            |face: &FacePicture| [0, 1, 2].map(|plane| face.values()[(plane * side + 371) * side + 256]);
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).extend(faces.iter().map(mouth));
        (self.behaviour)(faces)
    }
}
