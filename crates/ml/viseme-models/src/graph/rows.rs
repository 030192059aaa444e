//! Leaves out the rows of a net's picture that nobody looks at: a net for a whole face of which only the mouth is taken.
//!
//! Walks back from the output through what keeps the rows of a picture apart (convolutions, sums, channels behind each other)
//! as far as that goes, and cuts the rows away where a transposed convolution doubles them. Convolutions still put zeros above
//! what they are given: rows near a cut are wrong, each layer one more, so that as many more are computed and thrown away at the end.
//! What is left is what it was, but for the order in which a runtime sums.

use super::nodes::{node, tensor};
use super::write;
use crate::onnx_node::{attribute, ints, op, text};
use rten_onnx::onnx::{
    DataLocation, DataType, Dimension, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use viseme_core::Result;

/// The dimension of the rows in a map of batch, channels, rows and columns.
const ROWS: i64 = 2;
/// Older operator sets slice by attributes.
const SLICE_BY_INPUTS: i64 = 10;

/// The net, computing only the rows from `first` on of its only output. `None` where its graph is another than we know to cut.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn rows_from(onnx: &[u8], first: usize) -> Result<Option<Vec<u8>>> {
    let Ok(mut model) = ModelProto::parse_buf(onnx) else { return Ok(None) };
    let Some(mut graph) = model.graph.take() else { return Ok(None) };
    let version = model.opset_import.iter().find(|set| is_standard(set.domain.as_deref()));
    let is_recent = version.and_then(|set| set.version).is_some_and(|version| version >= SLICE_BY_INPUTS);
    if first == 0 || !is_recent || !is_whole(&graph) || cut(&mut graph, first).is_none() {
        return Ok(None);
    }
    write::write_whole(&model, &graph).map(Some)
}

/// Whether the graph is all that there is: what else a file can hold, `rten-onnx` does not read.
fn is_whole(graph: &GraphProto) -> bool {
    let is_inside = |weight: &TensorProto| weight.data_location.is_none_or(|at| at == DataLocation::DEFAULT);
    let has_subgraph = |node: &NodeProto| node.attribute.iter().any(|attribute| attribute.g.is_some());
    graph.initializer.iter().all(is_inside)
        && graph.node.iter().all(|node| is_standard(node.domain.as_deref()) && !has_subgraph(node))
}

