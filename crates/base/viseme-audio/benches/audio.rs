//! Features and voice activity of ten seconds of sound.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use viseme_audio::{LogMel, Padding, Resampler, Wav2LipMel, detect_voice, whisper_mel};

fn sound(rate_hz: u32) -> Vec<f32> {
    (0..rate_hz * 10).map(|i| (i as f32 * 0.05).sin() * (i as f32 * 0.0007).sin()).collect()
}

fn features(c: &mut Criterion) {
    let samples = sound(16_000);
    let log_mel = |samples: &[f32]| {
        let (mut mel, mut frames) = (LogMel::new(), Vec::new());
        mel.push(samples, &mut frames);
        mel.finish(&mut frames);
        frames
    };
    c.bench_function("log-mel of 10 s", |b| b.iter(|| log_mel(black_box(&samples))));
    c.bench_function("Wav2Lip mel of 10 s", |b| {
        b.iter(|| {
            let (mut mel, mut columns) = (Wav2LipMel::new(Padding::Reflect), Vec::new());
            mel.push(black_box(&samples), &mut columns);
            mel.finish(&mut columns);
            columns
        });
    });
    c.bench_function("Whisper mel of a segment", |b| b.iter(|| whisper_mel::log_mel(black_box(&samples))));
    let frames = log_mel(&samples);
    c.bench_function("voice of 10 s", |b| b.iter(|| detect_voice(black_box(&frames))));
    let samples = sound(48_000);
    c.bench_function("resample 10 s from 48 kHz", |b| {
        b.iter(|| {
            let mut output = Vec::new();
            let mut resampler = Resampler::new(48_000, 16_000)?;
            resampler.push(black_box(&samples), &mut output)?;
            resampler.finish(&mut output)?;
            Ok::<_, viseme_core::Error>(output)
        });
    });
}

criterion_group!(benches, features);
criterion_main!(benches);
