//! What a graph asks of a runtime, read from the file without loading it.

use crate::ModelFile;
use crate::onnx_node::{op, text};
use rten_onnx::onnx::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use std::collections::HashMap;
use viseme_core::{Error, Result};

/// Why `rten` must not run a graph, as a clause: "it is quantised, and …".
pub(crate) type Objection = &'static str;

/// `rten` 0.27 gave wrong numbers for dynamically quantised nets (largest difference 0.77, NaN in batches) and is no
/// faster for the others: docs/RUNTIMES.md.
const QUANTISED: Objection = "it is quantised, which rten runs slowly or wrongly";
/// `rten` 0.27 loads such a graph and fails when it runs.
const VOLUME_SAMPLING: Objection = "it samples volumes (GridSample of five dimensions), which rten cannot";
/// `rten` 0.27's `GridSample` knows bilinear interpolation with zeros outside.
const OTHER_SAMPLING: Objection =
    "it samples in a way that rten cannot (GridSample not bilinear with zeros outside)";

/// What speaks against running a model with `rten`; `None` when nothing is known.
///
/// # Errors
/// When the model cannot be read or is not an ONNX file.
pub(crate) fn rten_objection(model: &ModelFile) -> Result<Option<Objection>> {
    let bytes = model.read()?;
    let graph =
        ModelProto::parse_buf(&bytes).ok().and_then(|proto| proto.graph).filter(|g| !g.node.is_empty());
    let graph = graph.ok_or_else(|| {
        Error::invalid_input(format!("the model {} is not an ONNX file", model.name))
            .with_hint("Get it again: `viseme models verify` says which files are broken.")
    })?;
    Ok(graph_objection(&graph))
}

fn graph_objection(graph: &GraphProto) -> Option<Objection> {
    let ranks = ranks(graph);
    // A volume net has volumes all over: where the rank of the sampled tensor is not written down, this tells.
    let has_volume_weights = graph.initializer.iter().any(|weights| weights.dims.len() == 5);
    graph.node.iter().find_map(|node| match op(node) {
        "QuantizeLinear"
        | "DequantizeLinear"
        | "DynamicQuantizeLinear"
        | "ConvInteger"
        | "MatMulInteger"
        | "QLinearConv"
        | "QLinearMatMul" => Some(QUANTISED),
        "GridSample" => {
            let names = node.input.iter().chain(&node.output);
            let rank = names.filter_map(|name| ranks.get(name.as_str())).copied().next();
            let is_volume = rank.map_or(has_volume_weights, |rank| rank == 5);
            if is_volume { Some(VOLUME_SAMPLING) } else { plain_sampling_objection(node) }
        }
        _ => None,
    })
}

fn plain_sampling_objection(node: &NodeProto) -> Option<Objection> {
    let is_other =
        |name: &str, plain: [&str; 2]| text(node, name).is_some_and(|value| !plain.contains(&value));
    // "bilinear" became "linear" with opset 20.
    (is_other("mode", ["bilinear", "linear"]) || is_other("padding_mode", ["zeros", "zeros"]))
        .then_some(OTHER_SAMPLING)
}

/// How many dimensions the tensors have whose shape is written down.
fn ranks(graph: &GraphProto) -> HashMap<&str, usize> {
    let rank = |info: &ValueInfoProto| -> Option<usize> {
        Some(info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?.dim.len())
    };
    let infos = graph.input.iter().chain(&graph.output).chain(&graph.value_info);
    infos.filter_map(|info| Some((info.name.as_deref()?, rank(info)?))).collect()
}
