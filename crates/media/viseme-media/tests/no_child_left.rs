//! A dropped reader or writer leaves no child behind. Alone in its file: it counts the children of the whole process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::Bench;
use viseme_media::{EncodeSettings, FrameSink, FrameSource, OutputVideo, ReadOptions, VideoWriter};

/// Children of this process, zombies included.
fn children() -> usize {
    let me = std::process::id().to_string();
    let is_child = |stat: String| {
        // "pid (name) state ppid …", where the name may hold anything.
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())?;
        (after_name.split(' ').nth(1)? == me).then_some(())
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter_map(is_child)
        .count()
}

#[test]
fn dropped_readers_and_writers_end_their_children() {
    let bench = Bench::new();
    let path = bench.make(
        "long.mp4",
        "-f lavfi -i testsrc2=s=320x240:r=25:d=20 -pix_fmt yuv420p -c:v libx264 -preset ultrafast",
    );
    let mut reader = bench.reader(&path, ReadOptions::default());
    let frame = reader.next_frame().unwrap().unwrap();
    let output = OutputVideo::like(reader.info());
    let settings = EncodeSettings::default();
    let mut writer =
        VideoWriter::create(&bench.tools, &bench.path("out.mp4"), &output, &settings, &bench.limits).unwrap();
    writer.write(&frame).unwrap();
    assert_eq!(children(), 2);
    drop(reader);
    assert_eq!(children(), 1);
    drop(writer);
    assert_eq!(children(), 0);
}
