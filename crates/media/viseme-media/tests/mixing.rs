//! Sounds laid over each other: when each is heard, how loud, and what is cut.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::Bench;
use std::path::{Path, PathBuf};
use viseme_media::{AudioInfo, AudioReader, MixPart, mix, probe};

const RATE_HZ: u32 = 48_000;

fn samples(bench: &Bench, path: &Path) -> Vec<f32> {
    let mut reader = AudioReader::open(&bench.tools, path, RATE_HZ, &bench.limits).unwrap();
    std::iter::from_fn(|| reader.next_chunk().unwrap()).flatten().collect()
}

fn audio(bench: &Bench, path: &Path) -> AudioInfo {
    probe(&bench.tools, path, &bench.limits).unwrap().default_audio().unwrap().clone()
}

/// Mixes files, each with its start and its end, and gives the path of the mix.
fn mixed(bench: &Bench, parts: &[(&PathBuf, f64, Option<f64>)]) -> PathBuf {
    let infos: Vec<_> = parts.iter().map(|(path, ..)| audio(bench, path)).collect();
    let parts: Vec<_> = parts
        .iter()
        .zip(&infos)
        .map(|(&(path, start_s, end_s), audio)| MixPart { path, audio, start_s, end_s })
        .collect();
    let target = bench.path("mix.flac");
    mix(&bench.tools, &parts, &target, &bench.limits).unwrap();
    target
}

/// The root mean square of the samples between two times, in seconds.
fn loudness(samples: &[f32], from_s: f32, to_s: f32) -> f32 {
    let at = |seconds: f32| (seconds * RATE_HZ as f32) as usize;
    let part = &samples[at(from_s)..at(to_s)];
    (part.iter().map(|sample| sample * sample).sum::<f32>() / part.len() as f32).sqrt()
}

#[test]
fn each_sound_is_heard_at_its_time_as_loud_as_it_was() {
    let bench = Bench::new();
    let tone = |name: &str, f: u32, d: f32, coding: &str| {
        bench.make(name, &format!("-f lavfi -i aevalsrc=0.2*sin({f}*2*PI*t):d={d}:s=48000 {coding}"))
    };
    let low = tone("low.wav", 300, 2.0, "-c:a pcm_s24le");
    let high = tone("high.flac", 1700, 2.0, "-ac 2 -c:a flac");
    let quiet = 0.2 / 2.0_f32.sqrt();
    let alone = samples(&bench, &mixed(&bench, &[(&low, 0.0, None)]));
    assert!((alone.len() as i64 - 96_000).abs() < 10, "{}", alone.len());
    for (found, given) in alone.iter().zip(samples(&bench, &low)) {
        assert!((found - given).abs() < 1e-5, "a sound alone is not changed");
    }
    let path = mixed(&bench, &[(&low, 0.0, None), (&high, 1.0, Some(2.5))]);
    assert_eq!((audio(&bench, &path).channels, audio(&bench, &path).sample_rate_hz), (2, RATE_HZ));
    let both = samples(&bench, &path);
    assert!((both.len() as i64 - 120_000).abs() < 10, "{}", both.len());
    // Of two channels the reader makes one by 0.7 of each: what is in the middle is louder then.
    let middle = 2.0_f32.sqrt();
    let found = [(0.1, 0.9), (1.1, 1.9), (2.1, 2.4)].map(|(from, to)| loudness(&both, from, to));
    let wanted = [quiet * middle, quiet * 3.0_f32.sqrt(), quiet];
    assert!(found.iter().zip(wanted).all(|(found, wanted)| (found / wanted - 1.0).abs() < 0.02), "{found:?}");
    // What was put in is what comes out, to the sample.
    let late = samples(&bench, &high);
    for (i, found) in both.iter().enumerate().take(90_000).skip(48_100) {
        assert!((found - middle * alone[i] - late[i - 48_000]).abs() < 1e-4, "sample {i}");
    }
    // No click where it is cut off.
    let steps = both[118_000..].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(steps < 0.06 && both[119_999].abs() < 0.01, "{steps}");
}

#[test]
fn what_is_too_loud_together_does_not_clip() {
    let bench = Bench::new();
    let loud = "-f lavfi -i aevalsrc=0.9*sin(440*2*PI*t):d=1:s=48000 -c:a pcm_s24le";
    let (one, other) = (bench.make("one.wav", loud), bench.make("other.wav", loud));
    let both = samples(&bench, &mixed(&bench, &[(&one, 0.0, None), (&other, 0.25, None)]));
    let peak = both.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!(peak > 0.9 && peak < 0.99, "{peak}");
    assert!((loudness(&both, 0.02, 0.2) - 0.9 / 2.0_f32.sqrt()).abs() < 0.02, "what is alone stays");
}
