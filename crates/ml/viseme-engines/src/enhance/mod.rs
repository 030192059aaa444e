//! Face restorers: nets that make a face sharper, one file each. They run after the engine, on the picture with its new mouths.
//!
//! The face is turned and scaled to the FFHQ template ([`FacePlace`]), the net makes a picture of it ([`FaceEnhancer`]), and
//! what the net *changed* is carried back to the frame ([`paste`]), in an [`EnhanceArea`] that hangs on the template alone. So
//! nothing is lost by resampling where the net changes nothing, and the area does not flicker with what the engine did.

mod area;
pub mod codeformer;
pub mod gfpgan;
mod network;
mod paste;
mod picture;
mod place;
pub mod restoreformer;

pub use area::EnhanceArea;
pub use codeformer::CodeFormer;
pub use gfpgan::Gfpgan;
pub use picture::FacePicture;
pub use place::FacePlace;
pub use restoreformer::RestoreFormer;

use paste::Change;
use rayon::prelude::*;
use std::fmt::Debug;
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_face::FaceObservation;
use viseme_imaging::{ColourInfo, Frame, Patch};

/// A net that makes faces sharper.
pub trait FaceEnhancer: Debug + Send + Sync {
    /// The name on the command line: `gfpgan`.
    fn name(&self) -> &str;

    /// Makes one picture of each face, in order, aligned as the one that was given.
    ///
    /// # Errors
    /// When the net fails.
    fn enhance(&self, faces: &[FacePicture]) -> Result<Vec<FacePicture>>;
}

/// How much of what a net makes is taken, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnhanceOptions {
    /// 0 takes nothing of the net's picture, 1 all of it.
    pub strength: f32,
    /// Which part of the face.
    pub area: EnhanceArea,
    /// Whether the colours of the net's picture are moved to where they meet the frame's at the edge of the area.
    pub match_colour: bool,
}

impl Default for EnhanceOptions {
    fn default() -> Self {
        Self { strength: 1.0, area: EnhanceArea::default(), match_colour: true }
    }
}

/// A face to be enhanced.
#[derive(Debug, Clone, Copy)]
pub struct EnhanceRequest<'a> {
    /// The frame with the new mouths in it.
    pub frame: &'a Frame,
    /// The face in that frame, smoothed over time.
    pub face: &'a FaceObservation,
    /// How much of the effect to apply, 0 to 1: the runner fades it at the ends of segments.
    pub strength: f32,
}

/// An enhancer and how it is used.
#[derive(Debug, Clone)]
pub struct Enhancement {
    enhancer: Arc<dyn FaceEnhancer>,
    options: EnhanceOptions,
}

impl Enhancement {
    /// Enhancement by `enhancer`.
    #[must_use]
    pub fn new(enhancer: Arc<dyn FaceEnhancer>, options: EnhanceOptions) -> Self {
        Self { enhancer, options }
    }

    /// One answer per request, in order: what changes in that frame. None where a face is too small, lies outside the
    /// frame, or gets nothing of the effect.
    ///
    /// `colour` says what the samples of the frames mean.
    ///
    /// # Errors
    /// When the net fails.
    pub fn patches(
        &self,
        colour: &ColourInfo,
        requests: &[EnhanceRequest<'_>],
    ) -> Result<Vec<Option<Patch>>> {
        let seen = requests.par_iter().enumerate().filter_map(|(index, request)| {
            let place = FacePlace::of(request.face).filter(|_| self.strength(request) > 0.0)?;
            Some(place.cut_out(request.frame, colour).map(|shown| ((index, place), shown)))
        });
        let (places, shown): (Vec<_>, Vec<_>) =
            seen.collect::<Result<Vec<((usize, FacePlace), FacePicture)>>>()?.into_iter().unzip();
        let mut answers = vec![None; requests.len()];
        if shown.is_empty() {
            return Ok(answers);
        }
        let made = self.enhancer.enhance(&shown)?;
        if made.len() != shown.len() {
            let (name, given, asked) = (self.enhancer.name(), made.len(), shown.len());
            return Err(Error::internal(format!("{name} gave {given} pictures of {asked} faces")));
        }
        let pictures = shown.par_iter().zip(&made);
        let patches = places.par_iter().zip(pictures).map(|((index, place), (shown, made))| {
            let request = &requests[*index];
            let options = EnhanceOptions { strength: self.strength(request), ..self.options };
            let change = Change::between(shown, made);
            (*index, paste::patch(request.frame, colour, place, options, change))
        });
        for (index, patch) in patches.collect::<Vec<_>>() {
            answers[index] = patch;
        }
        Ok(answers)
    }

    /// How much of the net's picture this face gets.
    fn strength(&self, request: &EnhanceRequest<'_>) -> f32 {
        self.options.strength * request.strength
    }
}
