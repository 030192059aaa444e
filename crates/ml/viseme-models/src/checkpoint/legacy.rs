//! The form before PyTorch 1.6: magic number, protocol, facts of the machine, the pickle, the keys of the storages, and
//! then each storage as a count of 8 bytes and its values (`_legacy_save` in `torch/serialization.py`).

use super::value::{Object, Pickled, Value};
use super::{Region, bad, pickle, read_failed};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;
use viseme_core::Result;

/// `MAGIC_NUMBER` and `PROTOCOL_VERSION` of `torch/serialization.py`.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const PROTOCOL: i128 = 1001;

/// Whether a file begins with the pickled magic number.
pub(super) fn is_legacy(start: &[u8]) -> bool {
    let mut expected = vec![0x80, 2, 0x8a, 10];
    expected.extend_from_slice(&MAGIC.to_le_bytes()[..10]);
    start.starts_with(&expected)
}

/// Runs the pickles and finds where the storages lie.
pub(super) fn read(file: &mut File) -> Result<(Pickled, HashMap<Rc<str>, Region>)> {
    let length = file.seek(SeekFrom::End(0)).map_err(read_failed)?;
    file.rewind().map_err(read_failed)?;
    let mut reader = BufReader::new(file);
    expect(&mut reader, MAGIC, "magic number")?;
    expect(&mut reader, PROTOCOL, "protocol")?;
    let machine = pickle::load(&mut reader)?;
    if !matches!(machine.entry("little_endian"), Some(Value::Bool(true))) {
        return Err(bad("it was written on a machine that puts the big end first"));
    }
    let pickled = pickle::load(&mut reader)?;
    let keys = pickle::load(&mut reader)?;
    let regions = regions(&mut reader, &pickled, &keys, length)?;
    Ok((pickled, regions))
}

fn expect(reader: &mut impl Read, expected: i128, what: &str) -> Result<()> {
    match pickle::load(reader)?.root {
        Value::Int(found) if found == expected => Ok(()),
        _ => Err(bad(format!("it has another {what} than PyTorch's"))),
    }
}

/// Goes from storage to storage in the order of the keys.
fn regions(
    reader: &mut BufReader<&mut File>,
    pickled: &Pickled,
    keys: &Pickled,
    length: u64,
) -> Result<HashMap<Rc<str>, Region>> {
    let storages = pickled.objects.iter().filter_map(|object| match object {
        Object::Storage(storage) => Some((Rc::clone(&storage.key), storage)),
        _ => None,
    });
    let storages: HashMap<_, _> = storages.collect();
    let keys = keys.objects.elements(&keys.root).ok_or_else(|| bad("it has no list of its storages"))?;
    let mut regions = HashMap::new();
    for key in keys {
        let key = key.text().ok_or_else(|| bad("it has a broken list of its storages"))?;
        let storage = storages.get(key).ok_or_else(|| bad(format!("nothing refers to its storage {key}")))?;
        let mut count = [0; 8];
        reader.read_exact(&mut count).map_err(read_failed)?;
        if u64::from_le_bytes(count) != storage.elements {
            return Err(bad(format!("its storage {key} has another length than its tensors say")));
        }
        let start = reader.stream_position().map_err(read_failed)?;
        let bytes = storage.elements.checked_mul(storage.element.bytes());
        let bytes = bytes.filter(|bytes| start.checked_add(*bytes).is_some_and(|end| end <= length));
        let bytes = bytes.ok_or_else(|| bad("it is cut off"))?;
        regions.insert(Rc::clone(key), Region { start, bytes });
        reader.seek_relative(bytes.cast_signed()).map_err(read_failed)?;
    }
    Ok(regions)
}
