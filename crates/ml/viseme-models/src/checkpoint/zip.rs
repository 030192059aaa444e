//! The zip form: `NAME/data.pkl`, and each storage as a stored entry `NAME/data/KEY`. TorchScript archives have `NAME/code`
//! in addition, which is not looked at.

use super::value::{Object, Pickled};
use super::{Region, bad, pickle, read_failed};
use ::zip::result::ZipError;
use ::zip::{CompressionMethod, ZipArchive};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;
use viseme_core::{Error, Result};

/// The most that is read for the list of entries, their headers and the pickle: 1,000 storages take 200 KB.
const MAX_READ: u64 = pickle::MAX_BYTES + (4 << 20);

type Archive<'a> = ZipArchive<Budget<BufReader<&'a mut File>>>;

/// Runs the pickle and finds where the storages lie.
pub(super) fn read(file: &mut File) -> Result<(Pickled, HashMap<Rc<str>, Region>)> {
    file.rewind().map_err(read_failed)?;
    let reader = Budget { inner: BufReader::new(file), left: MAX_READ };
    let mut archive = ZipArchive::new(reader).map_err(broken)?;
    let root = root(&archive)?;
    check_byte_order(&mut archive, &root)?;
    let entry = archive.by_name(&format!("{root}/data.pkl")).map_err(broken)?;
    let pickled = pickle::load(&mut BufReader::new(entry))?;
    let mut regions = HashMap::new();
    for object in pickled.objects.iter() {
        let Object::Storage(storage) = object else { continue };
        if !regions.contains_key(&storage.key) {
            let found = region(&mut archive, &format!("{root}/data/{}", storage.key))?;
            regions.insert(Rc::clone(&storage.key), found);
        }
    }
    Ok((pickled, regions))
}

/// The folder of the archive that everything is in: the name of the file when it was saved.
fn root(archive: &Archive<'_>) -> Result<String> {
    let mut roots = archive.file_names().filter_map(|name| {
        let root = name.ok()?.strip_suffix("/data.pkl")?.to_owned();
        (!root.contains('/')).then_some(root)
    });
    roots.next().ok_or_else(|| bad("it is a zip archive without a data.pkl, so not a checkpoint of PyTorch"))
}

fn check_byte_order(archive: &mut Archive<'_>, root: &str) -> Result<()> {
    let entry = match archive.by_name(&format!("{root}/byteorder")) {
        Ok(entry) => entry,
        // Versions before 2.1 did not say it, and wrote the little end first.
        Err(ZipError::FileNotFound) => return Ok(()),
        Err(error) => return Err(broken(error)),
    };
    let mut order = String::new();
    entry.take(16).read_to_string(&mut order).map_err(read_failed)?;
    if order == "little" {
        Ok(())
    } else {
        Err(bad("it was written on a machine that puts the big end first"))
    }
}

fn region(archive: &mut Archive<'_>, name: &str) -> Result<Region> {
    let entry = archive.by_name(name).map_err(|error| match error {
        ZipError::FileNotFound => bad(format!("its storage {name} is missing")),
        error => broken(error),
    })?;
    match (entry.compression(), entry.data_start()) {
        (CompressionMethod::Stored, Some(start)) => Ok(Region { start, bytes: entry.size() }),
        _ => Err(bad(format!("its storage {name} is compressed, which PyTorch never does"))),
    }
}

fn broken(error: ZipError) -> Error {
    match error {
        ZipError::Io(source) => read_failed(source),
        error => bad(format!("it is a broken zip archive: {error}")),
    }
}

/// A reader that gives up after a number of bytes: whoever made the file decides what its directory claims to hold.
struct Budget<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("its directory is too long"))?;
        Ok(read)
    }
}

impl<R: Seek> Seek for Budget<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
