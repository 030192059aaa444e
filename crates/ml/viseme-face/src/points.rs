//! The landmarks: which point of the face each of the 159 is, and the groups that the code works with.

use std::ops::Range;

/// Number of landmarks of a face.
pub const POINT_COUNT: usize = 159;

/// Number of lip points; they come first.
pub const LIP_COUNT: usize = 40;

/// Number of points that move with speech: lips, jaw, chin and cheeks; they come first.
pub const MOUTH_COUNT: usize = 85;

/// Outer lip line: upper from the left corner of the image (61) to the right (291), then the lower between them.
pub const OUTER_UPPER_LIP: Range<usize> = 0..11;
/// Outer lower lip line, from left to right, without the corners.
pub const OUTER_LOWER_LIP: Range<usize> = 11..20;
/// Inner upper lip line from the left corner (78) to the right (308).
pub const INNER_UPPER_LIP: Range<usize> = 20..31;
/// Inner lower lip line, from left to right, without the corners.
pub const INNER_LOWER_LIP: Range<usize> = 31..40;
/// Lower jaw contour.
pub const JAW: Range<usize> = 40..53;
/// Chin and the skin below the lower lip.
pub const CHIN: Range<usize> = 53..65;
/// Cheeks and the folds beside the mouth.
pub const CHEEKS: Range<usize> = 65..85;
/// Points that speech hardly moves: eye corners, nose, forehead, temples, brows. The head pose is fitted to them.
pub const STABLE: Range<usize> = 85..123;

/// The tip of the nose (4).
pub const NOSE_TIP: usize = 114;

/// The index of each landmark in the 468-point topology of `MediaPipe` `FaceMesh`, whose labels taught our nets.
pub const MESH_INDEX: [u16; POINT_COUNT] = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375, 78, 191, 80,
    81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324, 172, 136, 150, 149, 176,
    148, 152, 377, 400, 378, 379, 365, 397, 200, 199, 175, 18, 83, 313, 201, 421, 208, 428, 32, 262, 205,
    425, 207, 427, 216, 436, 212, 432, 192, 416, 214, 434, 202, 422, 204, 424, 43, 273, 57, 287, 33, 133,
    362, 263, 168, 6, 197, 195, 5, 10, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251, 127, 356, 234, 454,
    129, 358, 98, 327, 1, 4, 2, 9, 8, 151, 107, 336, 70, 300, 389, 323, 361, 288, 58, 132, 93, 162, 145, 374,
    159, 386, 105, 334, 50, 280, 101, 330, 118, 347, 117, 346, 123, 352, 116, 345, 227, 447, 160, 158, 153,
    144, 385, 387, 373, 380,
];

/// The position of a `FaceMesh` index among our landmarks; `None` when it is not one of them.
#[must_use]
pub fn position_of(mesh_index: u16) -> Option<usize> {
    MESH_INDEX.iter().position(|&index| index == mesh_index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_start_and_end_at_their_known_points() {
        assert_eq!(MESH_INDEX[OUTER_UPPER_LIP.start], 61);
        assert_eq!(MESH_INDEX[OUTER_UPPER_LIP.end - 1], 291);
        assert_eq!(MESH_INDEX[INNER_UPPER_LIP.start], 78);
        assert_eq!(MESH_INDEX[INNER_LOWER_LIP.end - 1], 324);
        assert_eq!(MESH_INDEX[JAW.start], 172);
        assert_eq!(MESH_INDEX[CHIN.start], 200);
        assert_eq!(MESH_INDEX[CHEEKS.start], 205);
        assert_eq!(MESH_INDEX[STABLE.start], 33);
        assert_eq!(MESH_INDEX[STABLE.end - 1], 300);
        assert_eq!(MESH_INDEX[NOSE_TIP], 4);
    }

    #[test]
    fn no_point_is_listed_twice() {
        let mut sorted = MESH_INDEX;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
