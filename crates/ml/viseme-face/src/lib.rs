//! Faces in video: detection, 159 landmarks in space, head pose and tracking through every frame, from three small
//! nets of our own, a fourth that tells people apart, all embedded in the binary; and the public models for detection, identity, points, head pose
//! and regions, for those who install them.

pub mod alignment;
mod blob;
pub mod canonical;
mod canonical_points;
pub mod cuts;
pub mod detect;
mod followed;
pub mod foresight;
pub mod framing;
pub mod identity;
pub mod installed;
pub mod landmarks;
pub mod mouth;
mod net;
pub mod nets;
pub mod observation;
pub mod packed;
pub mod parse;
pub mod people;
pub mod points;
pub mod pose;
pub mod preview;
pub mod segments;
pub mod selection;
mod similarity;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tracker;

pub use canonical::MouthShape;
pub use detect::{Detection, DetectorChoice, FaceDetector};
pub use foresight::Foresight;
pub use installed::InstalledModels;
pub use nets::{FaceNets, Weights};
pub use observation::{FaceObservation, TrackId};
pub use pose::HeadPose;
pub use selection::FaceChoice;
pub use store::{DEFAULT_SMOOTHING, FaceSummary, Track, TrackRecorder, TrackStore};
pub use tracker::{Tracker, TrackerOptions};
