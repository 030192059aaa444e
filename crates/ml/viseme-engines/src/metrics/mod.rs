//! How well lips and speech go together.

pub mod median;
pub mod syncnet;
pub mod syncnet_crop;
