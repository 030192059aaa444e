//! Frame interpolation: nets that make the picture between two pictures of one scene.

mod rife;

pub use rife::Rife;

use std::fmt::Debug;
use viseme_core::Result;
use viseme_imaging::{ColourInfo, Frame, ImageF32};

/// Makes the picture between two.
pub trait FrameInterpolator: Debug + Send + Sync {
    /// The name on the command line and in reports: `rife`.
    fn name(&self) -> &'static str;

    /// Whether it makes pictures of this size.
    fn takes(&self, width: u32, height: u32) -> bool;

    /// The picture `share` (0 to 1) of the way from `leaving` to `arriving`, two frames of one format and of a size that it
    /// [takes](Self::takes), whose samples mean `colour`: its colour planes, on the scale of the format.
    ///
    /// # Errors
    /// When the net fails.
    fn between(
        &self,
        colour: &ColourInfo,
        leaving: &Frame,
        arriving: &Frame,
        share: f32,
    ) -> Result<Vec<ImageF32>>;
}
