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
use std::sync::{Mutex, PoisonError};
use viseme_core::{Error, Result};

/// The first layers of a net with one picture as its input: convolutions, sums of branches, enlargements.
#[derive(Debug)]
pub(crate) struct Trunk {
    input: String,
    channels: usize,
    steps: Vec<Step>,
    /// The values that the rest of the net needs: names and their slots.
    outputs: Vec<(String, usize)>,
    /// Slots that nobody is using: the next picture is mostly as large as the last, and fresh memory costs a net as small as these
    /// a good part of its time.
    idle: Mutex<Vec<Slots>>,
}

/// Most values of slots that are kept: four megabytes. What is larger (a detector's) takes long enough to fill.
const MOST_KEPT: usize = 1 << 20;

/// The picture, and what each step makes.
type Slots = Vec<Map>;

/// What a layer does. Slot 0 is the picture, step i fills slot i + 1. `relu`: values below zero become zero.
#[derive(Debug)]
enum Step {
    Conv { from: usize, conv: Box<Conv> },
    Add { from: [usize; 2], relu: bool },
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
        let mut slots = self.slots(channels, height, width)?;
        slots[0].fill(image.floats()?);
        for (i, step) in self.steps.iter().enumerate() {
            let (before, after) = slots.split_at_mut(i + 1);
            step.run(before, &mut after[0]);
        }
        let tensor = |map: &Map| Tensor::new(vec![1, map.channels, map.height, map.width], map.to_planes());
        let made =
            self.outputs.iter().map(|(name, slot)| Ok((name.as_str(), tensor(&slots[*slot])?))).collect();
        if slots.iter().map(|map| map.data.len()).sum::<usize>() <= MOST_KEPT {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(slots);
        }
        made
    }

    /// Slots for a picture of this extent. Idle ones of another are given up.
    fn slots(&self, channels: usize, height: usize, width: usize) -> Result<Slots> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|slots| (slots[0].height, slots[0].width) == (height, width));
        if let Some(slots) = idle.pop() {
            return Ok(slots);
        }
        drop(idle);
        let mut slots = vec![Map::of_picture(channels, height, width)];
        for step in &self.steps {
            let made = step.target(&slots)?;
            slots.push(made);
        }
        Ok(slots)
    }
}

impl Step {
    /// A map of zeros for what it makes.
    fn target(&self, slots: &[Map]) -> Result<Map> {
        match self {
            Self::Conv { from, conv } if slots[*from].channels == conv.inputs => {
                Ok(conv.target(&slots[*from]))
            }
            Self::Conv { .. } => Err(Error::internal("a convolution over another number of channels")),
            Self::Add { from: [a, b], .. } if slots[*a].is_like(&slots[*b]) => Ok(slots[*a].like()),
            Self::Add { .. } => Err(Error::internal("a sum of maps of different extent")),
            Self::Relu { from } => Ok(slots[*from].like()),
            Self::Double { from } => Ok(slots[*from].twice_as_large()),
        }
    }

    fn run(&self, slots: &[Map], target: &mut Map) {
        match self {
            Self::Conv { from, conv } => conv.apply(&slots[*from], target),
            Self::Add { from: [a, b], relu } => target.set_sum([&slots[*a], &slots[*b]], *relu),
            Self::Relu { from } => target.set_rectified(&slots[*from]),
            Self::Double { from } => target.set_doubled(&slots[*from]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk() -> Trunk {
        let weights: Vec<f32> = (0..5 * 9).map(|i| (i as f32 * 0.7).sin()).collect();
        let conv = Conv::new(&weights, &[0.1, -0.2, 0.3, -0.4, 0.5], 1, 3, 2);
        Trunk {
            input: "image".to_owned(),
            channels: 1,
            steps: vec![
                Step::Conv { from: 0, conv: Box::new(conv) },
                Step::Relu { from: 1 },
                Step::Add { from: [1, 2], relu: false },
                Step::Double { from: 3 },
            ],
            outputs: vec![("sum".to_owned(), 3), ("large".to_owned(), 4)],
            idle: Mutex::default(),
        }
    }

    fn picture(height: usize, width: usize, seed: f32) -> Tensor {
        let values: Vec<f32> = (0..height * width).map(|i| (i as f32 * 0.37 + seed).sin()).collect();
        Tensor::new(vec![1, 1, height, width], values).unwrap()
    }

    #[test]
    fn nothing_of_an_earlier_picture_is_left() {
        let used = trunk();
        for (height, width, seed) in [(9, 7, 0.0), (9, 7, 5.0), (4, 12, 1.0), (9, 7, 2.0), (1, 1, 3.0)] {
            let image = picture(height, width, seed);
            let fresh = trunk();
            let (found, wanted) = (used.run(&image).unwrap(), fresh.run(&image).unwrap());
            assert_eq!(found.len(), 2);
            for ((name, found), (_, wanted)) in found.into_iter().zip(wanted) {
                assert_eq!(found.shape(), wanted.shape());
                assert_eq!(found.floats().unwrap(), wanted.floats().unwrap(), "{name}");
            }
            assert_eq!(used.idle.lock().unwrap().len(), 1);
        }
    }

    #[test]
    fn steps_that_do_not_fit_each_other_are_errors() {
        let mut broken = trunk();
        broken.steps.push(Step::Add { from: [3, 4], relu: true });
        assert!(broken.run(&picture(6, 6, 0.0)).is_err());
        let mut broken = trunk();
        broken.steps.push(Step::Conv { from: 4, conv: Box::new(Conv::new(&[1.0; 3], &[0.0], 3, 1, 1)) });
        assert!(broken.run(&picture(6, 6, 0.0)).is_err());
    }
}
