//! What the restorers have in common: one picture in, one out.

use super::picture::{FacePicture, SIDE};
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_models::{InferenceSession, SessionInfo, Tensor};

/// What exports call the input that is no picture: facefusion's and visomaster's.
const WEIGHT_NAMES: [&str; 2] = ["weight", "w"];

/// The shape of the picture that goes in and of the one that comes out. Exports take one face at a time: GFPGAN's
/// modulated convolutions have the number of faces in their graph.
const SHAPE: [usize; 4] = [1, 3, SIDE, SIDE];

/// A restorer in a session: `[1, 3, 512, 512]` in and out, red, green and blue on −1 to 1. Names differ between exports, so
/// inputs are told apart by what they take.
#[derive(Debug, Clone)]
pub(super) struct Network {
    session: Arc<dyn InferenceSession>,
    picture: String,
    weight: Option<String>,
    output: String,
}

impl Network {
    /// Wraps a loaded net that takes a picture and, `with_weight`, a number.
    ///
    /// # Errors
    /// `InvalidInput` when the net takes something else.
    pub(super) fn new(session: Arc<dyn InferenceSession>, with_weight: bool) -> Result<Self> {
        let info = session.info();
        let weight = info.input_among(&WEIGHT_NAMES).map(|input| input.name.clone());
        let mut others = info.inputs.iter().filter(|input| Some(&input.name) != weight.as_ref());
        let picture = others.next().filter(|input| input.takes(&SHAPE)).ok_or_else(|| unsuitable(info))?;
        let output = info.outputs.first().ok_or_else(|| unsuitable(info))?;
        if weight.is_some() != with_weight || others.next().is_some() {
            return Err(unsuitable(info));
        }
        let (picture, output) = (picture.name.clone(), output.name.clone());
        Ok(Self { session, picture, weight, output })
    }

    /// The picture that the net makes, clamped to 0 to 255. `weight` goes to a net that takes one.
    ///
    /// # Errors
    /// `InvalidInput` when what comes out is no picture of that size, `Internal` when it is not finite or the session fails.
    pub(super) fn run(&self, face: &FacePicture, weight: f64) -> Result<FacePicture> {
        let values = face.values().iter().map(|value| value / 127.5 - 1.0).collect::<Vec<f32>>();
        let mut inputs = vec![(self.picture.as_str(), Tensor::new(SHAPE.to_vec(), values)?)];
        if let Some(name) = &self.weight {
            inputs.push((name, Tensor::new(vec![1], vec![weight])?));
        }
        let info = self.session.info();
        let made = self.session.run(inputs, &[&self.output])?.into_iter().next();
        let made =
            made.filter(|made| made.shape() == SHAPE).ok_or_else(|| unsuitable(info))?.into_floats()?;
        let made =
            info.finite(made).map_err(|error| error.with_hint("Try it without --reduced-precision."))?;
        FacePicture::new(made).map(|picture| picture.map(|value| (value.clamp(-1.0, 1.0) + 1.0) * 127.5))
    }
}

fn unsuitable(info: &SessionInfo) -> Error {
    Error::invalid_input(format!("the model {} is not such a restorer of faces of {SIDE} pixels", info.name))
        .with_hint("`viseme models verify` checks installed models.")
}
