//! Who is in the video.

use clap::Args;
use std::path::PathBuf;
use viseme::{Character, Speakers};

/// The people who are known by name.
#[derive(Debug, Clone, Args)]
pub(crate) struct CharacterArguments {
    /// Somebody in the video, with pictures of the face; can be given again
    #[arg(long = "character", value_name = "NAME=PICTURE[,PICTURE…]", value_parser = parse_character, help_heading = "People")]
    characters: Vec<Character>,
    /// How alike two pictures of one person must be, 0 to 1 [default: measured for the embedder]
    #[arg(long, value_name = "0-1", help_heading = "People")]
    pub(crate) similarity: Option<f32>,
}

impl CharacterArguments {
    /// The characters, each once, with all of its pictures.
    pub(crate) fn characters(&self) -> Vec<Character> {
        let mut characters: Vec<Character> = Vec::new();
        for given in &self.characters {
            match characters.iter_mut().find(|known| known.id == given.id) {
                Some(known) => known.references.extend(given.references.iter().cloned()),
                None => characters.push(given.clone()),
            }
        }
        characters
    }
}

/// Reads `alice=alice.jpg` or `alice=front.jpg,side.jpg`.
fn parse_character(text: &str) -> Result<Character, String> {
    let bad = || format!("'{text}' is not NAME=PICTURE: write alice=alice.jpg");
    let (id, pictures) = text.split_once('=').ok_or_else(bad)?;
    let references: Vec<PathBuf> = pictures.split(',').map(PathBuf::from).collect();
    if id.is_empty() || references.iter().any(|reference| reference.as_os_str().is_empty()) {
        return Err(bad());
    }
    Ok(Character::new(id, references))
}

/// Reads whose lips move. A name is looked up when the characters are known.
pub(super) fn parse_speakers(text: &str) -> Result<Speakers, String> {
    match text.parse() {
        Ok(Speakers::Nth(0)) => Err("faces are counted from 1".to_owned()),
        Ok(speakers) => Ok(speakers),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_one_character_are_gathered() {
        let given = ["alice=a.jpg", "bob=b.jpg,c.jpg", "alice=d.jpg"];
        let characters = given.map(|text| parse_character(text).unwrap()).to_vec();
        let characters = CharacterArguments { characters, similarity: None }.characters();
        let pictures = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(characters.len(), 2);
        assert_eq!(
            (characters[0].id.as_str(), &characters[0].references),
            ("alice", &pictures(&["a.jpg", "d.jpg"]))
        );
        assert_eq!(characters[1].references, pictures(&["b.jpg", "c.jpg"]));
        for bad in ["alice", "alice=", "=a.jpg", "alice=a.jpg,"] {
            assert!(parse_character(bad).is_err(), "{bad}");
        }
    }
}
