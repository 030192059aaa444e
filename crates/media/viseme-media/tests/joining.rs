//! Parts that were encoded one by one become one file with their frames at their times.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::{Bench, times};
use std::ops::Range;
use std::path::{Path, PathBuf};
use viseme_core::{ErrorKind, Pts, Result, Timebase};
use viseme_imaging::Frame;
use viseme_media::{
    EncodeSettings, FrameSink, OutputVideo, PicturePart, VideoCodec, VideoWriter, WrittenVideo, join_pictures,
};

const PARTS: [Range<usize>; 4] = [0..7, 7..20, 20..21, 21..30];

/// Thirty frames at the times of a test, and how they are written.
struct Film {
    bench: Bench,
    video: OutputVideo,
    frames: Vec<Frame>,
    settings: EncodeSettings,
}

impl Film {
    fn new(codec: VideoCodec, timebase: (u32, u32), tick: impl Fn(i64) -> i64) -> Self {
        let bench = Bench::new();
        let source =
            bench.make("source.mkv", "-f lavfi -i testsrc2=s=320x240:r=25:d=1.2,format=yuv420p -c:v ffv1");
        let mut video = OutputVideo::like(&bench.probe(&source).unwrap().video.unwrap());
        video.timebase = Timebase::new(timebase.0, timebase.1).unwrap();
        let mut frames = bench.frames(&source);
        assert_eq!(frames.len(), 30);
        frames.iter_mut().zip(0..).for_each(|(frame, nth)| frame.pts = Pts(tick(nth)));
        Self { bench, video, frames, settings: EncodeSettings { codec, ..EncodeSettings::default() } }
    }

    fn name(&self, stem: &str) -> PathBuf {
        let is_mp4 = matches!(self.settings.codec, VideoCodec::Vp9 | VideoCodec::Av1);
        self.bench.path(stem).with_extension(if is_mp4 { "mp4" } else { "mov" })
    }

    fn write(&self, stem: &str, frames: &[Frame]) -> PathBuf {
        let (path, Bench { tools, limits, .. }) = (self.name(stem), &self.bench);
        let mut writer = VideoWriter::create(tools, &path, &self.video, &self.settings, limits).unwrap();
        for frame in frames {
            writer.write(frame).unwrap();
        }
        Box::new(writer).finish().unwrap().path
    }

    /// The parts, in files whose names have a meaning for whoever does not quote them.
    fn parts(&self) -> Vec<PicturePart> {
        let part = |frames: Range<usize>| PicturePart {
            path: self.write(&format!("it's a %d part {}", frames.start), &self.frames[frames.clone()]),
            start: self.frames[frames.start].pts,
            frames: frames.len() as u64,
        };
        PARTS.map(part).to_vec()
    }

    fn join(&self, parts: &[PicturePart], times: &[i64]) -> Result<WrittenVideo> {
        let (path, Bench { tools, limits, .. }) = (self.name("joined"), &self.bench);
        let times = times.iter().map(|&tick| Pts(tick));
        join_pictures(tools, parts, (self.video.timebase, times), &path, limits)
    }

    fn stream(&self, path: &Path) -> String {
        let entries = "codec_name,codec_tag_string,profile,level,width,height,sample_aspect_ratio,pix_fmt,\
            color_range,color_space,has_b_frames,time_base,start_time,duration,nb_frames";
        self.bench.ffprobe(path, &format!("-show_entries stream={entries}"))
    }
}

#[test]
fn parts_become_one_picture_in_every_codec() {
    use VideoCodec::{Av1, Ffv1, H264, H265, Vp9};
    for codec in [H264, H265, Vp9, Av1, Ffv1] {
        let film = Film::new(codec, (1, 12800), |nth| 700 + nth * 512);
        let parts = film.parts();
        let joined = film.join(&parts, &times(&film.frames)).unwrap();
        assert_eq!(joined.frames, 30);
        let shown = film.bench.frames(&joined.path);
        let planes = |frames: &[Frame]| frames.iter().map(|frame| frame.planes.clone()).collect::<Vec<_>>();
        let of_parts: Vec<_> = parts.iter().flat_map(|part| planes(&film.bench.frames(&part.path))).collect();
        assert!(planes(&shown) == of_parts, "{codec:?}: the packets are those of the parts");
        assert_eq!(times(&shown), times(&film.frames), "{codec:?}");
        assert_eq!(film.stream(&joined.path), film.stream(&film.write("whole", &film.frames)), "{codec:?}");
    }
}

#[test]
fn times_are_kept_to_the_tick_whatever_the_ticks() {
    // Uneven steps; ticks finer than the microseconds of ffmpeg's lists; a step that is no whole part of a second; a jump of an
    // hour; frames far apart after frames close together.
    let jump = |nth: i64| nth * 40 + if nth < 20 { 0 } else { 3_600_000 };
    let sparse = |nth: i64| if nth < 7 { nth } else { nth * 1000 };
    for film in [
        Film::new(VideoCodec::H264, (1, 12800), |nth| 700 + nth * 512 + nth * nth % 17 * 20),
        Film::new(VideoCodec::H264, (1, 10_000_000), |nth| 3 + nth * 333_667 + nth % 3),
        Film::new(VideoCodec::H264, (1001, 30000), |nth| nth),
        Film::new(VideoCodec::H264, (1, 1000), jump),
        Film::new(VideoCodec::H264, (1, 1000), sparse),
    ] {
        let ticks = times(&film.frames);
        assert_eq!(film.join(&film.parts(), &ticks).unwrap().frames, 30, "{:?}", film.video.timebase);
    }
}

#[test]
fn what_is_not_what_was_planned_is_an_error() {
    let film = Film::new(VideoCodec::H264, (1, 25), |nth| nth);
    let (parts, ticks) = (film.parts(), times(&film.frames));
    let kind = |parts: &[PicturePart], ticks: &[i64]| film.join(parts, ticks).unwrap_err().kind();
    let mut late = ticks.clone();
    late[12] = 13;
    for wrong in [&ticks[..29], &[ticks.as_slice(), &[30]].concat(), &late] {
        assert_eq!(kind(&parts, wrong), ErrorKind::Internal);
    }
    assert_eq!(kind(&parts[1..], &ticks), ErrorKind::Internal);
    let bytes = std::fs::read(&parts[1].path).unwrap();
    std::fs::write(&parts[1].path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(film.join(&parts, &ticks).is_err(), "a part that is cut off");
    std::fs::remove_file(&parts[1].path).unwrap();
    assert!(film.join(&parts, &ticks).is_err(), "a part that is gone");
}
