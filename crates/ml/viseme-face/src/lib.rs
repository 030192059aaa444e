//! Faces in video: detection, 159 landmarks in space, head pose and tracking through every frame, from three small
//! nets of our own that are embedded in the binary.

pub mod observation;
pub mod points;
pub mod pose;

pub use observation::{FaceObservation, TrackId};
pub use pose::HeadPose;
