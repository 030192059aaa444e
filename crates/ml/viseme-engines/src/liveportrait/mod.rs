//! `LivePortrait`: what surrounds its nets. The reference is its public code (`src/utils/`, `src/live_portrait_wrapper.py`).

mod close_ratio;
mod crop;
mod keypoints;
mod paste;
mod retargeting;

pub use close_ratio::{eye_close_ratios, lip_close_ratio};
pub use crop::{CropFraming, crop_from_image};
pub use keypoints::{
    ANGLE_BINS, KEYPOINT_COUNT, Keypoints, LIP_KEYPOINTS, Motion, degrees_of_logits, rotation, with_lips_of,
};
pub use paste::paste_back;
pub use retargeting::RetargetingNet;
