//! Which box of a frame Wav2Lip sees as the face.

use super::boxes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use viseme_core::FrameIndex;
use viseme_core::geometry::{PixelRect, Rect};

/// How far the box of the reference's detector lies from the box around our landmarks, at the left, top, right and bottom
/// edge, in widths and heights of ours.
///
/// Measured on 221 faces of 55 clips and portraits against SCRFD 2.5G, which like S3FD learnt from the boxes of WIDER FACE:
/// S3FD's own weights could not be had. The medians. On clips that had no part in them the two boxes share 0.95 of the area that
/// they cover together (median; 0.91 in the worst tenth), 0.85 without.
const S3FD_FROM_LANDMARKS: [f32; 4] = [0.0, -0.14, -0.01, 0.01];

/// Pixels added above, below, left and right (`inference.py`, `--pads`).
const PADS: [i64; 4] = [0, 10, 0, 0];

/// The box that the reference's detector would draw around a face with landmarks in the box `landmarks`.
#[must_use]
pub fn s3fd_like(landmarks: &Rect) -> Rect {
    let [left, top, right, bottom] = S3FD_FROM_LANDMARKS;
    Rect {
        x: landmarks.x + left * landmarks.width,
        y: landmarks.y + top * landmarks.height,
        width: landmarks.width * (1.0 + right - left),
        height: landmarks.height * (1.0 + bottom - top),
    }
}

/// A detected face as whole pixels `[left, top, right, bottom]` of a frame, padded as in the reference: corners below zero are
/// raised and cut off, pads added, edges of the frame kept (`face_detection/api.py`, `get_detections_for_batch`, and
/// `inference.py`, `face_detect`).
#[must_use]
pub fn padded(detected: &Rect, width: u32, height: u32) -> [i64; 4] {
    let whole = |corner: f32| corner.max(0.0) as i64;
    let [above, below, left, right] = PADS;
    [
        (whole(detected.x) - left).max(0),
        (whole(detected.y) - above).max(0),
        (whole(detected.x + detected.width) + right).min(i64::from(width)),
        (whole(detected.y + detected.height) + below).min(i64::from(height)),
    ]
}

/// The boxes of one face through a video. They take 40 bytes a frame.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FaceBoxes {
    boxes: BTreeMap<u64, [i64; 4]>,
}

impl FaceBoxes {
    /// Adds the box of the next frame.
    pub(super) fn push(&mut self, frame: FrameIndex, face: [i64; 4]) {
        self.boxes.insert(frame.0, face);
    }

    /// Steadies the boxes, each unbroken run of frames by itself.
    pub(super) fn smooth(&mut self) {
        let frames: Vec<u64> = self.boxes.keys().copied().collect();
        for run in frames.chunk_by(|a, b| a + 1 == *b) {
            let mut smoothed: Vec<[i64; 4]> = run.iter().map(|frame| self.boxes[frame]).collect();
            boxes::smooth(&mut smoothed);
            self.boxes.extend(run.iter().copied().zip(smoothed));
        }
    }

    /// The box of a frame; none where the face was not seen or lies outside of the picture.
    pub(super) fn at(&self, frame: FrameIndex) -> Option<PixelRect> {
        let [left, top, right, bottom] =
            self.boxes.get(&frame.0)?.map(|edge| u32::try_from(edge).unwrap_or(0));
        let rect = PixelRect {
            x: left,
            y: top,
            width: right.saturating_sub(left),
            height: bottom.saturating_sub(top),
        };
        (!rect.is_empty()).then_some(rect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boxes_are_cut_off_and_padded_below() {
        let face = Rect { x: 10.9, y: 20.9, width: 30.0, height: 40.0 };
        assert_eq!(padded(&face, 100, 100), [10, 20, 40, 70]);
        assert_eq!(padded(&face, 39, 65), [10, 20, 39, 65]);
        let outside = Rect { x: -8.2, y: -3.0, width: 30.0, height: 40.0 };
        assert_eq!(padded(&outside, 100, 100), [0, 0, 21, 47]);
    }

    #[test]
    fn runs_of_frames_are_smoothed_by_themselves() {
        let mut boxes = FaceBoxes::default();
        for frame in 0..5 {
            boxes.push(FrameIndex(frame), [10, 10, 50, 60]);
            boxes.push(FrameIndex(frame + 6), [30, 10, 70, 60]);
        }
        boxes.smooth();
        assert_eq!(boxes.at(FrameIndex(4)).map(|face| face.x), Some(10));
        assert_eq!(boxes.at(FrameIndex(5)), None);
        assert_eq!(boxes.at(FrameIndex(6)).map(|face| face.x), Some(30));
    }

    proptest! {
        #[test]
        fn boxes_stay_in_the_picture(
            x in -500_f32..900.0, y in -500_f32..900.0, width in 0_f32..900.0, height in 0_f32..900.0,
            columns in 1_u32..700, rows in 1_u32..500, step in -20_f32..20.0,
        ) {
            let mut boxes = FaceBoxes::default();
            for frame in 0..8_u64 {
                let face = Rect { x: x + step * frame as f32, y, width, height };
                boxes.push(FrameIndex(frame), padded(&s3fd_like(&face), columns, rows));
            }
            boxes.smooth();
            for frame in 0..8 {
                if let Some(face) = boxes.at(FrameIndex(frame)) {
                    prop_assert!(!face.is_empty() && face.right() <= columns && face.bottom() <= rows, "{face:?}");
                }
            }
        }
    }
}
