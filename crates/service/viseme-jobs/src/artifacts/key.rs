//! Names of files, made of checked parts.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use viseme_core::{Error, Result};

/// The longest part of a name.
const LONGEST: usize = 100;

/// What files are for. Each area is swept by rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Sent by clients, and taken by no job yet. The owner is the upload.
    Uploads,
    /// Inputs and results. The owner is the job.
    Jobs,
    /// Registered pictures. The owner is the name of the picture.
    Images,
}

impl Area {
    /// The name in the place.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Jobs => "jobs",
            Self::Images => "images",
        }
    }
}

/// The name of one file: `jobs/{id}/output.mp4`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactKey {
    area: Area,
    owner: String,
    name: String,
}

impl ArtifactKey {
    /// The file `name` of `owner`. Both are made of 1 to 100 ASCII letters, digits and `.`, `_`, `-`, and begin with no dot:
    /// so no text of a client leads out of the area, or to files under way.
    ///
    /// # Errors
    /// `InvalidInput` when one of them is not.
    pub fn new(area: Area, owner: &str, name: &str) -> Result<Self> {
        Ok(Self { area, owner: checked(owner)?.to_owned(), name: checked(name)?.to_owned() })
    }

    /// The parts of its path.
    pub(super) fn parts(&self) -> [&str; 3] {
        [self.area.name(), &self.owner, &self.name]
    }

    /// What the file is for.
    #[must_use]
    pub fn area(&self) -> Area {
        self.area
    }

    /// Whose file it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name among the files of its owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Area {
    /// Every area.
    const ALL: [Self; 3] = [Self::Uploads, Self::Jobs, Self::Images];
}

impl FromStr for ArtifactKey {
    type Err = Error;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// `InvalidInput` for anything else.
    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let area = Area::ALL.into_iter().find(|area| parts.first() == Some(&area.name()));
        match (area, parts.as_slice()) {
            (Some(area), [_, owner, name]) => Self::new(area, owner, name),
            _ => Err(Error::invalid_input("this is no name of a file of a job")),
        }
    }
}

impl TryFrom<String> for ArtifactKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ArtifactKey> for String {
    fn from(key: ArtifactKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join("/"))
    }
}

/// The same text, when it can be a part of a name.
pub(super) fn checked(part: &str) -> Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if part.is_empty() || part.len() > LONGEST || part.starts_with('.') || !part.bytes().all(is_plain) {
        return Err(Error::invalid_input("a name of a file is not usable")
            .with_hint("Use 1 to 100 letters, digits, '.', '_' and '-', and no dot at the beginning."));
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(101);
        let names =
            ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0", ".part", "ü", "a b", "a%2fb", "C:", &long];
        for name in names {
            assert!(ArtifactKey::new(Area::Jobs, name, "a").is_err(), "{name:?}");
            assert!(ArtifactKey::new(Area::Jobs, "a", name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn plain_names_are_taken() {
        let key =
            ArtifactKey::new(Area::Uploads, "0192f0c1-7b3a-7000-8000-000000000000", "video.mp4").unwrap();
        assert_eq!(key.to_string(), "uploads/0192f0c1-7b3a-7000-8000-000000000000/video.mp4");
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_in_its_area(owner in "\\PC{0,8}|[.a/\\\\]{0,6}", name in "[^x]{0,8}|[.a/\\\\]{0,6}") {
            if let Ok(key) = ArtifactKey::new(Area::Jobs, &owner, &name) {
                let text = key.to_string();
                let parts: Vec<_> = Path::new(&text).components().collect();
                prop_assert_eq!(parts.len(), 3);
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
