//! The layers that have weights.

use super::builder::{Builder, Map, Values, check_shape};
use super::fold::{Norm, fold};
use super::nodes::{int, ints};
use crate::checkpoint::Tensor;
use rten_onnx::onnx::{AttributeProto, DataType};
use viseme_core::Result;

/// A convolution, its names in the checkpoint and its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv<'a> {
    /// `NAME.weight` and `NAME.bias`.
    pub(super) name: &'a str,
    /// The batch normalisation behind it.
    pub(super) norm: Option<&'a str>,
    /// Height and width.
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// On each side, in height and width.
    pub(super) padding: [usize; 2],
    pub(super) kind: Kind,
}

/// What else there is to a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// Over so many pictures at once, which are channels here: its weights have one dimension more.
    Frames(usize),
    /// Over time or over space alone, without biases; its weights may have any number of dimensions.
    Separable,
    /// Transposed, and so much is added to the lower and right side of the output.
    Transposed(usize),
}

/// Where the weights of a layer come from and how they are stored.
struct Weights<'a> {
    name: &'a str,
    norm: Option<&'a str>,
    tensor: Tensor,
    /// Shape in the graph.
    dims: Vec<usize>,
    /// Which of `dims` is the output channels.
    output_axis: usize,
    has_bias: bool,
}

impl Builder<'_> {
    /// A convolution, with its batch normalisation.
    pub(super) fn conv(&mut self, from: &Map, conv: Conv<'_>) -> Result<Map> {
        let weights = self.conv_weights(from.channels, conv)?;
        let [y, x] = conv.padding;
        let mut attributes = vec![
            ints("kernel_shape", &conv.kernel),
            ints("strides", &conv.stride),
            ints("pads", &[y, x, y, x]),
        ];
        let Kind::Transposed(added) = conv.kind else {
            return self.weighted("Conv", from, weights, attributes);
        };
        attributes.push(ints("output_padding", &[added, added]));
        self.weighted("ConvTranspose", from, weights, attributes)
    }

    /// A matrix on a batch of vectors, with its batch normalisation.
    pub(super) fn linear<'a>(&mut self, from: &Map, name: &'a str, norm: Option<&'a str>) -> Result<Map> {
        let tensor = self.take(&format!("{name}.weight"))?;
        let dims = vec![extent(&tensor, 0), from.channels];
        check_shape(&format!("{name}.weight"), &tensor, &dims)?;
        let weights = Weights { name, norm, tensor, dims, output_axis: 0, has_bias: true };
        self.weighted("Gemm", from, weights, vec![int("transB", 1)])
    }

    /// Checks the shape of a convolution's weights; how many channels it gives is for them to say.
    fn conv_weights<'a>(&mut self, inputs: usize, conv: Conv<'a>) -> Result<Weights<'a>> {
        let name = format!("{}.weight", conv.name);
        let tensor = self.take(&name)?;
        let output_axis = usize::from(matches!(conv.kind, Kind::Transposed(_)));
        let outputs = extent(&tensor, output_axis);
        let [height, width] = conv.kernel;
        let dims = match conv.kind {
            Kind::Plain | Kind::Frames(_) | Kind::Separable => vec![outputs, inputs, height, width],
            Kind::Transposed(_) => vec![inputs, outputs, height, width],
        };
        match conv.kind {
            Kind::Frames(frames) => {
                check_shape(&name, &tensor, &[outputs, inputs / frames, frames, height, width])?;
            }
            Kind::Separable => {
                let shape = separable_shape(tensor.shape.len(), outputs, inputs, conv.kernel);
                check_shape(&name, &tensor, &shape)?;
            }
            _ => check_shape(&name, &tensor, &dims)?,
        }
        let has_bias = conv.kind != Kind::Separable;
        Ok(Weights { name: conv.name, norm: conv.norm, tensor, dims, output_axis, has_bias })
    }

    /// A node with weights and biases, the normalisation folded in.
    fn weighted(
        &mut self,
        op: &str,
        from: &Map,
        weights: Weights<'_>,
        attributes: Vec<AttributeProto>,
    ) -> Result<Map> {
        let Weights { name, norm, tensor, dims, output_axis, has_bias } = weights;
        let channels = dims[output_axis];
        let bias =
            if has_bias { self.vector(&format!("{name}.bias"), channels)? } else { vec![0.0; channels] };
        let (factors, bias) = match norm {
            Some(norm) => fold(&bias, &self.norm(norm, channels)?)?,
            None => (vec![1.0], bias),
        };
        let inner = dims[output_axis + 1..].iter().product();
        let values = Values::Scaled { tensor, factors, inner };
        let weight = self.store(&format!("{name}.weight"), &dims, DataType::FLOAT, values);
        let bias = self.store_floats(&format!("{name}.bias"), &[channels], &bias);
        Ok(self.node(op, &[from, &weight, &bias], name, channels, attributes))
    }

    fn norm(&mut self, name: &str, channels: usize) -> Result<Norm> {
        Ok(Norm {
            weight: self.vector(&format!("{name}.weight"), channels)?,
            bias: self.vector(&format!("{name}.bias"), channels)?,
            mean: self.vector(&format!("{name}.running_mean"), channels)?,
            variance: self.vector(&format!("{name}.running_var"), channels)?,
            epsilon: self.epsilon,
        })
    }
}

/// The shape of weights of `rank` dimensions: one of them is time, space is those after it.
fn separable_shape(rank: usize, outputs: usize, inputs: usize, [height, width]: [usize; 2]) -> Vec<usize> {
    match (rank, width) {
        (3, _) => vec![outputs, inputs, width],
        (5, 1) => vec![outputs, inputs, height, 1, 1],
        (5, _) => vec![outputs, inputs, 1, height, width],
        _ => vec![outputs, inputs, height, width],
    }
}

/// The extent of a dimension; 0 when there is none or it is beyond all measure.
fn extent(tensor: &Tensor, axis: usize) -> usize {
    tensor.shape.get(axis).and_then(|&extent| usize::try_from(extent).ok()).unwrap_or(0)
}
