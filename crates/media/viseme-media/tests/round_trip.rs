//! What is written comes back: samples bit for bit, times tick for tick.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::{Bench, times};
use viseme_core::{Pts, Timebase};
use viseme_imaging::Frame;
use viseme_media::{
    ColourTags, EncodeSettings, FrameSink, OutputVideo, Ratio, VideoCodec, VideoInfo, VideoWriter,
};

fn write(
    bench: &Bench,
    name: &str,
    info: &VideoInfo,
    frames: &[Frame],
    settings: &EncodeSettings,
) -> std::path::PathBuf {
    let path = bench.path(name);
    let output = OutputVideo::like(info);
    let mut writer = VideoWriter::create(&bench.tools, &path, &output, settings, &bench.limits).unwrap();
    for frame in frames {
        writer.write(frame).unwrap();
    }
    let written = Box::new(writer).finish().unwrap();
    assert_eq!(written.frames, frames.len() as u64);
    path
}

fn lossless(codec: VideoCodec) -> EncodeSettings {
    EncodeSettings { codec, lossless: true, preset: None, ..EncodeSettings::default() }
}

fn picture_file(codec: VideoCodec) -> &'static str {
    if codec == VideoCodec::Ffv1 { "copy.mkv" } else { "copy.mp4" }
}

#[test]
fn every_format_comes_back_bit_for_bit() {
    let bench = Bench::new();
    let formats = [
        ("yuv420p", "ffv1"),
        ("yuvj420p", "mjpeg"),
        ("yuv422p", "ffv1"),
        ("yuv422p10le", "ffv1"),
        ("yuv420p12le", "ffv1"),
        ("yuva444p10le", "ffv1"),
        ("gray", "ffv1"),
        ("bgr0", "ffv1"),
        ("bgra", "ffv1"),
        ("gbrap12le", "ffv1"),
        ("rgb24", "png"),
    ];
    for (format, codec) in formats {
        let source = bench.make(
            &format!("{format}.mkv"),
            &format!("-f lavfi -i testsrc2=s=98x62:r=25:d=0.12,format=yuv444p,crop=97:61 -pix_fmt {format} -c:v {codec} -strict -1"),
        );
        let info = bench.probe(&source).unwrap().video.unwrap();
        let frames = bench.frames(&source);
        assert_eq!(frames.len(), 3, "{format}");
        assert_eq!((frames[0].width, frames[0].height), (97, 61), "{format}");
        let copy = write(&bench, "copy.mov", &info, &frames, &lossless(VideoCodec::Ffv1));
        assert_eq!(bench.frames(&copy), frames, "{format}");
    }
}

#[test]
fn the_planes_are_the_ones_that_ffmpeg_decodes() {
    let bench = Bench::new();
    for (format, codec) in
        [("yuv420p", "libx264"), ("yuvj422p", "mjpeg"), ("yuv422p10le", "libx264"), ("nv12", "rawvideo")]
    {
        let source = bench.make(
            "source.nut",
            &format!("-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -pix_fmt {format} -c:v {codec} -strict -1 -f matroska"),
        );
        let plain = if format == "nv12" { "yuv420p" } else { format };
        let raw = bench.make("raw.yuv", &format!("-i {} -pix_fmt {plain} -f rawvideo", source.display()));
        let mut bytes = Vec::new();
        bench.frames(&source).iter().for_each(|frame| frame.write_bytes(&mut bytes));
        assert!(bytes == std::fs::read(raw).unwrap(), "{format}");
    }
}

#[test]
fn lossless_codecs_lose_nothing() {
    let bench = Bench::new();
    for (format, codec) in [
        ("yuv420p", VideoCodec::H264),
        ("yuv444p10le", VideoCodec::H264),
        ("bgr0", VideoCodec::H264),
        ("yuv422p10le", VideoCodec::H265),
        ("yuv420p", VideoCodec::Vp9),
        ("yuv420p10le", VideoCodec::Av1),
    ] {
        let source = bench.make(
            "source.mkv",
            &format!("-f lavfi -i testsrc2=s=96x64:r=25:d=0.2 -pix_fmt {format} -c:v ffv1 -strict -1"),
        );
        let info = bench.probe(&source).unwrap().video.unwrap();
        let frames = bench.frames(&source);
        let copy = write(&bench, "copy.mp4", &info, &frames, &lossless(codec));
        let back = bench.frames(&copy);
        for (before, after) in frames.iter().zip(&back) {
            assert!(before.planes == after.planes, "{format} {codec:?}");
        }
        assert_eq!(back.len(), frames.len());
    }
}

