//! Resampling, blurring and warping against `OpenCV` and numpy: `reference/make_imaging_vectors.py`.

use serde_json::Value;
use std::error::Error;
use viseme_core::geometry::{AffineF64, PixelRect, Vec2};
use viseme_imaging::opencv::{
    Interpolation, StructuringElement, dilate, erode, gaussian_blur, resize, warp_affine,
};
use viseme_imaging::{
    ChromaSampling, ControlPoint, DisplacementField, ImageF32, ImageU8, PixelFormat, Plane, Samples,
    warp_plane,
};

const WIDTH: u32 = 48;
const HEIGHT: u32 = 36;

/// The generator of the script.
struct Generator(u32);

impl Generator {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}

fn plane() -> Plane {
    let mut generator = Generator(2024);
    let samples = (0..WIDTH * HEIGHT).map(|_| (generator.next() >> 24) as u8).collect();
    Plane { width: WIDTH, height: HEIGHT, samples: Samples::U8(samples) }
}

fn image() -> ImageF32 {
    ImageF32::from_plane(&plane(), PixelRect::of_size(WIDTH, HEIGHT))
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).map(|v| v as f32).collect()
}

fn largest_difference(actual: &[f32], expected: &Value) -> f32 {
    let expected = numbers(expected);
    assert_eq!(actual.len(), expected.len());
    actual.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn bicubic_warps_are_those_of_opencv() -> Result<(), Box<dyn Error>> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/cubic.json"))?;
    let shift = numbers(&vectors["shift"]);
    let region = PixelRect::of_size(WIDTH, HEIGHT);
    let mut field = DisplacementField::still(region);
    field.dx.fill(shift[0]);
    field.dy.fill(shift[1]);
    let gray = PixelFormat { chroma: ChromaSampling::Gray, bit_depth: 8, alpha: false };
    let warped = warp_plane(&plane(), gray, 0, &field, region);
    let expected: Vec<f32> = numbers(&vectors["values"]).iter().map(|v| v.clamp(0.0, 255.0)).collect();
    assert!(warped.data.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 0.01));

    let image = image();
    let sampled = ImageF32::from_fn(image.width, image.height, |x, y| {
        image.bicubic(Vec2::new(x as f32 + shift[0], y as f32 + shift[1]))
    });
    assert!(largest_difference(&sampled.data, &vectors["values"]) < 0.01);
    Ok(())
}

#[test]
fn blurs_are_those_of_opencv() -> Result<(), Box<dyn Error>> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/blur.json"))?;
    for (name, sigma) in [("0.8", 0.8), ("1.7", 1.7)] {
        let difference = largest_difference(&image().blurred(sigma).data, &vectors[name]);
        assert!(difference < 0.05, "sigma {name} differs by {difference}");
    }
    // Wide blurs are three box filters, each of which repeats the edges of what the one before it made.
    let wide = image().blurred(4.0);
    let expected = ImageF32 { width: wide.width, height: wide.height, data: numbers(&vectors["4.0"]) };
    let inner = |image: &ImageF32| image.cropped(12, 12, 24, 12).data;
    assert!(inner(&wide).iter().zip(inner(&expected)).all(|(a, b)| (a - b).abs() < 1.0));
    Ok(())
}

#[test]
fn area_means_are_those_of_opencv() -> Result<(), Box<dyn Error>> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/area.json"))?;
    for (name, width, height) in [("24x18", 24, 18), ("17x11", 17, 11), ("31x36", 31, 36)] {
        let difference = largest_difference(&image().resized_area(width, height).data, &vectors[name]);
        assert!(difference < 0.01, "{name} differs by {difference}");
        let from_plane = ImageF32::resized_plane(&plane(), width, height);
        assert_eq!(from_plane, image().resized_area(width, height));
    }
    Ok(())
}

#[test]
fn the_mls_field_is_that_of_the_paper() -> Result<(), Box<dyn Error>> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/mls.json"))?;
    let mut generator = Generator(7);
    let mut number = || (generator.next() >> 16) as f32 / 65_536.0;
    let points: Vec<ControlPoint> = (0..160)
        .map(|k| {
            let [x, y, u, v] = std::array::from_fn(|_| number());
            let target = Vec2::new(x * 600.0 + 60.0, y * 500.0 + 30.0);
            let shift = Vec2::new(u * 24.0 - 12.0, v * 24.0 - 12.0);
            ControlPoint { target, source: if k < 80 { target + shift } else { target } }
        })
        .collect();
    let region = PixelRect { x: 100, y: 50, width: 500, height: 420 };
    let field = DisplacementField::mls_similarity(&points, region, 42.0);
    assert_eq!((field.columns, field.rows), (13, 11));
    let difference =
        largest_difference(&field.dx, &vectors["dx"]).max(largest_difference(&field.dy, &vectors["dy"]));
    assert!(difference < 2e-3, "differs by {difference} pixels");
    Ok(())
}

/// Makes the picture that a key of `bytes.json` names, such as "area 17x11".
fn made_as_named(picture: &ImageU8<1>, name: &str) -> Result<ImageU8<1>, Box<dyn Error>> {
    let words: Vec<&str> = name.split([' ', 'x']).collect();
    let size = || -> Result<(usize, usize), Box<dyn Error>> { Ok((words[1].parse()?, words[2].parse()?)) };
    let interpolation = match words[0] {
        "linear" => Interpolation::Linear,
        "area" => Interpolation::Area,
        "cubic" => Interpolation::Cubic,
        "lanczos4" => Interpolation::Lanczos4,
        "gaussian" => return Ok(gaussian_blur(picture, words[1].parse()?, words[2].parse()?)?),
        "dilate" => return Ok(dilate(picture, &StructuringElement::ellipse(size()?.0, size()?.1)?, 2)),
        "erode" => return Ok(erode(picture, &StructuringElement::ellipse(size()?.0, size()?.1)?, 2)),
        _ => {
            let map = AffineF64 { rows: [1.1, -0.3, 4.7, 0.25, 0.9, -3.2] };
            return Ok(warp_affine(picture, &map, 40, 44, [99])?);
        }
    };
    Ok(resize(picture, size()?.0, size()?.1, interpolation)?)
}

#[test]
fn bytes_are_those_of_opencv() -> Result<(), Box<dyn Error>> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/bytes.json"))?;
    let mut generator = Generator(2024);
    let picture = ImageU8::from_fn(WIDTH as usize, HEIGHT as usize, |_, _| [(generator.next() >> 24) as u8])?;
    let mut wrong = Vec::new();
    for (name, expected) in vectors.as_object().into_iter().flatten() {
        let made: Vec<f32> =
            made_as_named(&picture, name)?.pixels().iter().map(|&[value]| f32::from(value)).collect();
        let difference = largest_difference(&made, expected);
        // Intel's IPP computes cubic in floats; see docs/CONFORMANCE.md.
        let tolerance = if name.starts_with("cubic") { 1.0 } else { 0.0 };
        if difference > tolerance {
            wrong.push(format!("{name} differs by {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}
