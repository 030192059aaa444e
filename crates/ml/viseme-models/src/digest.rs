//! SHA-256 of files.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use viseme_core::{Error, Observer, Progress, Result, Stage};

/// Bytes read between two looks at whether to stop.
pub(crate) const CHUNK: usize = 128 * 1024;

/// A SHA-256 value. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest of a file. `step` is told the bytes of each part as it is read, and may stop the reading.
    ///
    /// # Errors
    /// When the file cannot be read, or what `step` says.
    pub fn of_file(path: &Path, step: &mut dyn FnMut(u64) -> Result<()>) -> Result<Self> {
        let action = || format!("read {}", path.display());
        let mut file = File::open(path).map_err(|source| Error::io(action(), source))?;
        let mut hasher = Hasher::default();
        hasher.read(&mut file, step).map_err(|failure| failure.into_error(action()))?;
        Ok(hasher.finish())
    }
}

/// The digest of a file, with progress, unless the observer cancels.
pub(crate) fn of_file_unless_cancelled(path: &Path, observer: &dyn Observer) -> Result<Digest> {
    let total = path.metadata().map(|found| found.len()).ok();
    let mut done = 0;
    Digest::of_file(path, &mut |bytes| {
        done += bytes;
        observer.progress(Progress { stage: Stage::Models, done, total });
        if observer.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    })
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no SHA-256: 64 hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut value = [0; 32];
        for (index, byte) in value.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(value))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a file was not hashed to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The file cannot be read.
    Read(std::io::Error),
    /// The caller wants no more of it.
    Asked(Error),
}

impl Stopped {
    /// As an error; `action` completes "cannot …".
    pub(crate) fn into_error(self, action: impl fmt::Display) -> Error {
        match self {
            Self::Read(source) => Error::io(action, source),
            Self::Asked(error) => error,
        }
    }
}

/// Hashes bytes as they come.
#[derive(Clone, Default)]
pub(crate) struct Hasher(sha2::Sha256);

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Hashes what is left of `source` and gives its number of bytes.
    pub(crate) fn read(
        &mut self,
        source: &mut impl Read,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<u64, Stopped> {
        let mut buffer = vec![0; CHUNK];
        let mut total = 0;
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stopped::Read(error)),
            };
            self.update(&buffer[..count]);
            total += count as u64;
            step(count as u64).map_err(Stopped::Asked)?;
        }
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        // FIPS 180-4, the empty message.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Digest::of(b"")));
        assert!("e3b0".parse::<Digest>().is_err());
        assert!("ä".repeat(32).parse::<Digest>().is_err());
    }
}
