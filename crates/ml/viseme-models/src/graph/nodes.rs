//! Shorthands for the messages of ONNX (`onnx.proto`).

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    TypeProtoTensor, ValueInfoProto,
};

/// An extent of an input or output: a number, or a name where the caller may choose.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    Fixed(i64),
    Free(&'static str),
    Unknown,
}

/// A node with one output, which is also its name.
pub(super) fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        name: Some(output.to_owned()),
        op_type: Some(op.to_owned()),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    }
}

/// An attribute that is a list of integers.
pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.iter().map(|&value| value as i64).collect(),
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    }
}

/// An attribute that is an integer.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    }
}

/// An attribute that is a text.
pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        s: Some(value.to_owned()),
        r#type: Some(AttributeType::STRING),
        ..AttributeProto::default()
    }
}

/// An input or output of floats.
pub(super) fn value_info(name: &str, extents: &[Extent]) -> ValueInfoProto {
    let dimension = |extent: &Extent| match *extent {
        Extent::Fixed(value) => Dimension { dim_value: Some(value), dim_param: None },
        Extent::Free(name) => Dimension { dim_value: None, dim_param: Some(name.to_owned()) },
        Extent::Unknown => Dimension::default(),
    };
    let shape = TensorShapeProto { dim: extents.iter().map(dimension).collect() };
    let tensor = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() }),
    }
}

/// A stored tensor without its values.
pub(super) fn tensor(name: &str, dims: &[usize], data_type: DataType) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: dims.iter().map(|&extent| extent as i64).collect(),
        data_type: Some(data_type),
        ..TensorProto::default()
    }
}
