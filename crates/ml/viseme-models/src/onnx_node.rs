//! What a node of an ONNX graph says of itself (`onnx.proto`, `NodeProto`).

use rten_onnx::onnx::{AttributeProto, NodeProto};

/// Its operator; empty where it names none.
pub(crate) fn op(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or_default()
}

/// The attribute of that name.
pub(crate) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
}

/// An attribute that is a list of integers; empty where there is none.
pub(crate) fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}

/// An attribute that is a text.
pub(crate) fn text<'a>(node: &'a NodeProto, name: &str) -> Option<&'a str> {
    attribute(node, name)?.s.as_deref()
}
