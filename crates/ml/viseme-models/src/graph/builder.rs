//! Layer by layer: takes tensors of a checkpoint by name and puts nodes behind each other.

use super::bad;
use super::fold::DEFAULT_EPSILON;
use super::nodes::{Extent, int, ints, node, tensor, value_info};
use crate::checkpoint::{Checkpoint, Tensor};
use rten_onnx::onnx::{AttributeProto, DataType, GraphProto, TensorProto};
use std::collections::BTreeSet;
use viseme_core::{Error, Result};

/// A value in the graph, with its number of channels (its second dimension).
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub(super) name: String,
    pub(super) channels: usize,
}

/// The values of a stored tensor.
pub(super) enum Values {
    /// As bytes, little end first.
    Ready(Vec<u8>),
    /// Those of the checkpoint, the value `i` times `factors[i / inner % factors.len()]`.
    Scaled { tensor: Tensor, factors: Vec<f32>, inner: usize },
}

/// A stored tensor of the graph.
pub(super) struct Initializer {
    pub(super) proto: TensorProto,
    pub(super) values: Values,
}

/// The whole graph, its weights still in the checkpoint.
pub(super) struct Graph {
    /// Nodes, inputs and outputs; no initializers.
    pub(super) proto: GraphProto,
    pub(super) initializers: Vec<Initializer>,
}

/// Builds a [`Graph`].
pub(super) struct Builder<'a> {
    checkpoint: &'a mut Checkpoint,
    used: BTreeSet<String>,
    graph: Graph,
    /// What the normalisations of the net add to the variance.
    pub(super) epsilon: f64,
}

impl<'a> Builder<'a> {
    pub(super) fn new(checkpoint: &'a mut Checkpoint) -> Self {
        let graph = Graph { proto: GraphProto::default(), initializers: Vec::new() };
        Self { checkpoint, used: BTreeSet::new(), graph, epsilon: DEFAULT_EPSILON }
    }

    /// Says what the normalisations of the net add to the variance.
    pub(super) fn set_epsilon(&mut self, epsilon: f64) {
        self.epsilon = epsilon;
    }

    /// The graph, when every tensor of the checkpoint has found its layer.
    pub(super) fn finish(self) -> Result<Graph> {
        let is_known = |name: &str| name.ends_with(".num_batches_tracked") || self.used.contains(name);
        match self.checkpoint.names().find(|name| !is_known(name)) {
            Some(name) => Err(bad(format!("it has a tensor that belongs to no layer: {name}"))),
            None => Ok(self.graph),
        }
    }

    /// Says that tensors whose names begin so belong to another part of the net.
    pub(super) fn ignore(&mut self, prefix: &str) {
        let ignored = self.checkpoint.names().filter(|name| name.starts_with(prefix)).map(str::to_owned);
        self.used.extend(ignored.collect::<Vec<_>>());
    }

    pub(super) fn input(&mut self, name: &str, channels: usize, extents: &[Extent]) -> Map {
        self.graph.proto.input.push(value_info(name, extents));
        Map { name: name.to_owned(), channels }
    }

    /// Makes `from` an output named `name`, after the node `op`.
    pub(super) fn output(&mut self, op: &str, from: &Map, name: &str, extents: &[Extent]) {
        self.node(op, &[from], name, from.channels, Vec::new());
        self.graph.proto.output.push(value_info(name, extents));
    }

    /// A node with one output.
    pub(super) fn node(
        &mut self,
        op: &str,
        from: &[&Map],
        name: &str,
        channels: usize,
        attributes: Vec<AttributeProto>,
    ) -> Map {
        let inputs: Vec<&str> = from.iter().map(|map| map.name.as_str()).collect();
        self.graph.proto.node.push(node(op, &inputs, name, attributes));
        Map { name: name.to_owned(), channels }
    }

    /// What is not negative.
    pub(super) fn relu(&mut self, from: &Map) -> Map {
        self.node("Relu", &[from], &format!("{}.relu", from.name), from.channels, Vec::new())
    }

    /// The maximum over windows of `size`, `stride` apart; nothing outside counts.
    pub(super) fn max_pool(
        &mut self,
        from: &Map,
        size: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Map {
        let [y, x] = padding;
        let attributes =
            vec![ints("kernel_shape", &size), ints("strides", &stride), ints("pads", &[y, x, y, x])];
        self.node("MaxPool", &[from], &format!("{}.pool", from.name), from.channels, attributes)
    }

    /// The sum of a layer's output and its input, which must be equally wide.
    pub(super) fn add(&mut self, made: &Map, from: &Map) -> Result<Map> {
        if made.channels != from.channels {
            let [made, from] = [made, from].map(|map| map.channels);
            return Err(bad(format!("its layer adds {from} channels to {made}")));
        }
        Ok(self.node("Add", &[made, from], &format!("{}.sum", made.name), made.channels, Vec::new()))
    }

    /// Channels of several maps behind each other.
    pub(super) fn concat(&mut self, from: &[&Map], name: &str) -> Map {
        let channels = from.iter().map(|map| map.channels).sum();
        self.node("Concat", from, name, channels, vec![int("axis", 1)])
    }

    /// The values of a vector of the checkpoint.
    pub(super) fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>> {
        let vector = self.take(name)?;
        check_shape(name, &vector, &[length])?;
        self.read(&vector).map_err(|error| within(name, &error))
    }

    /// The values of a tensor of the checkpoint.
    pub(super) fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>> {
        self.checkpoint.read(tensor)
    }

    /// Stores constants.
    pub(super) fn store_floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> Map {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.store(name, dims, DataType::FLOAT, Values::Ready(bytes))
    }

    /// Stores integers, as which ONNX takes axes and shapes.
    pub(super) fn store_integers(&mut self, name: &str, values: &[i64]) -> Map {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.store(name, &[values.len()], DataType::INT64, Values::Ready(bytes))
    }

    /// Stores a tensor. What it is given to decides which of its dimensions are channels, so it has none to speak of.
    pub(super) fn store(&mut self, name: &str, dims: &[usize], data_type: DataType, values: Values) -> Map {
        self.graph.initializers.push(Initializer { proto: tensor(name, dims, data_type), values });
        Map { name: name.to_owned(), channels: 0 }
    }

    /// A tensor of the checkpoint, which has a layer now.
    pub(super) fn take(&mut self, name: &str) -> Result<Tensor> {
        let found = self.checkpoint.get(name).cloned();
        self.used.insert(name.to_owned());
        found.ok_or_else(|| bad(format!("it has no tensor {name}")))
    }
}

/// Checks a shape, and that there is something in it.
pub(super) fn check_shape(name: &str, tensor: &Tensor, expected: &[usize]) -> Result<()> {
    if tensor.values().is_none()
        || expected.contains(&0)
        || !tensor.shape.iter().copied().eq(expected.iter().map(|&extent| extent as u64))
    {
        return Err(bad(format!(
            "its tensor {name} has the shape {:?} instead of {expected:?}",
            tensor.shape
        )));
    }
    Ok(())
}

/// Says which tensor an error is about.
pub(super) fn within(name: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{name}: {error}"))
}
