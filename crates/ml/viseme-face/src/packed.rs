//! One value in one file, in few bytes and exact to the bit: what is kept of a video for the next job on it.
//!
//! The format is that of `postcard` and holds nothing that says what it is: a file is read by the version of the code
//! that wrote it, and the keeper of the files sees to that.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use viseme_core::{Error, Result};

/// Writes `value` to a file at `path`.
///
/// # Errors
/// When the file cannot be written.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let bytes = postcard::to_stdvec(value).map_err(|source| {
        Error::internal(format!("cannot pack {}: {source}", path.display())).with_source(source)
    })?;
    std::fs::write(path, bytes).map_err(|source| Error::io(format_args!("write {}", path.display()), source))
}

/// Reads the value in the file at `path`.
///
/// # Errors
/// When the file cannot be read, or is anything but such a value.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes =
        std::fs::read(path).map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
    match postcard::take_from_bytes(&bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(Error::invalid_input(format!("{} is too long", path.display()))),
        Err(source) => Err(Error::invalid_input(format!("{} is damaged: {source}", path.display()))),
    }
}
