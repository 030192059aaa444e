//! Whose lips move.

use crate::people::{Character, unknown_number};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::str::FromStr;
use viseme_core::{Error, Result};
use viseme_face::FaceChoice;

/// Whose lips move.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speakers {
    /// Every character that is seen, where the job has characters; otherwise as [`Speaking`](Self::Speaking) where faces of
    /// comparable size are seen together for a good part of the video, and as [`Largest`](Self::Largest) where not.
    #[default]
    Auto,
    /// At each moment one face: of those that are seen together the larger.
    Largest,
    /// At each moment the face that speaks in the original: who that is comes from its picture and its sound.
    Speaking,
    /// Every face.
    All,
    /// The n-th track in order of appearance, counted from 1.
    Nth(u32),
    /// The person of that name, in every shot: a character, or `face_1`, `face_2`, …
    Named(String),
}

impl Speakers {
    /// Checks what can be checked before the video was seen.
    ///
    /// # Errors
    /// `InvalidInput` for a number of 0, and for a name that nobody can have.
    pub(crate) fn validate(&self, characters: &[Character]) -> Result<()> {
        match self {
            Self::Nth(0) => Err(Error::invalid_input("faces are counted from 1")),
            Self::Named(name) => {
                let is_known = characters.iter().any(|character| character.id == *name);
                if is_known || unknown_number(name).is_some_and(|number| number > 0) {
                    return Ok(());
                }
                let known: Vec<&str> = characters.iter().map(|character| character.id.as_str()).collect();
                let known = if known.is_empty() { String::new() } else { format!("{}, ", known.join(", ")) };
                Err(Error::invalid_input(format!("there is no character '{name}'")).with_hint(format!(
                    "A face can be: {known}face_1, face_2, …, a number, largest, speaking, all or auto."
                )))
            }
            _ => Ok(()),
        }
    }

    /// The choice among tracks that this is, as far as it needs no names. `has_characters` says whether the job has any.
    pub(crate) fn by_track(&self, has_characters: bool) -> Option<FaceChoice> {
        match self {
            Self::Auto if has_characters => None,
            // Whoever may speak is as large as half the largest.
            Self::Auto | Self::Largest | Self::Speaking => Some(FaceChoice::Largest),
            Self::All => Some(FaceChoice::All),
            Self::Nth(number) => Some(FaceChoice::Nth(*number)),
            Self::Named(_) => None,
        }
    }
}

impl FromStr for Speakers {
    type Err = Infallible;

    /// Reads `auto`, `largest`, `speaking`, `all`, a number, or else a name.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "auto" => Self::Auto,
            "largest" => Self::Largest,
            "speaking" => Self::Speaking,
            "all" => Self::All,
            other => other.parse().map_or_else(|_| Self::Named(other.to_owned()), Self::Nth),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_named_in_every_way() {
        let characters = [Character::new("alice", ["a.png".into()])];
        let read = |text: &str| -> Speakers { text.parse().unwrap() };
        assert_eq!(read("auto"), Speakers::default());
        assert_eq!(read("2"), Speakers::Nth(2));
        for good in ["auto", "largest", "speaking", "all", "1", "alice", "face_2"] {
            read(good).validate(&characters).unwrap();
        }
        for bad in ["0", "bob", "face_0", "face_x", "-1", ""] {
            assert!(read(bad).validate(&characters).is_err(), "{bad}");
        }
        let error = read("bob").validate(&characters).unwrap_err();
        assert!(error.hint().unwrap().contains("alice, face_1"), "{error}");
        assert_eq!(serde_json::to_string(&read("alice")).unwrap(), r#"{"named":"alice"}"#);
    }

    #[test]
    fn names_are_only_needed_where_somebody_has_one() {
        assert_eq!(Speakers::Auto.by_track(false), Some(FaceChoice::Largest));
        assert_eq!(Speakers::Auto.by_track(true), None);
        assert_eq!(Speakers::Largest.by_track(true), Some(FaceChoice::Largest));
        assert_eq!(Speakers::Named("alice".to_owned()).by_track(false), None);
    }
}
