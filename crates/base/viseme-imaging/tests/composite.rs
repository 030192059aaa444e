//! What compositing promises, in every format: the formula under the mask, the decoder's own bits everywhere else.

use proptest::prelude::*;
use viseme_core::Pts;
use viseme_core::geometry::PixelRect;
use viseme_imaging::{ChromaSampling, Frame, ImageF32, Patch, PixelFormat, Plane, Samples, composite};

struct Generator(u32);

impl Generator {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    use ChromaSampling::{Gbr, Gray, Yuv420, Yuv422, Yuv444};
    let chroma = prop::sample::select(vec![Gray, Yuv420, Yuv422, Yuv444, Gbr]);
    (chroma, prop::sample::select(vec![8, 10, 12]), any::<bool>())
        .prop_map(|(chroma, bit_depth, alpha)| PixelFormat { chroma, bit_depth, alpha })
}

fn frame(format: PixelFormat, width: u32, height: u32, generator: &mut Generator) -> Frame {
    let planes = (0..format.plane_count())
        .map(|plane| {
            let (width, height) = format.plane_size(plane, width, height);
            let values = (0..width * height).map(|_| generator.next() % (u32::from(format.max_value()) + 1));
            let samples = if format.bit_depth == 8 {
                Samples::U8(values.map(|v| v as u8).collect())
            } else {
                Samples::U16(values.map(|v| v as u16).collect())
            };
            Plane { width, height, samples }
        })
        .collect();
    Frame { pts: Pts(0), format, width, height, planes }
}

/// New samples in and beyond the range, under a mask that is 0 at every other place.
fn patch(format: PixelFormat, region: PixelRect, generator: &mut Generator) -> Patch {
    let mut image = |region: PixelRect, scale: f32, offset: f32| {
        ImageF32::from_fn(region.width as usize, region.height as usize, |_, _| {
            (generator.next() % 4096) as f32 / 4095.0 * scale + offset
        })
    };
    let limit = f32::from(format.max_value());
    let planes = (0..format.chroma.plane_count())
        .map(|plane| image(format.plane_region(plane, region), limit * 1.4, -0.2 * limit))
        .collect();
    let mask = image(region, 2.0, -1.0).map(|weight| weight.max(0.0));
    Patch::new(format, region, planes, &mask)
}

proptest! {
    #[test]
    fn samples_follow_the_formula_and_the_rest_keeps_its_bits(
        format in formats(),
        (width, height) in (1_u32..40, 1_u32..40),
        corner in (0.0_f32..1.0, 0.0_f32..1.0),
        extent in (0.0_f32..1.0, 0.0_f32..1.0),
        seed in any::<u32>(),
    ) {
        let mut generator = Generator(seed);
        let part = |corner: f32, extent: f32, whole: u32| {
            let start = (corner * whole as f32) as u32;
            (start, (extent * (whole - start) as f32).ceil() as u32)
        };
        let ((x, w), (y, h)) = (part(corner.0, extent.0, width), part(corner.1, extent.1, height));
        let region = PixelRect { x, y, width: w, height: h }.aligned(format.alignment(), width, height);
        let before = frame(format, width, height, &mut generator);
        let patch = patch(format, region, &mut generator);
        let mut after = before.clone();
        composite(&mut after, &patch).unwrap();

        let limit = f32::from(format.max_value());
        for (index, (old, new)) in before.planes.iter().zip(&after.planes).enumerate() {
            let colour = index < format.chroma.plane_count();
            let part = format.plane_region(index, region);
            for y in 0..old.height {
                for x in 0..old.width {
                    let (was, is) = (old.value(x.into(), y.into()), new.value(x.into(), y.into()));
                    let inside = (part.x..part.right()).contains(&x) && (part.y..part.bottom()).contains(&y);
                    let (value, weight) = if colour && inside {
                        let at = ((y - part.y) * part.width + x - part.x) as usize;
                        (patch.planes[index].values[at], patch.planes[index].mask[at])
                    } else {
                        (0.0, 0.0)
                    };
                    if weight == 0.0 {
                        prop_assert_eq!(was.to_bits(), is.to_bits());
                    } else {
                        let exact = (was + (value - was) * weight).clamp(0.0, limit);
                        prop_assert!((is - exact).abs() <= 0.501, "{} instead of {}", is, exact);
                    }
                }
            }
        }
    }
}

#[test]
fn a_patch_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut generator = Generator(3);
    let format = PixelFormat::YUV420P;
    let before = frame(format, 20, 16, &mut generator);
    let good = patch(format, PixelRect { x: 4, y: 6, width: 8, height: 8 }, &mut generator);
    let mut broken = vec![good.clone(); 5];
    broken[0].region.x = 14;
    broken[1].region.y = 5;
    broken[2].planes.pop();
    broken[3].planes[2].mask.pop();
    broken[4].region.width = u32::MAX;
    for patch in broken {
        let mut after = before.clone();
        assert!(composite(&mut after, &patch).is_err());
        assert_eq!(after, before);
    }
    assert!(composite(&mut before.clone(), &good).is_ok());
}
