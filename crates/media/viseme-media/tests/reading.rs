//! What comes out of a file: geometry, times, chosen streams, parts of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::{Bench, all, times};
use viseme_core::{FrameIndex, Pts};
use viseme_imaging::{ColourRange, Samples};
use viseme_media::{ReadOptions, ReadStart, StreamKind};

const VIDEO: &str = "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -pix_fmt yuv420p";

#[test]
fn frames_are_upright_whatever_the_rotation() {
    let bench = Bench::new();
    // Left half black, right half white.
    let plain = bench.make(
        "plain.mp4",
        "-f lavfi -i color=black:s=48x64:r=25:d=0.2 -f lavfi -i color=white:s=48x64:r=25:d=0.2 \
         -filter_complex hstack -pix_fmt yuv420p -c:v libx264 -aspect 3:1",
    );
    for (degrees, size) in [(90, (64, 96)), (180, (96, 64)), (270, (64, 96))] {
        // ffmpeg 5.1 writes the display matrix from this tag, counter-clockwise in its own words.
        let tag = (360 - degrees) % 360;
        let turned =
            bench.make("turned.mp4", &format!("-i {} -c copy -metadata:s:v:0 rotate={tag}", plain.display()));
        let info = bench.probe(&turned).unwrap().video.unwrap();
        assert_eq!((info.width, info.height), size, "{degrees}");
        assert!([90, 180, 270].contains(&info.rotation_degrees));
        let aspect = info.sample_aspect_ratio.unwrap().value();
        assert!((aspect - if degrees == 180 { 2.0 } else { 0.5 }).abs() < 1e-6, "{degrees}: {aspect}");
        let frames = bench.frames(&turned);
        assert_eq!(frames.len(), 5);
        let Samples::U8(luma) = &frames[0].planes[0].samples else { panic!("not 8 bits") };
        let (first, last) = (luma[0], luma[luma.len() - 1]);
        let top_right = luma[frames[0].width as usize - 1];
        // Turning the picture clockwise by 90 degrees takes its left edge to the top.
        let expected = match info.rotation_degrees {
            90 => (first < 50, top_right < 50, last > 200),
            180 => (first > 200, top_right < 50, last < 50),
            _ => (first > 200, top_right > 200, last < 50),
        };
        assert_eq!(expected, (true, true, true), "{degrees}");
    }
}

#[test]
fn any_part_can_be_read_from_its_key_frame() {
    let bench = Bench::new();
    for (name, coding) in [
        ("long_groups.mp4", "-c:v libx264 -g 12 -bf 3"),
        ("open_groups.mkv", "-c:v libx264 -x264-params open-gop=1 -g 10 -bf 3"),
        ("program.mpg", "-c:v mpeg2video -g 8 -bf 2"),
        ("old.avi", "-c:v mpeg4 -g 9 -bf 2"),
        ("delayed.ts", "-c:v libx264 -g 10 -muxdelay 3"),
    ] {
        let path = bench.make(name, &format!("{VIDEO} {coding}"));
        let whole = bench.frames(&path);
        assert_eq!(whole.len(), 25, "{name}");
        assert!(whole.windows(2).all(|pair| pair[0].pts < pair[1].pts), "{name}");
        assert!(
            whole[0].pts.0 * 25 <= 10 * bench.probe(&path).unwrap().video.unwrap().timebase.nearest(1.0).0
        );
        for first in [0, 1, 11, 24] {
            let start = ReadStart::Known(FrameIndex(first as u64), whole[first].pts);
            let options = ReadOptions { start, frame_count: Some(6) };
            let part = all(&mut bench.reader(&path, options));
            let expected = &whole[first..(first + 6).min(25)];
            assert!(part == expected, "{name} from {first}: {:?}", times(&part));
        }
        let options = ReadOptions { start: ReadStart::Frame(FrameIndex(20)), frame_count: None };
        assert!(all(&mut bench.reader(&path, options)) == whole[20..], "{name}");
    }
}

#[test]
fn a_wrong_time_of_a_known_frame_costs_time_but_no_frame() {
    let bench = Bench::new();
    let path = bench.make("video.mp4", &format!("{VIDEO} -c:v libx264"));
    let whole = bench.frames(&path);
    let start = ReadStart::Known(FrameIndex(10), Pts(whole[10].pts.0 - 3));
    let part = all(&mut bench.reader(&path, ReadOptions { start, frame_count: Some(2) }));
    assert!(part == whole[10..12]);
}

