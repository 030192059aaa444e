//! Finds the trunk of a net in its ONNX file.

use super::conv::Conv;
use super::{Step, Trunk};
use crate::onnx_node::{attribute, ints, op, text};
use half::f16;
use rten_onnx::onnx::{DataType, GraphProto, ModelProto, NodeProto, TensorProto};
use std::collections::HashMap;
use std::sync::Mutex;

/// Reads the steps that we can run, as far as they depend on the picture and on each other alone.
pub(super) fn read(onnx: &[u8]) -> Option<Trunk> {
    let graph = ModelProto::parse_buf(onnx).ok()?.graph?;
    let mut reader = Reader::new(&graph)?;
    let is_taken: Vec<bool> = graph.node.iter().map(|node| reader.take(node).is_some()).collect();
    let Reader { input, channels, steps, slots, .. } = reader;
    let left = graph.node.iter().zip(is_taken).filter(|(_, is_taken)| !is_taken);
    let wanted_by_rest = left.flat_map(|(node, _)| node.input.iter());
    let wanted_by_caller = graph.output.iter().filter_map(|output| output.name.as_ref());
    let mut outputs: Vec<(String, usize)> = wanted_by_rest
        .chain(wanted_by_caller)
        .filter_map(|name| Some((name.clone(), *slots.get(name)?)))
        .filter(|&(_, slot)| slot > 0)
        .collect();
    outputs.sort_unstable();
    outputs.dedup();
    (!outputs.is_empty()).then_some(Trunk {
        input,
        channels: channels?,
        steps,
        outputs,
        idle: Mutex::default(),
    })
}

struct Reader<'a> {
    graph: &'a GraphProto,
    input: String,
    channels: Option<usize>,
    steps: Vec<Step>,
    /// The slots of the values that are known, by name.
    slots: HashMap<String, usize>,
    constants: HashMap<&'a str, &'a TensorProto>,
}

impl<'a> Reader<'a> {
    fn new(graph: &'a GraphProto) -> Option<Self> {
        let [input] = graph.input.as_slice() else { return None };
        let input = input.name.clone()?;
        let stored = graph.initializer.iter().filter_map(|tensor| Some((tensor.name.as_deref()?, tensor)));
        let made =
            graph.node.iter().filter(|node| op(node) == "Constant").filter_map(|node| {
                Some((node.output.first()?.as_str(), attribute(node, "value")?.t.as_ref()?))
            });
        let mut constants: HashMap<_, _> = stored.chain(made).collect();
        for node in graph.node.iter().filter(|node| op(node) == "Cast") {
            let (Some(from), Some(to)) = (node.input.first(), node.output.first()) else { continue };
            if let Some(&tensor) = constants.get(from.as_str()) {
                constants.insert(to, tensor);
            }
        }
        let slots = HashMap::from([(input.clone(), 0)]);
        Some(Self { graph, input, channels: None, steps: Vec::new(), slots, constants })
    }

    /// Takes a node into the trunk; `None` when it does not belong there.
    fn take(&mut self, node: &NodeProto) -> Option<()> {
        let from = *self.slots.get(node.input.first()?)?;
        let step = match op(node) {
            "Conv" => Step::Conv { from, conv: Box::new(self.conv(node, from)?) },
            "Add" => Step::Add { from: [from, *self.slots.get(node.input.get(1)?)?], relu: false },
            "Resize" => self.doubling(node, from)?,
            "Relu" => match self.take_relu_into_step(node, from) {
                Some(()) => return self.name(node, from),
                None => Step::Relu { from },
            },
            _ => return None,
        };
        self.steps.push(step);
        self.name(node, self.steps.len())
    }

    fn name(&mut self, node: &NodeProto, slot: usize) -> Option<()> {
        self.slots.insert(node.output.first()?.clone(), slot);
        Some(())
    }

    /// A rectifier right behind a convolution or a sum that nobody else looks at is part of it.
    fn take_relu_into_step(&mut self, node: &NodeProto, from: usize) -> Option<()> {
        let name = node.input.first()?;
        let readers =
            self.graph.node.iter().flat_map(|node| &node.input).filter(|input| *input == name).count();
        let is_output = self.graph.output.iter().any(|output| output.name.as_ref() == Some(name));
        if readers > 1 || is_output {
            return None;
        }
        match self.steps.get_mut(from.checked_sub(1)?)? {
            Step::Conv { conv, .. } => conv.relu = true,
            Step::Add { relu, .. } => *relu = true,
            Step::Relu { .. } | Step::Double { .. } => return None,
        }
        self.slots.remove(name);
        Some(())
    }

    fn conv(&mut self, node: &NodeProto, from: usize) -> Option<Conv> {
        let (shape, weights) = self.floats(node.input.get(1)?)?;
        let (_, bias) = self.floats(node.input.get(2)?)?;
        let [outputs, inputs, kernel, kernel_width] = *shape.as_slice() else { return None };
        let all = |name: &str, value: i64| ints(node, name).iter().all(|&v| v == value);
        let stride = ints(node, "strides").first().copied().unwrap_or(1);
        let pad = i64::from(kernel == 3);
        let is_plain = kernel == kernel_width
            && (kernel == 1 || (kernel == 3 && ints(node, "pads").len() == 4))
            && all("pads", pad)
            && all("strides", stride)
            && all("dilations", 1)
            && attribute(node, "group").and_then(|a| a.i).unwrap_or(1) == 1
            && attribute(node, "auto_pad").is_none()
            && matches!(stride, 1 | 2)
            && bias.len() == outputs
            && weights.len() == outputs * inputs * kernel * kernel;
        if !is_plain || (from == 0 && self.channels.is_some_and(|channels| channels != inputs)) {
            return None;
        }
        if from == 0 {
            self.channels = Some(inputs);
        }
        Some(Conv::new(&weights, &bias, inputs, kernel, stride as usize))
    }

    /// Enlarging to twice the size by repeating pixels.
    fn doubling(&self, node: &NodeProto, from: usize) -> Option<Step> {
        let (_, scales) = self.floats(node.input.get(2)?)?;
        let is_doubling = text(node, "mode") == Some("nearest")
            && text(node, "coordinate_transformation_mode") == Some("asymmetric")
            && text(node, "nearest_mode") == Some("floor")
            && scales
                .iter()
                .zip([1.0, 1.0, 2.0, 2.0])
                .all(|(a, b): (&f32, f32)| (a - b).abs() < f32::EPSILON)
            && scales.len() == 4;
        is_doubling.then_some(Step::Double { from })
    }

    /// Shape and values of a constant of floats, of 32 or 16 bits.
    fn floats(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let tensor = self.constants.get(name)?;
        let shape =
            tensor.dims.iter().map(|&extent| usize::try_from(extent).ok()).collect::<Option<Vec<_>>>()?;
        let raw = tensor.raw_data.as_ref()?.borrow();
        let values: Vec<f32> = match tensor.data_type? {
            DataType::FLOAT => {
                raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            DataType::FLOAT16 => {
                raw.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
            _ => return None,
        };
        (values.len() == shape.iter().product::<usize>()).then_some((shape, values))
    }
}
