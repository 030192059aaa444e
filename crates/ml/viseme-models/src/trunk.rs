//! The convolutional beginning of a small net, run by ourselves.
//!
//! `rten` turns every convolution into a product of matrices, which is best for hundreds of channels. Our nets have a
//! few dozen: summing directly is several times as fast. What follows the convolutions is left to `rten`.

mod conv;
mod map;
mod reading;

use crate::Tensor;
use conv::Conv;
use map::Map;
use viseme_core::{Error, Result};

/// The first layers of a net with one picture as its input: convolutions, sums of branches, enlargements.
#[derive(Debug)]
pub(crate) struct Trunk {
    input: String,
    channels: usize,
    steps: Vec<Step>,
    /// The values that the rest of the net needs: names and their slots.
    outputs: Vec<(String, usize)>,
}

/// What a layer does. Slot 0 is the picture, step i fills slot i + 1.
#[derive(Debug)]
enum Step {
    Conv { from: usize, conv: Box<Conv> },
    Add { from: [usize; 2] },
    Relu { from: usize },
    Double { from: usize },
}

impl Trunk {
    /// The trunk of the net in an ONNX file; `None` when it has none that we can run.
    pub(crate) fn read(onnx: &[u8]) -> Option<Self> {
        reading::read(onnx)
    }

    /// Whether the trunk can run on these inputs: one picture at a time.
    pub(crate) fn takes(&self, inputs: &[(&str, Tensor)]) -> bool {
        let [(name, tensor)] = inputs else { return false };
        matches!(*tensor.shape(), [1, channels, height, width]
            if channels == self.channels && height > 0 && width > 0)
            && *name == self.input
    }

    /// Runs the trunk on `image`, `[1, channels, height, width]`; gives the named values that the rest needs.
    pub(crate) fn run(&self, image: &Tensor) -> Result<Vec<(&str, Tensor)>> {
        let &[_, channels, height, width] = image.shape() else {
            return Err(Error::internal("a picture that has not four dimensions"));
        };
        let mut slots = vec![Map::from_planes(image.floats()?, channels, height, width)];
        for step in &self.steps {
            let made = step.run(&slots)?;
            slots.push(made);
        }
        let tensor = |map: &Map| Tensor::new(vec![1, map.channels, map.height, map.width], map.to_planes());
        self.outputs.iter().map(|(name, slot)| Ok((name.as_str(), tensor(&slots[*slot])?))).collect()
    }
}

impl Step {
    fn run(&self, slots: &[Map]) -> Result<Map> {
        match self {
            Self::Conv { from, conv } => {
                let map = &slots[*from];
                if map.channels == conv.inputs {
                    Ok(conv.apply(map))
                } else {
                    Err(Error::internal("a convolution over another number of channels"))
                }
            }
            Self::Add { from: [a, b] } => {
                if slots[*a].is_like(&slots[*b]) {
                    Ok(slots[*a].clone().plus(&slots[*b]))
                } else {
                    Err(Error::internal("a sum of maps of different extent"))
                }
            }
            Self::Relu { from } => Ok(slots[*from].clone().relu()),
            Self::Double { from } => Ok(slots[*from].doubled()),
        }
    }
}
