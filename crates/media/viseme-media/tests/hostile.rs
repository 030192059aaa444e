//! Inputs that must be refused with one clear line, and machines that fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::Bench;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Limits, Pts};
use viseme_imaging::{Frame, PixelFormat};
use viseme_media::{
    AudioReader, ColourTags, EncodeSettings, FrameSink, FrameSource, OutputVideo, Ratio, ReadOptions,
    VideoReader, VideoWriter, probe,
};

#[test]
fn what_is_no_media_is_refused_with_one_line() {
    let bench = Bench::new();
    let hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n";
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n";
    let dash = "<?xml version=\"1.0\"?>\n<MPD><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>";
    for (name, content, reason) in [
        ("hls.mp4", hls.as_bytes(), "playlist"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        ("old_concat.mkv", b"# list\nfile '/etc/passwd'\n", "playlist"),
        ("session.mov", sdp.as_bytes(), "playlist"),
        ("dash.mp4", dash.as_bytes(), "playlist"),
        ("diary.mp4", b"dear diary", "text"),
        ("empty.mp4", b"", "empty"),
        ("empty.wav", b"", "empty"),
        ("zeros.mp4", &[0; 5000], "not a media file"),
        ("frames_%03d.png", b"#!/bin/sh", "text"),
        ("half_box.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0", "cut off"),
        ("header.wav", b"RIFF\x10\0\0\0WAVEfmt ", "damaged"),
        ("header.mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0", "damaged"),
    ] {
        let error = bench.probe(&bench.write(name, content)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {error}");
        assert!(error.to_string().contains(reason), "{name}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{name}: {error}");
    }
    let missing = bench.probe(&bench.path("missing.mp4")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let folder = bench.probe(Path::new("/")).unwrap_err();
    assert!(folder.to_string().contains("not a file"), "{folder}");
}

#[test]
fn a_truncated_file_says_so_or_gives_what_it_has() {
    let bench = Bench::new();
    let recipe = "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -pix_fmt yuv420p -c:v libx264";
    let whole = std::fs::read(bench.make("whole.mp4", recipe)).unwrap();
    let cut = bench.write("cut.mp4", &whole[..whole.len() * 6 / 10]);
    let error = bench.probe(&cut).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");

    let streamable = bench.make("streamable.mp4", &format!("{recipe} -movflags +faststart"));
    let whole = std::fs::read(streamable).unwrap();
    let cut = bench.write("cut.mp4", &whole[..whole.len() * 6 / 10]);
    let mut reader = bench.reader(&cut, ReadOptions::default());
    let count = common::all(&mut reader).len();
    assert!((5..50).contains(&count), "{count} frames");
    assert_eq!(reader.warnings().len(), 1);
}

#[test]
fn what_is_too_large_names_the_flag() {
    let bench = Bench::new();
    let path =
        bench.make("video.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=1 -pix_fmt yuv420p -c:v libx264");
    let refused = |limits: Limits| probe(&bench.tools, &path, &limits).unwrap_err();
    for (limits, flag) in [
        (Limits { pixels: 320 * 240 - 1, ..Limits::default() }, "--max-pixels"),
        (Limits { duration_s: 0.9, ..Limits::default() }, "--max-duration"),
        (Limits { frames: 24, ..Limits::default() }, "--max-duration"),
    ] {
        let error = refused(limits);
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.hint().unwrap().contains(flag), "{error}");
    }
    // The container may lie about its length: the readers count for themselves.
    let info = bench.probe(&path).unwrap().video.unwrap();
    let limits = Limits { frames: 10, ..Limits::default() };
    let mut reader = VideoReader::open(&bench.tools, &path, &info, ReadOptions::default(), &limits).unwrap();
    let error = std::iter::from_fn(|| reader.next_frame().transpose()).find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_file_without_sound_is_no_speech() {
    let bench = Bench::new();
    let path =
        bench.make("silent.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -pix_fmt yuv420p -c:v libx264");
    let error = AudioReader::open(&bench.tools, &path, 16_000, &bench.limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("no sound"), "{error}");
}

#[test]
fn names_that_look_like_options_urls_and_patterns_work() {
    let bench = Bench::new();
    for name in ["-i.mp4", "http:x.mp4", "a%03d.mp4", "with space 'and quote'.mp4", "pipe:0.mp4"] {
        let source =
            bench.make("source.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -pix_fmt yuv420p -c:v libx264");
        let path = bench.path(name);
        std::fs::rename(source, &path).unwrap();
        assert_eq!(bench.frames(&path).len(), 5, "{name}");
        encode_until_it_fails(&bench, &path, (64, 48), 3, &bench.limits).unwrap();
        assert_eq!(bench.frames(&path).len(), 3, "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_recognised() {
    let bench = Bench::new();
    let path = bench.path("full.mp4");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let error = encode_until_it_fails(&bench, &path, (320, 240), 200, &bench.limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_beyond_its_limits_is_stopped() {
    let bench = Bench::new();
    let short = Limits { child_cpu_s: 1, ..Limits::default() };
    let error =
        encode_until_it_fails(&bench, &bench.path("slow.mp4"), (1280, 720), 2000, &short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    let small = Limits { child_memory_bytes: 600 << 20, ..Limits::default() };
    let error = encode_until_it_fails(&bench, &bench.path("big.mp4"), (3840, 2160), 200, &small).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

/// Encodes `count` noisy frames, so that the encoder has work and output.
fn encode_until_it_fails(
    bench: &Bench,
    path: &Path,
    (width, height): (u32, u32),
    count: i64,
    limits: &Limits,
) -> Result<(), Error> {
    let format = PixelFormat::YUV420P;
    let video = OutputVideo {
        width,
        height,
        format,
        colour_tags: ColourTags::default(),
        sample_aspect_ratio: None,
        timebase: viseme_core::Timebase::new(1, 25).unwrap(),
        average_frame_rate: Ratio::new(25, 1).unwrap(),
    };
    let settings = EncodeSettings { preset: Some("slow".to_owned()), ..EncodeSettings::default() };
    let mut writer = VideoWriter::create(&bench.tools, path, &video, &settings, limits)?;
    let mut state = 1u32;
    let noise: Vec<u8> = (0..format.frame_bytes(width, height))
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for index in 0..count {
        let mut bytes = noise.clone();
        bytes.rotate_left(index as usize * 331 % noise.len());
        writer.write(&Frame::from_bytes(Pts(index), format, width, height, &bytes)?)?;
    }
    Box::new(writer).finish().map(drop)
}