#[test]
fn uneven_times_come_back_tick_for_tick() {
    let bench = Bench::new();
    let source =
        bench.make("source.mkv", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4 -pix_fmt yuv420p -c:v ffv1");
    let base = bench.probe(&source).unwrap().video.unwrap();
    let mut frames = bench.frames(&source);
    for (timebase, ticks) in [
        ((1, 12800), vec![0, 512, 1024, 1537, 2048, 4000, 4001, 9000, 9512, 100_000]),
        ((1001, 30000), (0..10).collect::<Vec<i64>>()),
        ((1, 90000), vec![2970, 5973, 8976, 11979, 14982, 17985, 20988, 23991, 26994, 29997]),
        ((1, 1000), vec![33, 78, 124, 169, 214, 259, 305, 350, 395, 440]),
    ] {
        let info = VideoInfo { timebase: Timebase::new(timebase.0, timebase.1).unwrap(), ..base.clone() };
        frames.iter_mut().zip(&ticks).for_each(|(frame, &tick)| frame.pts = Pts(tick));
        for settings in [EncodeSettings::default(), lossless(VideoCodec::Ffv1)] {
            let name = if settings.lossless { "copy.mov" } else { "copy.mp4" };
            let copy = write(&bench, name, &info, &frames, &settings);
            let back = bench.probe(&copy).unwrap().video.unwrap();
            let seconds = |timebase: Timebase, pts: Pts| (timebase.seconds(pts) * 1e6).round();
            let expected: Vec<_> = ticks.iter().map(|&tick| seconds(info.timebase, Pts(tick))).collect();
            let found: Vec<_> =
                times(&bench.frames(&copy)).iter().map(|&tick| seconds(back.timebase, Pts(tick))).collect();
            assert_eq!(found, expected, "{timebase:?} {:?}", settings.codec);
        }
    }
}

#[test]
fn equal_input_gives_equal_bytes() {
    let bench = Bench::new();
    let source =
        bench.make("source.mkv", "-f lavfi -i testsrc2=s=320x240:r=25:d=0.6 -pix_fmt yuv420p -c:v ffv1");
    let info = bench.probe(&source).unwrap().video.unwrap();
    let frames = bench.frames(&source);
    for codec in [VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1, VideoCodec::Vp9, VideoCodec::Ffv1] {
        let settings = EncodeSettings { codec, ..EncodeSettings::default() };
        let name = picture_file(codec);
        let first = std::fs::read(write(&bench, name, &info, &frames, &settings)).unwrap();
        let second = std::fs::read(write(&bench, name, &info, &frames, &settings)).unwrap();
        assert!(first == second, "{codec:?}");
    }
}

#[test]
fn colour_and_shape_are_written_as_they_were_said() {
    let bench = Bench::new();
    let source =
        bench.make("source.mkv", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -pix_fmt yuv420p -c:v ffv1");
    let info = bench.probe(&source).unwrap().video.unwrap();
    let frames = bench.frames(&source);
    let said = |text: &str| Some(text.to_owned());
    let full = ColourTags {
        range: said("pc"),
        matrix: said("bt709"),
        primaries: said("bt2020"),
        transfer: said("smpte2084"),
    };
    let aspect = Ratio::new(4, 3);
    for tags in [full, ColourTags::default()] {
        let info = VideoInfo { colour_tags: tags.clone(), sample_aspect_ratio: aspect, ..info.clone() };
        for codec in [VideoCodec::H264, VideoCodec::H265, VideoCodec::Ffv1] {
            let settings = EncodeSettings { codec, ..EncodeSettings::default() };
            let copy = write(&bench, picture_file(codec), &info, &frames, &settings);
            let back = bench.probe(&copy).unwrap().video.unwrap();
            let mut expected = tags.clone();
            if codec == VideoCodec::H265 {
                // x265 always writes the range, and limited is what silence means.
                expected.range = expected.range.or(said("tv"));
            }
            assert_eq!(back.colour_tags, expected, "{codec:?}");
            assert_eq!(back.sample_aspect_ratio, aspect, "{codec:?}");
        }
    }
}

#[test]
fn an_odd_size_keeps_every_pixel() {
    let bench = Bench::new();
    let source = bench.make(
        "source.mkv",
        "-f lavfi -i testsrc2=s=98x62:r=25:d=0.2,format=yuv444p,crop=97:61 -pix_fmt yuv420p -c:v ffv1",
    );
    let info = bench.probe(&source).unwrap().video.unwrap();
    let frames = bench.frames(&source);
    for codec in [VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1, VideoCodec::Vp9] {
        let settings = EncodeSettings { codec, ..EncodeSettings::default() };
        let copy = write(&bench, "copy.mp4", &info, &frames, &settings);
        let back = bench.frames(&copy);
        assert_eq!((back[0].width, back[0].height, back.len()), (97, 61, 5), "{codec:?}");
    }
}
