//! The picture of a face that the measures look at: gray, upright as in the frame, at most 256 pixels across the face.

use viseme_core::Result;
use viseme_core::geometry::{Affine, Rect, Vec2};
use viseme_face::FaceObservation;
use viseme_face::points::LIP_COUNT;
use viseme_imaging::{ColourInfo, Frame, ImageF32, crop_gray};

/// Faces wider than this are shrunk to it: what is only seen closer up is no fault.
const FACE_WIDTH: f32 = 256.0;

/// Room around the face, as a share of its longer side.
const ROOM: f32 = 0.12;

/// How far the mouth region reaches beyond the lips, as a share of their width.
const AROUND_LIPS: f32 = 0.25;

/// How much of the box around the landmarks the face fills, as an ellipse.
const OVAL: f32 = 0.95;

/// A face cut out of a frame.
#[derive(Debug, Clone)]
pub struct FaceCrop {
    /// Gray, 0 to 255.
    pub gray: ImageF32,
    /// The box around the landmarks, in pixels of the crop.
    pub face: Rect,
    /// The outer and inner lips, in pixels of the crop.
    pub lips: [Vec2; LIP_COUNT],
}

impl FaceCrop {
    /// Cuts `face` out of `frame`. `None` for a face of less than eight pixels.
    ///
    /// # Errors
    /// When the crop cannot be made: a fault of ours.
    pub fn of(frame: &Frame, colour: &ColourInfo, face: &FaceObservation) -> Result<Option<Self>> {
        let longer = face.bbox.width.max(face.bbox.height);
        if !longer.is_finite() || face.bbox.width < 8.0 {
            return Ok(None);
        }
        let scale = (FACE_WIDTH / face.bbox.width).min(1.0);
        // A long narrow box is no face; the limit keeps the crop small.
        let size = ((longer * scale * (1.0 + 2.0 * ROOM)).round() as usize).min(4 * FACE_WIDTH as usize);
        let middle = (size / 2) as f32;
        // Whole pixels where nothing is shrunk: interpolation would blur.
        let centre = face.bbox.center();
        let centre = Vec2::new(centre.x.round(), centre.y.round());
        let crop_from_image = Affine::similarity(0.0, scale, centre, Vec2::new(middle, middle));
        let gray = crop_gray(frame, colour, &crop_from_image, size)?;
        let place = |p: Vec2| crop_from_image.apply(p);
        let corner = place(Vec2::new(face.bbox.x, face.bbox.y));
        Ok(Some(Self {
            gray: ImageF32::from_fn(size, size, |x, y| gray[y * size + x]),
            face: Rect {
                x: corner.x,
                y: corner.y,
                width: face.bbox.width * scale,
                height: face.bbox.height * scale,
            },
            lips: std::array::from_fn(|i| place(face.points[i].xy())),
        }))
    }

    /// The box around the lips with the skin that moves with them.
    #[must_use]
    pub fn mouth(&self) -> Rect {
        let lips = Rect::bounding(self.lips).unwrap_or_default();
        lips.expanded(AROUND_LIPS * lips.width)
    }

    /// Whether a pixel lies in the oval of the face.
    #[must_use]
    pub fn is_face(&self, x: usize, y: usize) -> bool {
        let (centre, half) =
            (self.face.center(), Vec2::new(self.face.width, self.face.height) * (0.5 * OVAL));
        let (dx, dy) = ((x as f32 - centre.x) / half.x, (y as f32 - centre.y) / half.y);
        dx * dx + dy * dy <= 1.0
    }
}

/// Whether a pixel lies in a rectangle.
#[must_use]
pub(super) fn contains(rect: &Rect, x: usize, y: usize) -> bool {
    let (x, y) = (x as f32, y as f32);
    x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height
}
