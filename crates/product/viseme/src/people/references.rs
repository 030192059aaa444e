//! The pictures of the characters.

use super::Character;
use crate::clip::{Clip, FileClip};
use std::path::Path;
use viseme_core::{Error, ErrorKind, FrameIndex, Limits, Result, Warning, WarningCode};
use viseme_face::alignment::aligned_crop;
use viseme_face::framing::AnalysisImage;
use viseme_face::identity::{Embedding, FaceEmbedder};
use viseme_face::{FaceNets, FaceObservation, Tracker, TrackerOptions};
use viseme_media::{Tools, probe};

/// A face this much narrower than the widest of its picture is somebody in the background.
const BACKGROUND_WIDTH: f32 = 0.25;

/// Whether an error is a fault of the picture, not of this machine.
fn is_of_the_picture(error: &Error) -> bool {
    use ErrorKind::{InvalidInput, LimitExceeded, Unsupported};
    matches!(error.kind(), InvalidInput | LimitExceeded | Unsupported)
}

/// Reads pictures of characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReferenceReader<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) nets: &'a FaceNets,
    pub(crate) embedder: &'a dyn FaceEmbedder,
    pub(crate) limits: &'a Limits,
}

impl ReferenceReader<'_> {
    /// What each character looks like in each of its pictures, with a warning for each picture of an optional one that
    /// cannot be used.
    ///
    /// # Errors
    /// `InvalidInput`, naming the picture and the character, for a picture that cannot be read, or shows no face or more
    /// than one.
    pub(crate) fn read(&self, characters: &[Character]) -> Result<(Vec<Vec<Embedding>>, Vec<Warning>)> {
        let mut warnings = Vec::new();
        let mut of = |character: &Character| {
            let pictures = character.references.iter();
            let looks = pictures.map(|path| match self.embedding(path, &character.id) {
                Err(error) if character.is_optional && is_of_the_picture(&error) => {
                    warnings.push(Warning::new(WarningCode::CharacterNotFound, error.to_string()));
                    Ok(None)
                }
                embedding => embedding.map(Some),
            });
            looks.filter_map(Result::transpose).collect::<Result<Vec<_>>>()
        };
        let looks = characters.iter().map(&mut of).collect::<Result<Vec<_>>>()?;
        Ok((looks, warnings))
    }

    fn embedding(&self, path: &Path, id: &str) -> Result<Embedding> {
        let unreadable = |error: Error| {
            let message = format!("cannot read {}, the picture of '{id}': {error}", path.display());
            Error::new(error.kind(), message)
                .with_hint("Give a picture as PNG, JPEG or WebP that shows the face.")
        };
        let info = probe(self.tools, path, self.limits).map_err(unreadable)?;
        let video = info
            .video
            .as_ref()
            .ok_or_else(|| unreadable(Error::invalid_input("there is no picture in it")))?;
        let clip = FileClip::new(self.tools, path, &info, video, self.limits);
        let frame = clip.open().and_then(|mut reader| reader.next_frame()).map_err(unreadable)?;
        let frame = frame.ok_or_else(|| unreadable(Error::invalid_input("there is no picture in it")))?;
        let image = AnalysisImage { frame: &frame, colour: &video.colour };
        let face = self.only_face(image, path, id)?;
        let crop = aligned_crop(image, &face, self.embedder.template())?;
        let crop = crop.ok_or_else(|| Error::internal("a face without landmarks"))?;
        self.embedder.embed(&crop)
    }

    fn only_face(&self, image: AnalysisImage<'_>, path: &Path, id: &str) -> Result<FaceObservation> {
        let options =
            TrackerOptions { is_still: true, max_faces: self.limits.faces, ..TrackerOptions::default() };
        let mut tracker = Tracker::new(self.nets.clone(), options);
        let seen = tracker.observe(image.frame, image.colour, FrameIndex(0))?;
        let widest = seen.iter().map(|(_, face)| face.bbox.width).fold(0.0, f32::max);
        let mut faces = seen.into_iter().map(|(_, face)| face);
        let mut faces: Vec<_> =
            faces.by_ref().filter(|face| face.bbox.width >= BACKGROUND_WIDTH * widest).collect();
        let path = path.display();
        match (faces.pop(), faces.len()) {
            (Some(face), 0) => Ok(face),
            (Some(_), others) => Err(Error::invalid_input(format!(
                "{path}, the picture of '{id}', shows {} faces",
                others + 1
            ))
            .with_hint("Cut out the face that is meant, with some room around it.")),
            (None, _) => Err(Error::invalid_input(format!("{path}, the picture of '{id}', shows no face"))
                .with_hint("Give a picture that shows the face from the front, at least 60 pixels wide, with some room around it.")),
        }
    }
}
