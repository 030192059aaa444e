//! Putting a generated crop back into its picture (`src/utils/crop.py`, `prepare_paste_back` and `paste_back`).

use viseme_core::Result;
use viseme_core::geometry::AffineF64;
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::warp_affine;

/// `original` with `crop` laid over it where `mask`, of the size of the crop, is above 0 (255 covers it wholly; the
/// reference's is `mask_template.png`). Channels are in one order in both pictures.
///
/// # Errors
/// When `image_from_crop` flattens the plane or is not finite.
pub fn paste_back(
    crop: &ImageU8<3>,
    mask: &ImageU8<1>,
    image_from_crop: &AffineF64,
    original: &ImageU8<3>,
) -> Result<ImageU8<3>> {
    let (width, height) = (original.width(), original.height());
    let crop = warp_affine(crop, image_from_crop, width, height, [0; 3])?;
    let mask = warp_affine(mask, image_from_crop, width, height, [0])?;
    let mut pasted = original.clone();
    let new = crop.pixels().iter().zip(mask.pixels());
    for (pixel, (new, &[weight])) in pasted.pixels_mut().iter_mut().zip(new) {
        // In single precision, and cut, not rounded: so does numpy.
        let weight = f32::from(weight) / 255.0;
        let mix = |new: u8, old: u8| weight * f32::from(new) + (1.0 - weight) * f32::from(old);
        *pixel = std::array::from_fn(|c| mix(new[c], pixel[c]).clamp(0.0, 255.0) as u8);
    }
    Ok(pasted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_alone_says_what_changes() {
        let original = ImageU8::from_fn(9, 7, |x, y| [(x * 20) as u8, (y * 30) as u8, 77]).unwrap();
        let crop = ImageU8::filled(4, 4, [255; 3]).unwrap();
        let mask = ImageU8::from_fn(4, 4, |x, _| [if x < 2 { 0 } else { 255 }]).unwrap();
        let map = AffineF64 { rows: [1.0, 0.0, 3.0, 0.0, 1.0, 2.0] };
        let pasted = paste_back(&crop, &mask, &map, &original).unwrap();
        for (y, x) in (0..7).flat_map(|y| (0..9).map(move |x| (y, x))) {
            let is_new = (5..7).contains(&x) && (2..6).contains(&y);
            assert_eq!(pasted.at(x, y), if is_new { [255; 3] } else { original.at(x, y) }, "{x}, {y}");
        }
        assert!(paste_back(&crop, &mask, &AffineF64 { rows: [0.0; 6] }, &original).is_err());
    }
}
