//! How well lips and speech go together, and how good sound and picture are. Pure measures: files are read by the caller.
//!
//! * Sync: [`sync_correlation`] is our own measure, [`syncnet`] that of the public SyncNet.
//! * Sound: [`sound`] hears it once; [`noise`] compares its voice with its pauses.
//! * Picture: [`picture`] looks at whole frames; [`face_meter`] at one face: [`blur`], [`seam`], [`jitter`].
//! * [`scores`] turns measures into scores from 0 to 1.

pub mod blur;
pub mod curve;
pub mod face_crop;
pub mod face_meter;
pub mod jitter;
pub mod median;
pub mod noise;
pub mod picture;
pub mod scores;
pub mod seam;
pub mod sound;
pub mod sync_correlation;
pub mod syncnet;
pub mod syncnet_crop;
pub mod syncnet_picture;
pub mod syncnet_track;
