//! Decoded sound: rate, channels, and where time zero is.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::Bench;
use std::path::Path;
use viseme_media::AudioReader;

const RATE_HZ: u32 = 16_000;

fn samples(bench: &Bench, path: &Path) -> Vec<f32> {
    let mut reader = AudioReader::open(&bench.tools, path, RATE_HZ, &bench.limits).unwrap();
    let mut samples = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        samples.extend(chunk);
    }
    samples
}

/// The time of the first sample that is clearly not silence, in seconds.
fn onset_s(samples: &[f32]) -> f32 {
    let first = samples.iter().position(|sample| sample.abs() > 0.05).unwrap();
    first as f32 / RATE_HZ as f32
}

/// Half a second of silence, then a tone; 1.5 seconds in all.
const TONE: &str = "-f lavfi -i sine=f=440:d=1:r=44100 -af volume=8,adelay=500:all=1";

#[test]
fn every_kind_of_file_starts_at_time_zero() {
    let bench = Bench::new();
    for (name, coding) in [
        ("tone.wav", "-c:a pcm_s16le"),
        ("tone.mp3", "-c:a libmp3lame"),
        ("tone.m4a", "-c:a aac"),
        ("tone.aac", "-c:a aac"),
        ("tone.ogg", "-c:a libvorbis"),
        ("tone.opus", "-c:a libopus"),
        ("tone.flac", "-c:a flac"),
        ("tone.mka", "-c:a aac"),
        ("tone.ts", "-c:a aac -muxdelay 2"),
        ("stereo.wav", "-ac 2 -c:a pcm_s24le"),
        ("surround.flac", "-ac 6 -c:a flac"),
    ] {
        let found = samples(&bench, &bench.make(name, &format!("{TONE} {coding}")));
        let length_s = found.len() as f32 / RATE_HZ as f32;
        // Lossy codecs round to frames, and raw AAC does not say how much its encoder put in front.
        assert!((length_s - 1.5).abs() < 0.07, "{name}: {length_s} s");
        assert!((onset_s(&found) - 0.5).abs() < 0.03, "{name}: starts at {} s", onset_s(&found));
        assert!(found.iter().all(|sample| sample.abs() <= 1.5), "{name}");
    }
}

#[test]
fn a_late_stream_begins_with_silence_and_gaps_are_filled() {
    let bench = Bench::new();
    let late = bench.make(
        "late.mp4",
        "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -itsoffset 0.7 -f lavfi -i sine=d=1 -af volume=8 -pix_fmt yuv420p -c:a aac",
    );
    assert!((onset_s(&samples(&bench, &late)) - 0.7).abs() < 0.03);
    let gap = bench.make(
        "gap.mkv",
        "-f lavfi -i sine=d=3 -af volume=8,aselect='not(between(t\\,1\\,2))' -c:a pcm_s16le",
    );
    let found = samples(&bench, &gap);
    assert!((found.len() as f32 / RATE_HZ as f32 - 3.0).abs() < 0.1, "{}", found.len());
    let middle = &found[(1.2 * RATE_HZ as f32) as usize..(1.8 * RATE_HZ as f32) as usize];
    assert!(middle.iter().all(|sample| sample.abs() < 0.01));
}

#[test]
fn the_default_stream_is_the_one_that_is_read() {
    let bench = Bench::new();
    let path = bench.make(
        "two.mkv",
        "-f lavfi -i anullsrc=r=16000:d=1 -f lavfi -i sine=d=1 -map 0 -map 1 -t 1 -c:a pcm_s16le \
         -disposition:a:0 0 -disposition:a:1 default",
    );
    assert!(samples(&bench, &path).iter().any(|sample| sample.abs() > 0.05));
}

#[test]
fn a_reader_that_is_dropped_early_does_not_hang() {
    let bench = Bench::new();
    let path = bench.make("long.wav", "-f lavfi -i sine=d=300");
    let mut reader = AudioReader::open(&bench.tools, &path, 48_000, &bench.limits).unwrap();
    assert!(reader.next_chunk().unwrap().is_some());
}
