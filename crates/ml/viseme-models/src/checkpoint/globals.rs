//! The names that a pickle may refer to, and what stands for them here.

use super::bad;
use super::storage::{ElementType, Storage, Tensor};
use super::value::{Object, Objects, Value};
use std::rc::Rc;
use viseme_core::Result;

/// A name on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    StorageType(ElementType),
    /// `_rebuild_tensor` and `_rebuild_tensor_v2`, whose further arguments do not matter here.
    RebuildTensor,
    /// A parameter is its tensor.
    RebuildParameter,
    /// A class of a TorchScript archive, whose code is in the archive and stays there.
    TorchScriptClass,
    /// `build_intlist` and its kin: a list is itself. So is a value whose type is told (`restore_type_tag`).
    TorchScriptIdentity,
}

impl Global {
    /// Looks a name up.
    ///
    /// # Errors
    /// `InvalidInput` that tells the name when it is not on the list.
    pub(super) fn named(module: &str, name: &str) -> Result<Self> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") | ("torch.nn.parameter", "Parameter") => {
                Self::RebuildParameter
            }
            (
                "torch.jit._pickle",
                "build_intlist" | "build_tensorlist" | "build_doublelist" | "build_boollist"
                | "restore_type_tag",
            ) => Self::TorchScriptIdentity,
            ("torch", name) => match ElementType::of_storage(name) {
                Some(element) => Self::StorageType(element),
                None => return Err(refused("torch", name)),
            },
            (module, _) if module == "__torch__" || module.starts_with("__torch__.") => {
                Self::TorchScriptClass
            }
            (module, name) => return Err(refused(module, name)),
        })
    }
}

fn refused(module: &str, name: &str) -> viseme_core::Error {
    bad(format!("its pickle wants {:?}, which a plain checkpoint has no use for", format!("{module}.{name}")))
}

/// What calling the global gives.
pub(super) fn call(objects: &mut Objects, callee: Global, arguments: &Value) -> Result<Value> {
    let arguments = objects.elements(arguments).ok_or_else(|| bad("its pickle calls without arguments"))?;
    match (callee, arguments) {
        (Global::OrderedDict, []) => Ok(objects.add(Object::Dict(Vec::new()))),
        (Global::OrderedDict, [pairs]) => {
            let entries =
                pairs_of(objects, pairs).ok_or_else(|| bad("its pickle has a broken OrderedDict"))?;
            Ok(objects.add(Object::Dict(entries)))
        }
        (Global::RebuildTensor, arguments) => {
            let tensor = tensor(objects, arguments).ok_or_else(|| bad("its pickle has a broken tensor"))?;
            Ok(objects.add(Object::Tensor(tensor)))
        }
        (Global::RebuildParameter | Global::TorchScriptIdentity, [value, ..]) => Ok(value.clone()),
        _ => Err(bad(format!("its pickle calls {callee:?} in a way that is not known"))),
    }
}

/// The entries of an `OrderedDict` as Python 2 wrote it: a list of lists of two.
fn pairs_of(objects: &Objects, pairs: &Value) -> Option<Vec<(Value, Value)>> {
    let pair = |pair: &Value| match objects.elements(pair)? {
        [key, value] => Some((key.clone(), value.clone())),
        _ => None,
    };
    objects.elements(pairs)?.iter().map(pair).collect()
}

/// The arguments of `_rebuild_tensor_v2`: storage, offset, shape, strides, and more that does not matter.
fn tensor(objects: &Objects, arguments: &[Value]) -> Option<Tensor> {
    /// The most dimensions: a three-dimensional convolution has five.
    const MAX_RANK: usize = 8;
    let [storage, offset, shape, strides, ..] = arguments else { return None };
    let Some(Object::Storage(storage)) = objects.get(storage) else { return None };
    let sizes = |value| -> Option<Vec<u64>> {
        let sizes = objects.elements(value).filter(|sizes| sizes.len() <= MAX_RANK)?;
        sizes.iter().map(Value::size).collect()
    };
    let (shape, strides) = (sizes(shape)?, sizes(strides)?);
    (shape.len() == strides.len()).then_some(Tensor {
        storage: Rc::clone(storage),
        offset: offset.size()?,
        shape,
        strides,
    })
}

/// A storage by its persistent id: `("storage", type, key, device, elements)`, in the legacy form also what part of it
/// is meant: `(key of the view, offset, elements)`.
pub(super) fn storage(objects: &Objects, id: &Value) -> Result<Storage> {
    let read = || {
        let [kind, Value::Global(Global::StorageType(element)), key, _device, elements, view @ ..] =
            objects.elements(id)?
        else {
            return None;
        };
        let offset = match view {
            [] | [Value::None] => 0,
            [view] => objects.elements(view)?.get(1)?.size()?,
            _ => return None,
        };
        let key = Rc::clone(key.text()?);
        (**kind.text()? == *"storage").then_some(Storage {
            key,
            element: *element,
            elements: elements.size()?,
            offset,
        })
    };
    read().ok_or_else(|| bad("its pickle refers to something outside that is no storage"))
}
