//! Keys that the server makes for itself, once.

use std::io::Write;
use std::path::Path;
use viseme_core::{Error, Result};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The key of the links of the server in the folder `data`: made when it is not there, readable by its owner alone.
///
/// # Errors
/// When it cannot be read or written.
pub(crate) fn link_key(data: &Path) -> Result<Vec<u8>> {
    let path = data.join("link.key");
    match std::fs::read(&path) {
        Ok(key) if key.len() == KEY_BYTES => return Ok(key),
        Ok(_) => {
            return Err(Error::invalid_input(format!("{} is no key of links", path.display()))
                .with_hint("Remove it: a new one is made. Links that were given out end with that."));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(Error::io(format_args!("read {}", path.display()), source)),
    }
    let key = random_key();
    let written = write_private(data, &path, &key);
    written.map_err(|source| Error::io(format_args!("write {}", path.display()), source))?;
    // Another process may have been first.
    std::fs::read(&path).map_err(|source| Error::io(format_args!("read {}", path.display()), source))
}

fn write_private(data: &Path, path: &Path, key: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    file.write_all(key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

/// Two random UUIDs: 244 bits from the operating system.
fn random_key() -> Vec<u8> {
    let (one, other) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    [one.as_bytes().as_slice(), other.as_bytes()].concat()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