#[test]
fn times_are_those_of_the_file() {
    let bench = Bench::new();
    for (name, recipe) in [
        ("ntsc.mp4", "-f lavfi -i testsrc2=s=96x64:r=30000/1001:d=1 -pix_fmt yuv420p -c:v libx264"),
        ("sixty.mkv", "-f lavfi -i testsrc2=s=96x64:r=60:d=0.5 -pix_fmt yuv420p -c:v libx264"),
        (
            "uneven.mp4",
            "-f lavfi -i testsrc2=s=96x64:r=30:d=2 -vf select=not(mod(n\\,7))+not(mod(n\\,3)) -fps_mode vfr -pix_fmt yuv420p -c:v libx264",
        ),
        (
            "late.mp4",
            "-itsoffset 0.5 -f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -pix_fmt yuv420p -c:v libx264",
        ),
        ("no_pts.avi", "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -pix_fmt yuv420p -c:v libx264 -bf 2"),
        ("one.png", "-f lavfi -i testsrc2=s=97x61:r=25:d=0.04"),
        ("cuts.webm", "-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -pix_fmt yuv420p -c:v libvpx-vp9 -cpu-used 8"),
    ] {
        let path = bench.make(name, recipe);
        let info = bench.probe(&path).unwrap().video.unwrap();
        let expected = bench.ffprobe_times(&path);
        let found = times(&bench.frames(&path));
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            // ffprobe has no time for the last frames of some AVI files; ours then follow on.
            assert_eq!(Some(found + info.origin.0), expected.or(Some(found + info.origin.0)), "{name}");
        }
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {found:?}");
    }
}

#[test]
fn a_cut_by_edit_list_shows_only_what_it_shows() {
    let bench = Bench::new();
    let source =
        bench.make("source.mp4", "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -pix_fmt yuv420p -c:v libx264 -g 50");
    let cut = bench.make("cut.mp4", &format!("-ss 0.52 -i {} -c copy", source.display()));
    let expected = bench.ffprobe_times(&cut);
    let found = times(&bench.frames(&cut));
    assert_eq!(found.len(), expected.len());
    assert!(found[0] >= 0 && found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
}

#[test]
fn streams_are_told_apart() {
    let bench = Bench::new();
    let cover = bench.make("cover.png", "-f lavfi -i testsrc2=s=32x32:d=0.04");
    let subtitles = bench.write("lines.srt", "1\n00:00:00,000 --> 00:00:00,500\nhello\n");
    let path = bench.make(
        "film.mp4",
        &format!(
            "-i {} -f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -f lavfi -i sine=f=300:d=1:r=16000 -i {} \
             -map 0 -map 1 -map 2 -map 3 -map 4 -c:v:0 copy -c:v:1 libx264 -pix_fmt:v:1 yuv420p -c:a aac -c:s mov_text \
             -disposition:v:0 attached_pic -metadata:s:a:1 language=fra -metadata title=Film",
            cover.display(),
            subtitles.display()
        ),
    );
    let info = bench.probe(&path).unwrap();
    let video = info.video.as_ref().unwrap();
    assert_eq!((video.codec.as_str(), video.width, video.frame_count), ("h264", 96, Some(25)));
    assert_eq!(info.audio.len(), 2);
    assert_eq!(info.default_audio().unwrap().sample_rate_hz, 44_100);
    assert_eq!((info.audio[1].language.as_deref(), info.audio[1].sample_rate_hz), (Some("fra"), 16_000));
    let kinds: Vec<_> = info.other.iter().map(|other| other.kind).collect();
    assert!(kinds.contains(&StreamKind::CoverPicture) && kinds.contains(&StreamKind::Subtitle), "{kinds:?}");
    assert_eq!(info.tags["title"], "Film");
    let json: serde_json::Value = serde_json::to_value(&info).unwrap();
    assert_eq!(json["video"]["format"], "yuv420p");

    let song = bench.make(
        "song.mp3",
        &format!(
            "-f lavfi -i sine=d=1 -i {} -map 0 -map 1 -c:v copy -disposition:v:0 attached_pic",
            cover.display()
        ),
    );
    let info = bench.probe(&song).unwrap();
    assert!(info.video.is_none() && info.audio.len() == 1 && !info.is_still);
}

#[test]
fn pictures_are_stills_of_one_frame() {
    let bench = Bench::new();
    for (name, arguments, range) in [
        ("photo.jpg", "-pix_fmt yuvj420p", ColourRange::Full),
        ("drawing.png", "-pix_fmt rgba", ColourRange::Full),
        ("web.webp", "-pix_fmt yuv420p -c:v libwebp", ColourRange::Limited),
    ] {
        let path = bench.make(name, &format!("-f lavfi -i testsrc2=s=97x61:d=0.04 -frames:v 1 {arguments}"));
        let info = bench.probe(&path).unwrap();
        let video = info.video.unwrap();
        assert!(info.is_still && info.duration_s == 0.0, "{name}");
        assert_eq!(video.colour.range, range, "{name}");
        assert_eq!(bench.frames(&path).len(), 1, "{name}");
    }
}

#[test]
fn a_stream_that_changes_its_size_stays_one_size() {
    let bench = Bench::new();
    let small =
        bench.make("a.ts", "-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -pix_fmt yuv420p -c:v mpeg2video");
    let large =
        bench.make("b.ts", "-f lavfi -i testsrc2=s=160x96:r=25:d=0.4 -pix_fmt yuv420p -c:v mpeg2video");
    let joined = [std::fs::read(small).unwrap(), std::fs::read(large).unwrap()].concat();
    let frames = bench.frames(&bench.write("joined.ts", joined));
    assert!(frames.len() >= 19, "{}", frames.len());
    assert!(frames.iter().all(|frame| (frame.width, frame.height) == (96, 64)));
    assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts));
}
