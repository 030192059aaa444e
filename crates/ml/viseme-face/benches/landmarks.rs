//! How long the nets take for one face and one frame, on one thread.

use criterion::{Criterion, criterion_group, criterion_main};
use viseme_core::Pts;
use viseme_core::geometry::Vec2;
use viseme_face::framing::{AnalysisImage, Framing};
use viseme_face::identity::{FaceEmbedder, native};
use viseme_face::{FaceNets, Weights};
use viseme_imaging::{ColourInfo, ColourMatrix, ColourRange, Frame, ImageU8, PixelFormat};
use viseme_models::RtenRuntime;

fn benchmark(criterion: &mut Criterion) {
    let (width, height) = (1280, 720);
    let bytes: Vec<u8> =
        (0..PixelFormat::YUV420P.frame_bytes(width, height)).map(|i| (i * 31 % 251) as u8).collect();
    let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, width, height, &bytes);
    let nets = FaceNets::embedded(&RtenRuntime::default(), Weights::Default);
    let (Ok(frame), Ok(nets)) = (frame, nets) else { return };
    let colour = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);
    let (embedder, crop) =
        (native(&RtenRuntime::default(), Weights::Default), ImageU8::filled(112, 112, [96, 128, 160]));
    let (Ok(embedder), Ok(crop)) = (embedder, crop) else { return };
    let image = AnalysisImage { frame: &frame, colour: &colour };
    let face = Framing { center: Vec2::new(640.0, 360.0), side: 380.0, roll: 0.1 };
    let mouth = Framing { center: Vec2::new(640.0, 420.0), side: 130.0, roll: 0.1 };
    criterion.bench_function("detector 720p", |b| b.iter(|| nets.detector.detect(image)));
    criterion.bench_function("landmarks", |b| b.iter(|| nets.landmarks.locate(image, &face)));
    criterion.bench_function("mouth, one pass", |b| b.iter(|| nets.mouth.refine(image, &mouth)));
    criterion.bench_function("identity", |b| b.iter(|| embedder.embed(&crop)));
    criterion.bench_function("face", |b| b.iter(|| nets.observe(image, &face, 0.0)));
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
