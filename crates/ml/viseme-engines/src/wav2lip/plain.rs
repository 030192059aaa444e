//! What `inference.py` does with a face: cut out, shrunk, and pasted back whole.

use super::network::{NetFace, SIDE};
use viseme_core::Result;
use viseme_core::geometry::PixelRect;
use viseme_imaging::opencv::{Interpolation, resize};
use viseme_imaging::{ColourInfo, Frame, ImageF32, ImageU8, Patch, planes_from_rgb, rgb_part};

/// A face cut out of a frame along a box.
#[derive(Debug)]
pub struct PlainCrop {
    /// The box, which lies in the frame.
    face: PixelRect,
    /// The smallest part of the frame around the box that begins on a chroma sample, …
    part: PixelRect,
    /// … as red, green and blue.
    around: ImageU8<3>,
}

impl PlainCrop {
    /// Cuts the box `face` out of a frame.
    ///
    /// # Errors
    /// When the box is empty or does not lie in the frame.
    pub fn new(frame: &Frame, colour: &ColourInfo, face: PixelRect) -> Result<Self> {
        let part = face.aligned(frame.format.alignment(), frame.width, frame.height);
        Ok(Self { face, part, around: rgb_part(frame, colour, part)? })
    }

    /// The face in the size of the net: red, green, blue (`cv2.resize`, linear).
    ///
    /// # Errors
    /// When the box is empty.
    pub fn picture(&self) -> Result<ImageU8<3>> {
        let (x, y) = self.corner();
        let cut = self.around.cropped(x, y, self.face.width as usize, self.face.height as usize)?;
        resize(&cut, SIDE, SIDE, Interpolation::Linear)
    }

    /// What the net is shown.
    ///
    /// # Errors
    /// When the box is empty.
    pub fn net_face(&self) -> Result<NetFace> {
        let picture = self.picture()?;
        let planes: Vec<f32> = (0..3).flat_map(|channel| picture.channel(channel).data).collect();
        NetFace::from_rgb(&planes)
    }

    /// The patch that pastes the net's answer into the frame that the face was cut out of.
    ///
    /// # Errors
    /// When the box is empty.
    pub fn paste(&self, spoken: &NetFace, frame: &Frame, colour: &ColourInfo) -> Result<Patch> {
        self.paste_picture(&truncated(spoken)?, frame, colour)
    }

    /// As [`paste`](Self::paste), of a picture in the size of the net.
    ///
    /// # Errors
    /// When the box is empty.
    pub fn paste_picture(&self, picture: &ImageU8<3>, frame: &Frame, colour: &ColourInfo) -> Result<Patch> {
        let (width, height) = (self.face.width as usize, self.face.height as usize);
        let face = resize(picture, width, height, Interpolation::Linear)?;
        let mut pasted = self.around.clone();
        let mut mask = ImageF32::filled(pasted.width(), pasted.height(), 0.0);
        let (x, y) = self.corner();
        for row in 0..height {
            pasted.row_mut(y + row)[x..x + width].copy_from_slice(face.row(row));
            mask.row_mut(y + row)[x..x + width].fill(1.0);
        }
        let rgb = [0, 1, 2].map(|channel| pasted.channel(channel));
        let planes = planes_from_rgb(&rgb, frame.format, colour);
        Ok(Patch::new(frame.format, self.part, planes, &mask))
    }

    /// The box within the part around it.
    fn corner(&self) -> (usize, usize) {
        ((self.face.x - self.part.x) as usize, (self.face.y - self.part.y) as usize)
    }
}

/// The net's answer in 8 bits: values are cut off, not rounded (`inference.py`, `p.astype(np.uint8)`).
///
/// # Errors
/// Never: the size is that of the net.
pub fn truncated(spoken: &NetFace) -> Result<ImageU8<3>> {
    let [red, green, blue] = spoken.to_rgb();
    ImageU8::from_fn(SIDE, SIDE, |x, y| {
        let at = y * SIDE + x;
        [red.data[at] as u8, green.data[at] as u8, blue.data[at] as u8]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use viseme_core::Pts;
    use viseme_imaging::{ChromaSampling, ColourMatrix, ColourRange, PixelFormat, composite};

    const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

    proptest! {
        #[test]
        fn exactly_the_box_changes(
            (width, height) in (3_u32..60, 3_u32..60),
            (x, y, w, h) in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
            chroma in 0..4,
        ) {
            let chroma = [ChromaSampling::Yuv420, ChromaSampling::Yuv422, ChromaSampling::Yuv444,
                ChromaSampling::Gbr][chroma as usize];
            let format = PixelFormat { chroma, ..PixelFormat::YUV420P };
            let frame = Frame::from_bytes(Pts(0), format, width, height,
                &vec![60; format.frame_bytes(width, height)]).unwrap();
            let place = |share: f64, extent: f64, whole: u32| {
                let start = (share * f64::from(whole)) as u32;
                (start, 1 + (extent * f64::from(whole - start - 1)) as u32)
            };
            let ((left, columns), (top, rows)) = (place(x, w, width), place(y, h, height));
            let face = PixelRect { x: left, y: top, width: columns, height: rows };
            let crop = PlainCrop::new(&frame, &COLOUR, face).unwrap();
            prop_assert_eq!(crop.net_face().unwrap().values().len(), 3 * SIDE * SIDE);
            let white = ImageU8::filled(SIDE, SIDE, [255; 3]).unwrap();
            let mut pasted = frame.clone();
            composite(&mut pasted, &crop.paste_picture(&white, &frame, &COLOUR).unwrap()).unwrap();
            for (px, py) in (0..width).flat_map(|px| (0..height).map(move |py| (px, py))) {
                let inside = (face.x..face.right()).contains(&px) && (face.y..face.bottom()).contains(&py);
                let value = pasted.planes[0].value(i64::from(px), i64::from(py));
                prop_assert_eq!(value > 200.0, inside, "{} {}: {}", px, py, value);
            }
        }
    }
}
