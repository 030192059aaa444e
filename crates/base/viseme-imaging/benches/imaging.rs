//! The work of one frame, each on one thread: what the face tracker and the renderer do per frame at 1080p.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use viseme_core::Pts;
use viseme_core::geometry::{Affine, PixelRect, Vec2};
use viseme_imaging::opencv::{Interpolation, filled_ellipse, gaussian_blur, resize, seamless_clone};
use viseme_imaging::{
    ColourInfo, ColourMatrix, ColourRange, ControlPoint, DisplacementField, Frame, ImageF32, ImageU8, Patch,
    PixelFormat, composite, crop_gray, crop_rgb, letterbox_rgb, low_pass_offset, matching_sigma,
    polygon_distance, warp_plane,
};

const REGION: PixelRect = PixelRect { x: 700, y: 300, width: 500, height: 500 };

fn frame() -> Frame {
    let format = PixelFormat::YUV420P;
    let bytes: Vec<u8> = (0..format.frame_bytes(1920, 1080)).map(|i| (i * 31 % 251) as u8).collect();
    Frame::from_bytes(Pts(0), format, 1920, 1080, &bytes).unwrap_or_else(|error| unreachable!("{error}"))
}

fn colour() -> ColourInfo {
    ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709)
}

/// 159 points of which 85 move.
fn points() -> Vec<ControlPoint> {
    (0..159)
        .map(|k| {
            let angle = k as f32 * 2.399_963;
            let radius = 20.0 * (k as f32).sqrt();
            let target = Vec2::new(950.0 + radius * angle.cos(), 550.0 + radius * angle.sin());
            let shift =
                if k < 85 { Vec2::new(4.0 * angle.sin(), 9.0 * angle.cos()) } else { Vec2::default() };
            ControlPoint { target, source: target + shift }
        })
        .collect()
}

fn warps(c: &mut Criterion) {
    let (frame, points) = (frame(), points());
    let step = 500.0 / 47.0;
    c.bench_function("mls 159 points, 48x48 nodes", |b| {
        b.iter(|| DisplacementField::mls_similarity(black_box(&points), REGION, step));
    });
    let field = DisplacementField::mls_similarity(&points, REGION, step);
    c.bench_function("warp 500x500 4:2:0", |b| {
        b.iter(|| {
            for (index, plane) in frame.planes.iter().enumerate() {
                black_box(warp_plane(plane, frame.format, index, black_box(&field), REGION));
            }
        });
    });
}

fn compositing(c: &mut Criterion) {
    let mut frame = frame();
    let field = DisplacementField::still(REGION);
    let planes = (0..3).map(|i| warp_plane(&frame.planes[i], frame.format, i, &field, REGION)).collect();
    let mask = ImageF32::from_fn(500, 500, |x, y| if x + y < 200 { 0.0 } else { 0.5 });
    let patch = Patch::new(frame.format, REGION, planes, &mask);
    c.bench_function("composite 500x500 4:2:0", |b| b.iter(|| composite(&mut frame, black_box(&patch))));
}

fn crops(c: &mut Criterion) {
    let (frame, colour) = (frame(), colour());
    let face = Affine::similarity(0.1, 128.0 / 600.0, Vec2::new(950.0, 550.0), Vec2::new(63.5, 63.5));
    c.bench_function("crop_rgb 128 of 600 px", |b| {
        b.iter(|| crop_rgb(&frame, &colour, black_box(&face), 128));
    });
    let mouth = Affine::similarity(0.1, 64.0 / 250.0, Vec2::new(950.0, 550.0), Vec2::new(31.5, 31.5));
    c.bench_function("crop_gray 64 of 250 px", |b| {
        b.iter(|| crop_gray(&frame, &colour, black_box(&mouth), 64));
    });
    c.bench_function("letterbox 1080p to 512x288", |b| {
        b.iter(|| letterbox_rgb(black_box(&frame), &colour, 512, 512));
    });
}

fn masks(c: &mut Criterion) {
    let region = PixelRect { x: 800, y: 450, width: 300, height: 200 };
    let lips: Vec<Vec2> = (0..20)
        .map(|k| k as f32 * std::f32::consts::TAU / 20.0)
        .map(|angle| Vec2::new(950.0 + 100.0 * angle.cos(), 550.0 + 40.0 * angle.sin()))
        .collect();
    c.bench_function("polygon_distance 300x200, 20 edges", |b| {
        b.iter(|| polygon_distance(black_box(&lips), region, 26.0));
    });
    let base = ImageF32::from_plane(&frame().planes[0], region);
    let patch = base.clone().map(|value| value * 0.9);
    let ring = ImageF32::filled(300, 200, 0.5);
    c.bench_function("low_pass_offset 300x200", |b| {
        b.iter(|| low_pass_offset(black_box(&base), &patch, &ring, 44.0));
    });
    c.bench_function("matching_sigma 300x200", |b| b.iter(|| matching_sigma(black_box(&base), 255, 50.0)));
}

/// A picture with some texture.
fn picture(width: usize, height: usize) -> ImageU8<3> {
    ImageU8::from_fn(width, height, |x, y| [(x * 3 + y) as u8, (x ^ y) as u8, (y * 5) as u8])
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn as_opencv(c: &mut Criterion) {
    let (face, frame) = (picture(500, 500), picture(1920, 1080));
    for interpolation in
        [Interpolation::Linear, Interpolation::Area, Interpolation::Cubic, Interpolation::Lanczos4]
    {
        c.bench_function(&format!("resize 500x500 to 256x256, {interpolation:?}"), |b| {
            b.iter(|| resize(black_box(&face), 256, 256, interpolation));
        });
    }
    let mask = filled_ellipse(500, 500, (250, 250), (248, 248)).and_then(|mask| gaussian_blur(&mask, 7, 3.0));
    let mask = mask.unwrap_or_else(|error| unreachable!("{error}"));
    c.bench_function("seamless_clone 500x500 into 1080p", |b| {
        b.iter(|| seamless_clone(black_box(&face), &frame, &mask, (960, 540)));
    });
}

criterion_group!(benches, warps, compositing, crops, masks, as_opencv);
criterion_main!(benches);
