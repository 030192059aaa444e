//! From the pictures of the characters and the faces of the video to who is who.

use super::references::ReferenceReader;
use super::{Character, Embedders, People};
use crate::analyse::Analysis;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Limits, Observer, Result, Warning, WarningCode};
use viseme_face::identity::{Embedding, FaceEmbedder};
use viseme_face::people::{Appearance, MeanEmbedding, PersonId, identify};
use viseme_face::{FaceNets, Track};
use viseme_media::Tools;

/// The characters of a job, and what they look like.
#[derive(Debug)]
pub(crate) struct Cast<'a> {
    characters: &'a [Character],
    /// Least cosine of two pictures of one person. None is what was measured for the embedder.
    similarity: Option<f32>,
    embedders: &'a Embedders,
    /// The pictures of each character.
    looks: Vec<Vec<Embedding>>,
    /// About pictures that cannot be used.
    warnings: Vec<Warning>,
}

impl<'a> Cast<'a> {
    /// Looks at the pictures of the characters.
    ///
    /// # Errors
    /// As [`ReferenceReader::read`]; `ModelMissing` when there are characters and nothing to tell people apart with.
    pub(crate) fn new(
        characters: &'a [Character],
        similarity: Option<f32>,
        embedders: &'a Embedders,
        (tools, nets, limits): (&Tools, &FaceNets, &Limits),
    ) -> Result<Self> {
        if characters.is_empty() {
            return Ok(Self { characters, similarity, embedders, looks: Vec::new(), warnings: Vec::new() });
        }
        let embedder = embedders.open()?.ok_or_else(no_embedder)?;
        let reader = ReferenceReader { tools, nets, embedder: embedder.as_ref(), limits };
        let (looks, warnings) = reader.read(characters)?;
        Ok(Self { characters, similarity, embedders, looks, warnings })
    }

    /// Says who is in the video, with warnings about characters who are not. Without characters nothing is computed for
    /// a video with one face, and people who cannot be told apart are a warning.
    ///
    /// # Errors
    /// `Cancelled`; whatever reading the pictures of the faces or the embedder meet, where there are characters.
    pub(crate) fn identify(
        &self,
        analysis: &Analysis,
        observer: &dyn Observer,
    ) -> Result<(People, Vec<Warning>)> {
        let tracks = analysis.tracks.tracks();
        let (ids, mut warnings) = match self.compare(analysis, observer) {
            Ok(ids) => (ids, self.warnings.clone()),
            Err(error) if self.characters.is_empty() && error.kind() != ErrorKind::Cancelled => {
                let message = format!("people are not told apart, each shot has its own: {error}");
                (one_each(tracks), vec![Warning::new(WarningCode::ModelMissing, message)])
            }
            Err(error) => return Err(error),
        };
        for (position, character) in self.characters.iter().enumerate() {
            // Of one without a picture it was said why.
            let can_be_known = self.looks.get(position).is_some_and(|looks| !looks.is_empty());
            if can_be_known && !ids.contains(&PersonId::Character(position)) {
                let message = format!("'{}' was not found in the video", character.id);
                warnings.push(Warning::new(WarningCode::CharacterNotFound, message));
            }
        }
        Ok((People::new(self.characters, tracks, &ids), warnings))
    }

    fn compare(&self, analysis: &Analysis, observer: &dyn Observer) -> Result<Vec<PersonId>> {
        let tracks = analysis.tracks.tracks();
        if tracks.is_empty() || tracks.len() == 1 && self.characters.is_empty() {
            return Ok(one_each(tracks));
        }
        let embedder = self.embedders.open()?.ok_or_else(no_embedder)?;
        let appearance = |track: &Track| {
            if observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            appearance(track, analysis, &embedder)
        };
        let appearances = tracks.iter().map(appearance).collect::<Result<Vec<_>>>()?;
        let least_cosine = self.similarity.unwrap_or_else(|| embedder.same_person_cosine());
        Ok(identify(&appearances, &self.looks, least_cosine))
    }
}

fn appearance(track: &Track, analysis: &Analysis, embedder: &Arc<dyn FaceEmbedder>) -> Result<Appearance> {
    let pictures = analysis.likenesses.pictures(track.id)?;
    let faces = pictures.iter().map(|picture| embedder.embed(picture)).collect::<Result<Vec<_>>>()?;
    Ok(Appearance { frames: track.frames(), face: MeanEmbedding::new(&faces) })
}

/// Every track a person of its own.
fn one_each(tracks: &[Track]) -> Vec<PersonId> {
    (1..=tracks.len() as u32).map(PersonId::Unknown).collect()
}

fn no_embedder() -> Error {
    Error::new(ErrorKind::ModelMissing, "there is no model that tells people apart")
        .with_hint("Install one: viseme models pull sface.")
}
