//! Finds the tensors in what a pickle made, and their names.

use super::bad;
use super::storage::Tensor;
use super::value::{Object, Objects, Pickled, Value};
use std::collections::BTreeMap;
use viseme_core::Result;

/// What `torch.nn.DataParallel` puts before every name. Wav2Lip's `inference.py` drops it, too.
const PARALLEL_PREFIX: &str = "module.";

/// The tensors under `state_dict` where there is such an entry, of the whole otherwise; names of nested dictionaries
/// and objects are joined by dots.
///
/// # Errors
/// `InvalidInput` when there are none, or when the nesting never ends.
pub(super) fn find(pickled: &Pickled) -> Result<BTreeMap<String, Tensor>> {
    let root = pickled.entry("state_dict").unwrap_or(&pickled.root);
    let mut collector = Collector { objects: &pickled.objects, visits: 0, tensors: BTreeMap::new() };
    collector.visit(root, "", 0)?;
    let tensors = collector.tensors;
    if tensors.is_empty() {
        return Err(bad("it holds no tensors"));
    }
    if tensors.keys().any(|name| !name.starts_with(PARALLEL_PREFIX)) {
        return Ok(tensors);
    }
    let bare = |name: String| name[PARALLEL_PREFIX.len()..].to_owned();
    Ok(tensors.into_iter().map(|(name, tensor)| (bare(name), tensor)).collect())
}

struct Collector<'a> {
    objects: &'a Objects,
    visits: usize,
    tensors: BTreeMap<String, Tensor>,
}

impl Collector<'_> {
    /// Objects may contain each other many times over, or themselves: depth and visits are bounded.
    fn visit(&mut self, value: &Value, name: &str, depth: usize) -> Result<()> {
        const MAX_DEPTH: usize = 16;
        const MAX_VISITS: usize = 1 << 16;
        const MAX_NAME: usize = 512;
        let entries = match self.objects.get(value) {
            Some(Object::Tensor(tensor)) => {
                self.tensors.insert(name.to_owned(), tensor.clone());
                return Ok(());
            }
            Some(Object::Dict(entries) | Object::Instance(entries)) => entries,
            _ => return Ok(()),
        };
        for (key, value) in entries {
            self.visits += 1;
            if depth == MAX_DEPTH || self.visits > MAX_VISITS || name.len() > MAX_NAME {
                return Err(bad("its dictionaries are nested without an end"));
            }
            match key.text() {
                Some(key) if name.is_empty() => self.visit(value, key, depth + 1)?,
                Some(key) => self.visit(value, &format!("{name}.{key}"), depth + 1)?,
                None => {}
            }
        }
        Ok(())
    }
}
