//! Head pose: the similarity that takes the canonical face into the image.

use viseme_core::geometry::Vec3;

/// The map from the canonical face (inter-ocular distance 1, x right, y down, z away) to pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadPose {
    /// Pixels per canonical unit: the inter-ocular distance as it would be seen from the front.
    pub scale_px: f32,
    /// Rows of the rotation matrix.
    pub rotation: [[f32; 3]; 3],
    /// Where the canonical origin (the bridge of the nose) lies, in pixels.
    pub translation: Vec3,
}

impl HeadPose {
    /// Takes a canonical point into the image.
    #[must_use]
    pub fn image_from_canonical(&self, p: Vec3) -> Vec3 {
        let turn = |row: [f32; 3]| (row[0] * p.x + row[1] * p.y + row[2] * p.z) * self.scale_px;
        Vec3::new(turn(self.rotation[0]), turn(self.rotation[1]), turn(self.rotation[2])) + self.translation
    }

    /// Takes an image point (z in pixels) back into the canonical face.
    #[must_use]
    pub fn canonical_from_image(&self, p: Vec3) -> Vec3 {
        let q = (p - self.translation) * (1.0 / self.scale_px);
        let r = &self.rotation;
        let turn = |column: usize| r[0][column] * q.x + r[1][column] * q.y + r[2][column] * q.z;
        Vec3::new(turn(0), turn(1), turn(2))
    }
}
