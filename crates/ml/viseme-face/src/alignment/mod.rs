//! How the public models want to see a face: carried onto a template by five points, or cut out by its box; and the head
//! pose that `InsightFace` reads off 68 points.
//!
//! Our own nets look at faces through [`Framing`](crate::framing::Framing) and [`HeadPose`](crate::HeadPose).

mod aligned_crop;
mod five_points;
mod landmark_crop;
mod pose68;
mod similarity;
mod templates;

pub use aligned_crop::aligned_crop;
pub use five_points::five_points;
pub use landmark_crop::{LANDMARK_CROP_SIZE, landmark_crop};
pub use pose68::pose_of_68;
pub use similarity::similarity;
pub use templates::{RESTORATION_BORDER_RGB, Template};