/// Whether a domain is that of ONNX itself.
fn is_standard(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

fn cut(graph: &mut GraphProto, first: usize) -> Option<()> {
    let [picture] = graph.output.as_mut_slice() else { return None };
    let output = picture.name.clone()?;
    let left =
        usize::try_from(rows(picture)?.dim_value?).ok()?.checked_sub(first).filter(|&left| left > 0)?;
    *rows(picture)? = Dimension { dim_value: Some(left as i64), dim_param: None };
    if joins_constants(graph) {
        return None;
    }
    let needed = needed(graph, &output, first)?;
    let mut cutter = Cutter { needed, starts: HashMap::new(), nodes: Vec::new(), constants: Vec::new() };
    for node in &graph.node {
        cutter.take(node)?;
    }
    let start = cutter.start(&output);
    // The last node gets another name, and what it makes is cut to the rows that were asked for.
    let uncut = format!("{output}.uncut");
    for name in cutter.nodes.iter_mut().flat_map(|node| &mut node.output) {
        if *name == output {
            name.clone_from(&uncut);
        }
    }
    cutter.slice(&uncut, first.checked_sub(start)?, &output);
    let Cutter { nodes, constants, .. } = cutter;
    graph.node = nodes;
    graph.initializer.extend(constants);
    // Shapes in between are no longer what is written there.
    graph.value_info.clear();
    Some(())
}

/// Whether a map is joined with something that is stored, whose rows are no map's.
fn joins_constants(graph: &GraphProto) -> bool {
    let made = graph.node.iter().filter(|node| op(node) == "Constant").flat_map(|node| &node.output);
    let stored = graph.initializer.iter().filter_map(|weight| weight.name.as_ref());
    let constants: HashSet<&String> = made.chain(stored).collect();
    graph.node.iter().any(|node| maps(node).count() > 1 && maps(node).any(|name| constants.contains(name)))
}

/// From which row on each map is needed; `None` where nothing can be left out.
fn needed(graph: &GraphProto, output: &str, first: usize) -> Option<HashMap<String, usize>> {
    let mut needed = HashMap::from([(output.to_owned(), first)]);
    let mut is_doubled = false;
    // Nodes come after what they need: backwards, a map has been asked for by all who want it before its own maker is met.
    for node in graph.node.iter().rev() {
        let Some(&row) = node.output.first().and_then(|name| needed.get(name)) else { continue };
        let Some(above) = Rows::of(node).map(|rows| rows.needed(row)) else { continue };
        is_doubled |= op(node) == "ConvTranspose";
        for name in maps(node) {
            let entry = needed.entry(name.clone()).or_insert(above);
            *entry = above.min(*entry);
        }
    }
    // A map that somebody wants whom we do not know is wanted whole.
    for node in &graph.node {
        let is_known = node.output.first().is_some_and(|name| needed.contains_key(name));
        if !is_known || Rows::of(node).is_none() {
            for name in &node.input {
                needed.remove(name);
            }
        }
    }
    (is_doubled && needed.contains_key(output)).then_some(needed)
}

/// How the rows that a node makes belong to those that it is given.
enum Rows {
    /// Each to the same; neighbours up to so far away are looked at.
    Same(usize),
    /// Each to two.
    Doubled,
}

impl Rows {
    /// `None` for a node that mixes rows in ways that we do not know.
    fn of(node: &NodeProto) -> Option<Self> {
        let all = |name: &str, value: i64| ints(node, name).iter().all(|&each| each == value);
        match op(node) {
            "Relu" | "Sigmoid" | "LeakyRelu" | "Tanh" | "Add" | "BatchNormalization" | "Identity" => {
                Some(Self::Same(0))
            }
            "Concat" => (attribute(node, "axis")?.i == Some(1)).then_some(Self::Same(0)),
            "Conv" => {
                let pad = (ints(node, "kernel_shape").first()? - 1) / 2;
                let is_plain = all("strides", 1) && all("dilations", 1) && all("kernel_shape", 2 * pad + 1);
                let is_padded = all("pads", pad) && (pad == 0 || ints(node, "pads").len() == 4);
                (is_plain && is_padded && has_no_auto_pad(node)).then_some(Self::Same(pad as usize))
            }
            // Row y of the output is made of the rows y / 2 and, where y is odd, of the next.
            "ConvTranspose" => {
                let is_doubling = [("kernel_shape", 3, 2), ("strides", 2, 2), ("pads", 1, 4)]
                    .iter()
                    .all(|&(name, value, count)| all(name, value) && ints(node, name).len() == count);
                let adds_row = ints(node, "output_padding").len() == 2 && all("output_padding", 1);
                let is_plain = all("dilations", 1) && attribute(node, "output_shape").is_none();
                (is_doubling && adds_row && is_plain && has_no_auto_pad(node)).then_some(Self::Doubled)
            }
            _ => None,
        }
    }

    /// From which row on it must be given what it takes, for rows from `first` on.
    fn needed(&self, first: usize) -> usize {
        match self {
            Self::Same(reach) => first.saturating_sub(*reach),
            Self::Doubled => first / 2,
        }
    }
}

/// Rewrites nodes, in order.
struct Cutter {
    /// From which row on each map is needed.
    needed: HashMap<String, usize>,
    /// Which row of the uncut map is the first of one that was cut.
    starts: HashMap<String, usize>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Cutter {
    fn take(&mut self, node: &NodeProto) -> Option<()> {
        let mut node = node.clone();
        let rows = Rows::of(&node);
        let starts: Vec<usize> = maps(&node).map(|name| self.start(name)).collect();
        let first = match (&rows, op(&node)) {
            (None, _) => return self.take_uncut(node),
            (Some(_), "ConvTranspose") => {
                let wanted = node.input.first().and_then(|name| self.needed.get(name)).copied();
                wanted.unwrap_or_default().max(*starts.first()?)
            }
            (Some(_), _) => starts.iter().copied().max().unwrap_or_default(),
        };
        for (index, start) in starts.into_iter().enumerate().filter(|&(_, start)| start < first) {
            let cut = format!("{}.from_{first}.{}", node.input[index], self.nodes.len());
            let uncut = std::mem::replace(&mut node.input[index], cut.clone());
            self.slice(&uncut, first - start, &cut);
        }
        let first = if matches!(rows, Some(Rows::Doubled)) { 2 * first } else { first };
        if first > 0 {
            self.starts.insert(node.output.first()?.clone(), first);
        }
        self.nodes.push(node);
        Some(())
    }

    /// A node that must be given whole maps.
    fn take_uncut(&mut self, node: NodeProto) -> Option<()> {
        let is_whole = node.input.iter().all(|name| self.start(name) == 0);
        self.nodes.push(node);
        is_whole.then_some(())
    }

    fn start(&self, name: &str) -> usize {
        self.starts.get(name).copied().unwrap_or_default()
    }

    /// The map `from` without its first rows.
    fn slice(&mut self, from: &str, rows: usize, to: &str) {
        let mut constant = |what: &str, value: i64| {
            let name = format!("{to}.{what}");
            let values = Some(RefCell::new(value.to_le_bytes().to_vec()));
            self.constants.push(TensorProto { raw_data: values, ..tensor(&name, &[1], DataType::INT64) });
            name
        };
        let inputs =
            [constant("start", rows as i64), constant("end", i64::from(i32::MAX)), constant("axis", ROWS)];
        let [start, end, axis] = inputs.each_ref().map(String::as_str);
        self.nodes.push(node("Slice", &[from, start, end, axis], to, Vec::new()));
    }
}

/// The inputs of a node that are maps, not weights.
fn maps(node: &NodeProto) -> impl Iterator<Item = &String> {
    let count = if matches!(op(node), "Add" | "Concat") { node.input.len() } else { 1 };
    node.input.iter().take(count)
}

/// The number of rows of an input or output, where its shape has one.
fn rows(value: &mut ValueInfoProto) -> Option<&mut Dimension> {
    value.r#type.as_mut()?.tensor_type.as_mut()?.shape.as_mut()?.dim.get_mut(ROWS as usize)
}

fn has_no_auto_pad(node: &NodeProto) -> bool {
    text(node, "auto_pad").is_none_or(|padding| padding == "NOTSET")
}
