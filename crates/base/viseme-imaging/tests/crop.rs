//! Crops and letterboxes against what they are defined to be.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use viseme_core::Pts;
use viseme_core::geometry::{Affine, Vec2};
use viseme_imaging::{
    ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, PixelFormat, PlaneSiting, crop_gray,
    crop_rgb, letterbox_rgb,
};

fn colour(matrix: ColourMatrix) -> ColourInfo {
    ColourInfo::new(ColourRange::Full, matrix)
}

/// A frame whose planes are the values of `value` (0 to 255: plane, x, y in pixels of the frame) at their samples.
fn frame(format: PixelFormat, width: u32, height: u32, value: impl Fn(usize, Vec2) -> f32) -> Frame {
    let scale = f32::from(format.max_value()) / 255.0;
    let mut bytes = Vec::new();
    for plane in 0..format.plane_count() {
        let siting = PlaneSiting::of(format, plane);
        let (columns, rows) = format.plane_size(plane, width, height);
        for y in 0..rows {
            for x in 0..columns {
                let at = siting.frame_from_plane(Vec2::new(x as f32, y as f32));
                let sample = (value(plane, at) * scale).round() as u16;
                bytes.extend(&sample.to_le_bytes()[..if format.bit_depth > 8 { 2 } else { 1 }]);
            }
        }
    }
    Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap()
}

/// Slopes of all three planes, different in each.
fn slope(plane: usize, at: Vec2) -> f32 {
    match plane {
        0 => 60.0 + 0.3 * at.x + 0.2 * at.y,
        1 => 110.0 + 0.1 * at.x,
        _ => 120.0 + 0.15 * at.y,
    }
}

/// BT.601, full range.
fn rgb_of(y: f32, u: f32, v: f32) -> [f32; 3] {
    let (u, v) = (u - 128.0, v - 128.0);
    [y + 1.402 * v, y - 0.344_136 * u - 0.714_136 * v, y + 1.772 * u]
}

#[test]
fn crops_of_a_slope_are_exact_at_every_scale_and_rotation() {
    for (chroma, bit_depth) in [
        (ChromaSampling::Yuv420, 8),
        (ChromaSampling::Yuv422, 8),
        (ChromaSampling::Yuv444, 8),
        (ChromaSampling::Yuv420, 10),
    ] {
        let format = PixelFormat { chroma, bit_depth, alpha: false };
        let frame = frame(format, 321, 243, slope);
        for (angle, scale) in [(0.0, 1.0), (0.4, 0.31), (-0.7, 0.2), (0.2, 2.3)] {
            let crop_from_image =
                Affine::similarity(angle, scale, Vec2::new(160.0, 120.0), Vec2::new(12.0, 11.0));
            let back = crop_from_image.inverse().unwrap();
            let crop = crop_rgb(&frame, &colour(ColourMatrix::Bt601), &crop_from_image, 24).unwrap();
            let gray = crop_gray(&frame, &colour(ColourMatrix::Bt601), &crop_from_image, 24).unwrap();
            for (i, gray) in gray.iter().enumerate() {
                let at = back.apply(Vec2::new((i % 24) as f32, (i / 24) as f32));
                let expected = rgb_of(slope(0, at), slope(1, at), slope(2, at));
                let actual = [crop[i], crop[576 + i], crop[1152 + i]];
                for (a, e) in actual.iter().zip(expected) {
                    assert!(
                        (a - e).abs() < 2.0,
                        "{chroma:?} {bit_depth} {scale}: {actual:?} for {expected:?}"
                    );
                }
                let luma = 0.299 * actual[0] + 0.587 * actual[1] + 0.114 * actual[2];
                assert!((gray - luma).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn a_fine_pattern_becomes_gray_when_shrunk() {
    let format = PixelFormat { chroma: ChromaSampling::Gray, bit_depth: 8, alpha: false };
    let checkers =
        frame(format, 400, 400, |_, at| if ((at.x + at.y) as u32).is_multiple_of(2) { 255.0 } else { 0.0 });
    for scale in [0.4, 0.25, 0.11] {
        let crop_from_image = Affine::similarity(0.3, scale, Vec2::new(200.0, 200.0), Vec2::new(16.0, 16.0));
        let crop = crop_gray(&checkers, &colour(ColourMatrix::Bt709), &crop_from_image, 32).unwrap();
        assert!(crop.iter().all(|value| (value - 127.5).abs() < 32.0), "scale {scale}");
    }
}

#[test]
fn a_crop_beyond_the_frame_repeats_its_edge() {
    let format = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: true };
    let frame = frame(format, 20, 10, |plane, _| [10.0, 20.0, 30.0, 40.0][plane]);
    for (x, y) in [(-500.0, 3.0), (10.0, 900.0), (19.0, 9.0)] {
        let crop_from_image = Affine::similarity(0.1, 0.5, Vec2::new(x, y), Vec2::new(8.0, 8.0));
        let crop = crop_rgb(&frame, &colour(ColourMatrix::Rgb), &crop_from_image, 16).unwrap();
        for (plane, expected) in [30.0, 10.0, 20.0].into_iter().enumerate() {
            assert!(crop[plane * 256..][..256].iter().all(|value| (value - expected).abs() < 1e-3));
        }
    }
    let flat = Affine { rows: [0.0; 6] };
    assert!(crop_rgb(&frame, &colour(ColourMatrix::Rgb), &flat, 16).is_err());
}

#[test]
fn a_letterbox_keeps_proportions_and_places() {
    let frame = frame(PixelFormat::YUV420P, 321, 241, slope);
    let small = letterbox_rgb(&frame, &colour(ColourMatrix::Bt601), 128, 128);
    assert_eq!((small.width, small.height, small.pixels.len()), (128, 96, 3 * 128 * 96));
    for (x, y) in [(3, 4), (64, 40), (126, 95)] {
        let at = Vec2::new((x as f32 + 0.5) / small.scale.x - 0.5, (y as f32 + 0.5) / small.scale.y - 0.5);
        let expected = rgb_of(slope(0, at), slope(1, at), slope(2, at));
        for (plane, expected) in expected.into_iter().enumerate() {
            let actual = small.pixels[plane * 128 * 96 + y * 128 + x];
            assert!((actual - expected).abs() < 2.0, "{x} {y} {plane}: {actual} instead of {expected}");
        }
    }
    let whole = letterbox_rgb(&frame, &colour(ColourMatrix::Bt601), 640, 640);
    assert_eq!((whole.width, whole.height), (321, 241));
}
