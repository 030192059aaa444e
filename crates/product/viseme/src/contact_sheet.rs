//! A sheet of frames spread over a video, as one picture.

use crate::picture::from_planes;
use viseme_core::{Error, Result};
use viseme_imaging::{ColourInfo, Frame, ImageU8, letterbox_rgb};

/// Frames on a sheet.
pub(crate) const MOST_FRAMES: usize = 24;
/// Frames side by side.
const COLUMNS: usize = 4;
/// The longer side of a frame on the sheet, in pixels: a whole sheet has at most 1300 × 1940 of them.
const SIDE: usize = 320;
/// Pixels between frames.
const GAP: usize = 4;
/// What lies between them.
const GROUND: [u8; 3] = [24, 24, 24];

/// Frames of a video that has `count`, spread evenly, at most [`MOST_FRAMES`]: those in the middle of as many parts.
pub(crate) fn spread(count: usize) -> Vec<usize> {
    let most = MOST_FRAMES.min(count);
    (0..most).map(|nth| (2 * nth + 1) * count / (2 * most)).collect()
}

/// Small copies of frames, which is all that is kept of them.
#[derive(Debug, Default)]
pub(crate) struct ContactSheet {
    cells: Vec<ImageU8<3>>,
}

impl ContactSheet {
    /// Adds a frame.
    ///
    /// # Errors
    /// When the frame has no pixels.
    pub(crate) fn add(&mut self, frame: &Frame, colour: &ColourInfo) -> Result<()> {
        let small = letterbox_rgb(frame, colour, SIDE, SIDE);
        self.cells.push(from_planes(&small.pixels, small.width, small.height)?);
        Ok(())
    }

    /// The frames row by row, in the order in which they came.
    ///
    /// # Errors
    /// `Internal` when there is none.
    pub(crate) fn picture(&self) -> Result<ImageU8<3>> {
        let first = self.cells.first().ok_or_else(|| Error::internal("a sheet without frames"))?;
        let (width, height) = (first.width(), first.height());
        let columns = COLUMNS.min(self.cells.len());
        let rows = self.cells.len().div_ceil(columns);
        let extent = |count: usize, side: usize| count * (side + GAP) + GAP;
        ImageU8::from_fn(extent(columns, width), extent(rows, height), |x, y| {
            let (column, row) = (x / (width + GAP), y / (height + GAP));
            let inside = (x % (width + GAP)).checked_sub(GAP).zip((y % (height + GAP)).checked_sub(GAP));
            let cell = self.cells.get(row * columns + column).filter(|_| column < columns);
            match (cell, inside) {
                (Some(cell), Some((x, y))) if x < cell.width() && y < cell.height() => cell.at(x, y),
                _ => GROUND,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_testing::fake_media::{numbered_frames, video_info};

    #[test]
    fn frames_are_spread_over_the_whole_video_and_none_comes_twice() {
        assert_eq!(spread(0), [0; 0]);
        assert_eq!(spread(1), [0]);
        assert_eq!(spread(3), [0, 1, 2]);
        let many = spread(2400);
        assert_eq!((many.len(), many[0], many[23]), (24, 50, 2350));
        assert!((1..200).all(|count| spread(count).windows(2).all(|pair| pair[0] < pair[1])));
    }

    #[test]
    fn frames_lie_in_rows_with_gaps_between() {
        let mut sheet = ContactSheet::default();
        assert!(sheet.picture().is_err());
        let colour = video_info(16, 16).colour;
        for frame in &numbered_frames(16, 16, 6) {
            sheet.add(frame, &colour).unwrap();
        }
        let picture = sheet.picture().unwrap();
        assert_eq!((picture.width(), picture.height()), (4 * 20 + 4, 2 * 20 + 4));
        assert_eq!((picture.at(0, 0), picture.at(3, 30)), (GROUND, GROUND));
        assert_eq!(picture.at(2 * 20 + 10, 30), GROUND, "the second row has two frames");
        assert_eq!(picture.at(20 + 10, 30), sheet.cells[5].at(6, 6));
    }
}
