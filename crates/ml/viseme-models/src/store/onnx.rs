//! Whether a file is the ONNX graph that it should be.

use crate::manifest::{Graph, TensorSpec};
use rten_onnx::onnx::{ModelProto, ValueInfoProto};
use std::fs::File;
use std::path::Path;
use viseme_core::{Error, Result};

/// Reads the graph and compares its inputs and outputs with those of `expected`, where they are known.
///
/// # Errors
/// When it is no ONNX file, or its tensors have other names.
pub(super) fn check(path: &Path, shown: &str, expected: &Graph) -> Result<()> {
    let file =
        File::open(path).map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
    let graph = ModelProto::parse_file(file)
        .map_err(|source| Error::invalid_input(format!("{shown} is no ONNX file: {source}")))?
        .graph
        .filter(|graph| !graph.node.is_empty())
        .ok_or_else(|| Error::invalid_input(format!("{shown} is no ONNX file: it has no graph")))?;
    // Old exporters list the weights among the inputs.
    let weights: Vec<_> = graph.initializer.iter().filter_map(|weight| weight.name.as_deref()).collect();
    let inputs: Vec<&str> = names(&graph.input).filter(|name| !weights.contains(name)).collect();
    let outputs: Vec<&str> = names(&graph.output).collect();
    compare(shown, "inputs", &inputs, &expected.inputs)?;
    compare(shown, "outputs", &outputs, &expected.outputs)
}

fn names(values: &[ValueInfoProto]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| value.name.as_deref())
}

fn compare(shown: &str, what: &str, found: &[&str], expected: &[TensorSpec]) -> Result<()> {
    if expected.iter().all(|tensor| found.contains(&tensor.name.as_str())) {
        return Ok(());
    }
    let expected: Vec<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
    let (found, expected) = (found.join(", "), expected.join(", "));
    Err(Error::invalid_input(format!(
        "{shown} is another model: its {what} are {found}, expected {expected}"
    )))
}
