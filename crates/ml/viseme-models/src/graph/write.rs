//! Writes a graph as an ONNX file without holding its weights: lengths first, then one tensor after the other.

use super::bad;
use super::builder::{Graph, Initializer, Values, within};
use crate::checkpoint::Checkpoint;
use rten_onnx::onnx::{GraphProto, ModelProto, OperatorSetIdProto};
use rten_onnx::protobuf::varint::varint_len;
use rten_onnx::protobuf::{EncodeMessage, ErrorKind, ProtobufError, ValueWriter, WriteValue};
use std::io::Write;
use viseme_core::{Error, Result};

/// `IR_VERSION` of ONNX 1.10, which came with operator set 15; both are older than any runtime that we use.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 17;

/// Tags of fields that hold messages or bytes: number, then wire type 2 (`onnx.proto`).
const MODEL_GRAPH: u64 = 7 << 3 | 2;
const GRAPH_NAME: u64 = 2 << 3 | 2;
const GRAPH_INITIALIZER: u64 = 5 << 3 | 2;
const TENSOR_RAW_DATA: u64 = 9 << 3 | 2;

/// A graph must have a name; `rten-onnx` has no field for it.
const NAME: &str = "net";

/// No protobuf message may be longer.
const MAX_BYTES: u64 = (1 << 31) - 1;

/// Writes the graph, fetching the weights from the checkpoint.
pub(super) fn write(graph: Graph, checkpoint: &mut Checkpoint, output: impl Write) -> Result<()> {
    let Graph { proto, initializers } = graph;
    let length = graph_length(&proto, &initializers).map_err(|error| failed(&error))?;
    if length > MAX_BYTES {
        return Err(bad("its weights are too large for one ONNX file"));
    }
    let mut writer = ValueWriter::new(output);
    header(&own_model(), &proto, length, &mut writer).map_err(|error| failed(&error))?;
    for initializer in initializers {
        let name = initializer.proto.name.clone().unwrap_or_default();
        tensor_header(&initializer, &mut writer).map_err(|error| failed(&error))?;
        let bytes = match initializer.values {
            Values::Ready(bytes) => bytes,
            Values::Scaled { tensor, factors, inner } => {
                let values = checkpoint.read(&tensor).map_err(|error| within(&name, &error))?;
                scaled(&values, &factors, inner)
            }
        };
        writer.write_bytes(&bytes).map_err(|error| failed(&error))?;
    }
    writer.flush().map_err(|error| failed(&error))
}

fn scaled(values: &[f32], factors: &[f32], inner: usize) -> Vec<u8> {
    let blocks = values.chunks(inner).zip(factors.iter().cycle());
    blocks
        .flat_map(|(block, factor)| block.iter().flat_map(move |value| (value * factor).to_le_bytes()))
        .collect()
}

/// The bytes of a model with its graph, weights and all, which `model` lacks.
pub(super) fn write_whole(model: &ModelProto, graph: &GraphProto) -> Result<Vec<u8>> {
    let encode = || {
        let length = graph_length(graph, &[])?;
        // The graph's own length and tag, and what little the model holds besides.
        let mut bytes = Vec::with_capacity(length as usize + 4096);
        header(model, graph, length, &mut ValueWriter::new(&mut bytes))?;
        Ok(bytes)
    };
    encode().map_err(|error: ProtobufError| failed(&error))
}

/// A model of ours, without its graph.
fn own_model() -> ModelProto {
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("viseme".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(OPERATOR_SET) }],
        ..ModelProto::default()
    }
}

/// The model and its graph, of which the initializers may follow that `length` counts besides.
fn header(
    model: &ModelProto,
    proto: &GraphProto,
    length: u64,
    writer: &mut impl WriteValue,
) -> Result<(), ProtobufError> {
    model.encode(&mut *writer)?;
    writer.write_varint(MODEL_GRAPH)?;
    writer.write_varint(length)?;
    writer.write_varint(GRAPH_NAME)?;
    writer.write_varint(NAME.len() as u64)?;
    writer.write_bytes(NAME.as_bytes())?;
    proto.encode(writer)
}

/// One initializer up to its values.
fn tensor_header(initializer: &Initializer, writer: &mut impl WriteValue) -> Result<(), ProtobufError> {
    writer.write_varint(GRAPH_INITIALIZER)?;
    writer.write_varint(tensor_length(initializer)?)?;
    initializer.proto.encode(&mut *writer)?;
    writer.write_varint(TENSOR_RAW_DATA)?;
    writer.write_varint(value_bytes(initializer))
}

fn graph_length(proto: &GraphProto, initializers: &[Initializer]) -> Result<u64, ProtobufError> {
    let name = field_length(GRAPH_NAME, NAME.len() as u64);
    initializers.iter().try_fold(name + proto.encoded_len()?, |sum, initializer| {
        Ok(sum + field_length(GRAPH_INITIALIZER, tensor_length(initializer)?))
    })
}

fn tensor_length(initializer: &Initializer) -> Result<u64, ProtobufError> {
    Ok(initializer.proto.encoded_len()? + field_length(TENSOR_RAW_DATA, value_bytes(initializer)))
}

fn field_length(tag: u64, content: u64) -> u64 {
    (varint_len(tag) + varint_len(content)) as u64 + content
}

fn value_bytes(initializer: &Initializer) -> u64 {
    match &initializer.values {
        Values::Ready(bytes) => bytes.len() as u64,
        Values::Scaled { tensor, .. } => 4 * tensor.shape.iter().product::<u64>(),
    }
}

fn failed(error: &ProtobufError) -> Error {
    match error.kind() {
        ErrorKind::IoError(source) => Error::io("write the net", std::io::Error::from(source.kind())),
        kind => Error::internal(format!("cannot encode the net: {kind}")),
    }
}
