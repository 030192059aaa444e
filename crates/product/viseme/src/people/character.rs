//! The people whom a job knows by name.

use crate::spec::check_is_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;
use viseme_core::{Error, Result};

/// What the names of faces that are nobody's character begin with; a number follows.
const UNKNOWN_PREFIX: &str = "face_";
/// Names that mean something else where a face is chosen.
const RESERVED: [&str; 3] = ["auto", "largest", "all"];

/// Somebody in the video, and pictures that show the face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Character {
    /// The name in reports and in [`Speakers::Named`](crate::Speakers::Named).
    pub id: String,
    /// The name for people. None is the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pictures that show this face and no other, at least one. Several show it in several lights, or with and without
    /// glasses: the one that is most alike counts.
    pub references: Vec<PathBuf>,
    /// Whether a job goes on, with a warning, when a picture cannot be used. A character without any is not found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_optional: bool,
}

impl Character {
    /// Somebody known by these pictures.
    pub fn new(id: impl Into<String>, references: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { id: id.into(), name: None, references: references.into_iter().collect(), is_optional: false }
    }

    /// The name for people.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    fn check_id(&self) -> Result<()> {
        let id = self.id.as_str();
        let error =
            |what: &str| Err(Error::invalid_input(format!("a character cannot be called '{id}': {what}")));
        if id.trim().is_empty() {
            return Err(
                Error::invalid_input("a character has no id").with_hint("Write --character alice=alice.jpg.")
            );
        }
        if id.trim() != id || id.chars().any(char::is_control) {
            return error("there is white space around it, or a sign that cannot be printed");
        }
        if unknown_number(id).is_some() {
            return error("that is what faces without a name are called");
        }
        if RESERVED.contains(&id) || id.parse::<u32>().is_ok() {
            return error("it has another meaning where a face is chosen");
        }
        Ok(())
    }
}

/// The name of the n-th face that is nobody's character, counted from 1.
pub(crate) fn unknown_id(number: u32) -> String {
    format!("{UNKNOWN_PREFIX}{number}")
}

/// The number in such a name.
pub(crate) fn unknown_number(id: &str) -> Option<u32> {
    id.strip_prefix(UNKNOWN_PREFIX)?.parse().ok()
}

/// Checks everything about characters that can be checked without opening their pictures.
///
/// # Errors
/// `InvalidInput` for an id that is empty, given twice or taken, a character without pictures, or a similarity that
/// is not between 0 and 1; `NotFound` for a picture that is not there.
pub(crate) fn check_characters(characters: &[Character], similarity: Option<f32>) -> Result<()> {
    if let Some(given) = similarity.filter(|similarity| !(0.0..=1.0).contains(similarity)) {
        return Err(Error::invalid_input(format!("similarity {given} is not between 0 and 1")));
    }
    let mut ids = BTreeSet::new();
    for character in characters {
        character.check_id()?;
        let id = &character.id;
        if !ids.insert(id) {
            return Err(Error::invalid_input(format!("there are two characters '{id}'"))
                .with_hint("Give all pictures of a character in one list, or take another id."));
        }
        if character.references.is_empty() {
            return Err(Error::invalid_input(format!("the character '{id}' has no picture"))
                .with_hint("Give at least one picture that shows the face."));
        }
        for reference in &character.references {
            check_is_file(reference)
                .map_err(|error| Error::new(error.kind(), format!("the picture of '{id}': {error}")))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_names_that_mean_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("a.png");
        std::fs::write(&picture, b"x").unwrap();
        let named = |id: &str| Character::new(id, [picture.clone()]);
        for good in ["alice", "Zoë K.", "face", "face_", "face_a", "2a", "All"] {
            check_characters(&[named(good)], None).unwrap();
        }
        for bad in ["", "  ", " alice", "a\nb", "face_1", "face_07", "largest", "all", "auto", "3"] {
            assert!(check_characters(&[named(bad)], None).is_err(), "{bad:?}");
        }
        let twice = check_characters(&[named("a"), named("b"), named("a")], None).unwrap_err();
        assert!(twice.to_string().contains("two characters 'a'"), "{twice}");
        let none = check_characters(&[Character::new("a", [])], None).unwrap_err();
        assert!(none.to_string().contains("no picture"), "{none}");
        let gone = check_characters(&[Character::new("bob", ["gone.png".into()])], None).unwrap_err();
        assert!(gone.to_string().contains("'bob'") && gone.to_string().contains("gone.png"), "{gone}");
        for bad in [-0.1, 1.1, f32::NAN] {
            assert!(check_characters(&[], Some(bad)).is_err(), "{bad}");
        }
        check_characters(&[], Some(0.5)).unwrap();
    }
}
