//! What the pickle machine works on.

use super::globals::Global;
use super::storage::{Storage, Tensor};
use std::rc::Rc;

/// A value on the stack. Whatever can contain others lies in [`Objects`], so that cycles cost nothing.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    /// Wide enough for the magic number of the legacy form, 77 bits.
    Int(i128),
    Float,
    Text(Rc<str>),
    Global(Global),
    Object(usize),
}

/// A value that is shared by all who hold its index.
#[derive(Debug)]
pub(super) enum Object {
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// An instance of a class of a TorchScript archive: its attributes.
    Instance(Vec<(Value, Value)>),
    Storage(Rc<Storage>),
    Tensor(Tensor),
}

/// All objects of one pickle, by index.
#[derive(Debug, Default)]
pub(super) struct Objects(Vec<Object>);

impl Objects {
    pub(super) fn add(&mut self, object: Object) -> Value {
        self.0.push(object);
        Value::Object(self.0.len() - 1)
    }

    pub(super) fn get(&self, value: &Value) -> Option<&Object> {
        match value {
            Value::Object(index) => self.0.get(*index),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, value: &Value) -> Option<&mut Object> {
        match value {
            Value::Object(index) => self.0.get_mut(*index),
            _ => None,
        }
    }

    /// The elements of a tuple or a list.
    pub(super) fn elements(&self, value: &Value) -> Option<&[Value]> {
        match self.get(value)? {
            Object::Tuple(elements) | Object::List(elements) => Some(elements),
            _ => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Object> {
        self.0.iter()
    }
}

impl Value {
    pub(super) fn text(&self) -> Option<&Rc<str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A count, an offset or an extent; `None` for what is negative or no integer.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// A pickle that has run: its result and the objects that it refers to.
#[derive(Debug)]
pub(super) struct Pickled {
    pub(super) root: Value,
    pub(super) objects: Objects,
}

impl Pickled {
    /// The entries of the dictionary that the pickle made.
    pub(super) fn entry(&self, name: &str) -> Option<&Value> {
        let Some(Object::Dict(entries)) = self.objects.get(&self.root) else { return None };
        entries
            .iter()
            .rev()
            .find(|(key, _)| key.text().is_some_and(|key| **key == *name))
            .map(|(_, value)| value)
    }
}
