//! The finished file: picture at its times, speech as it came, everything else kept where it can be.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::{Bench, times};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{ErrorKind, Pts, WarningCode};
use viseme_media::{
    AudioReader, EncodeSettings, FrameSink, MediaInfo, MuxPlan, MuxReport, OutputFile, OutputVideo,
    SoundEncoder, SourceStreams, Speech, VideoCodec, VideoWriter, WrittenVideo, mux,
};

/// The picture of `source`, encoded anew.
fn picture(bench: &Bench, source: &Path, codec: VideoCodec) -> WrittenVideo {
    let extension = if codec == VideoCodec::Ffv1 { "mkv" } else { "mp4" };
    let stem = source.file_name().unwrap().to_string_lossy();
    let path = bench.path(&format!("{stem}.{codec:?}.{extension}"));
    let info = bench.probe(source).unwrap().video.unwrap();
    let settings = EncodeSettings { codec, ..EncodeSettings::default() };
    let output = OutputVideo::like(&info);
    let mut writer = VideoWriter::create(&bench.tools, &path, &output, &settings, &bench.limits).unwrap();
    bench.frames(source).iter().for_each(|frame| writer.write(frame).unwrap());
    Box::new(writer).finish().unwrap()
}

struct Job<'a> {
    bench: &'a Bench,
    source: &'a Path,
    speech: Option<&'a Path>,
    output: PathBuf,
}

impl Job<'_> {
    fn run(&self, codec: VideoCodec) -> (MuxReport, MediaInfo) {
        let bench = self.bench;
        let video = picture(bench, self.source, codec);
        let source = bench.probe(self.source).unwrap();
        let speech_info = self.speech.map(|path| bench.probe(path).unwrap());
        let speech = self.speech.zip(speech_info.as_ref().and_then(MediaInfo::default_audio));
        let plan = MuxPlan {
            video: &video,
            speech: speech.map(|(path, audio)| Speech { path, audio, delay_s: 0.0, is_mix: false }),
            source: Some(SourceStreams {
                path: self.source,
                info: &source,
                replaced_audio: source.default_audio().map(|audio| audio.stream_index),
            }),
            duration_s: source.video.as_ref().unwrap().duration_s,
            is_edited_by_ai: true,
            tags: BTreeMap::new(),
        };
        let output = OutputFile::create(&self.output).unwrap();
        let report = mux(&bench.tools, &plan, output, &bench.limits).unwrap();
        (report, bench.probe(&self.output).unwrap())
    }
}

/// The checksums of the packets of the sound, to compare it bit for bit.
fn packets(bench: &Bench, path: &Path) -> Vec<String> {
    let hashes = bench.make("packets.md5", &format!("-i {} -map 0:a:0 -c copy -f framemd5", path.display()));
    let lines = std::fs::read_to_string(hashes).unwrap();
    // Stream, dts, pts, duration, size, hash, and more for side data.
    let hash = |line: &str| line.split(',').nth(5).map(str::to_owned);
    lines.lines().filter(|line| !line.starts_with('#')).filter_map(hash).collect()
}

const PICTURE: &str = "-f lavfi -i testsrc2=s=96x64:r=30000/1001:d=1 -pix_fmt yuv420p -c:v libx264";

#[test]
fn speech_is_copied_where_the_container_takes_it() {
    let bench = Bench::new();
    let source = bench.make("source.mp4", PICTURE);
    for (speech, coding, output, copied) in [
        ("speech.m4a", "-c:a aac", "out.mp4", true),
        ("speech.mp3", "-c:a libmp3lame", "out.mp4", true),
        ("speech.aac", "-c:a aac", "out.mp4", true),
        ("speech.flac", "-c:a flac", "out.mp4", true),
        ("speech.opus", "-c:a libopus", "out.mp4", true),
        ("speech.ogg", "-c:a libvorbis", "out.mp4", false),
        ("speech.wav", "-c:a pcm_s16le", "out.mp4", false),
        ("speech.wav", "-c:a pcm_s16le", "out.mov", true),
        ("speech.wav", "-c:a pcm_s24le", "out.mkv", true),
        ("speech.ogg", "-c:a libvorbis", "out.mkv", true),
    ] {
        let speech = bench.make(speech, &format!("-f lavfi -i sine=d=3:r=22050 {coding}"));
        let job = Job { bench: &bench, source: &source, speech: Some(&speech), output: bench.path(output) };
        let (report, info) = job.run(VideoCodec::H264);
        let name = format!("{} in {}", speech.display(), job.output.display());
        assert_eq!(report.audio_copied, copied, "{name}");
        assert_eq!(report.warnings.iter().any(|w| w.code == WarningCode::AudioReencoded), !copied, "{name}");
        let audio = &info.audio[0];
        let from = bench.probe(&speech).unwrap();
        assert_eq!((info.audio.len(), audio.channels), (1, from.audio[0].channels), "{name}");
        assert_eq!(audio.sample_rate_hz, from.audio[0].sample_rate_hz, "{name}");
        // Three seconds of speech over one second of picture: cut to within one packet of sound.
        assert!((info.duration_s - 1.001).abs() < 0.11, "{name}: {} s", info.duration_s);
        if copied {
            let (found, expected) = (packets(&bench, &job.output), packets(&bench, &speech));
            assert!(found.len() > 3 && found.len() < expected.len(), "{name}");
            // Raw AAC loses a header in front of each packet; samples without coding are cut into packets anew.
            if !name.contains(".aac") && !coding.contains("pcm") {
                // Matroska begins at time zero, without the packet that only warms the decoder up.
                let first = usize::from(job.output.ends_with("out.mkv"));
                assert_eq!(found, expected[first..first + found.len()], "{name}");
            }
        }
    }
}

#[test]
fn sound_that_was_encoded_first_is_the_one_that_the_join_would_have_made() {
    let bench = Bench::new();
    let source = bench.make("source.mp4", PICTURE);
    let video = picture(&bench, &source, VideoCodec::H264);
    for (name, recipe) in [
        ("speech.wav", "-f lavfi -i sine=d=3:r=22050 -c:a pcm_s16le"),
        ("high.wav", "-f lavfi -i sine=d=3:r=192000 -c:a pcm_s24le"),
        ("short.wav", "-f lavfi -i sine=d=0.5 -c:a pcm_s16le"),
        ("late.mkv", "-f lavfi -i testsrc2=s=64x48:d=2 -itsoffset 0.3 -f lavfi -i sine=d=2 -c:a pcm_s16le"),
    ] {
        let path = bench.make(name, recipe);
        let info = bench.probe(&path).unwrap();
        let as_it_is = Speech { path: &path, audio: &info.audio[0], delay_s: 0.0, is_mix: false };
        let joined = |speech: Speech<'_>, name: &str| {
            let plan = MuxPlan {
                video: &video,
                speech: Some(speech),
                source: None,
                duration_s: 1.001,
                is_edited_by_ai: true,
                tags: BTreeMap::new(),
            };
            let output = bench.path(name);
            let made = OutputFile::create(&output).unwrap();
            let report = mux(&bench.tools, &plan, made, &bench.limits).unwrap();
            (report.warnings, packets(&bench, &output), bench.probe(&output).unwrap().audio)
        };
        let (warnings, hashes, audio) = joined(as_it_is, "at_once.mp4");
        let encoder =
            SoundEncoder::start(&bench.tools, &as_it_is, 1.001, bench.path("sound.mp4"), &bench.limits);
        let (sound, stream, said) = encoder.unwrap().unwrap().finish(&bench.tools, &bench.limits).unwrap();
        let encoded = Speech { path: &sound, audio: &stream, ..as_it_is };
        assert_eq!((Vec::new(), hashes, audio), joined(encoded, "first.mp4"), "{name}");
        assert_eq!((said.len(), said), (1, warnings), "{name}");
    }
}

#[test]
fn sound_that_would_be_copied_is_not_encoded_first_and_a_broken_one_says_why() {
    let bench = Bench::new();
    let path = bench.make("speech.m4a", "-f lavfi -i sine=d=1 -c:a aac");
    let info = bench.probe(&path).unwrap();
    let start = |speech: &Speech<'_>, name: &str| {
        SoundEncoder::start(&bench.tools, speech, 1.0, bench.path(name), &bench.limits)
    };
    let speech = Speech { path: &path, audio: &info.audio[0], delay_s: 0.0, is_mix: false };
    assert!(start(&speech, "sound.mp4").unwrap().is_none());
    assert!(start(&Speech { is_mix: true, ..speech }, "sound.mp4").unwrap().is_some());
    assert_eq!(start(&speech, "sound.txt").unwrap_err().kind(), ErrorKind::Unsupported);
    let broken = start(&Speech { is_mix: true, ..speech }, "no/folder/sound.mp4").unwrap().unwrap();
    let error = broken.finish(&bench.tools, &bench.limits).unwrap_err();
    assert!(error.to_string().starts_with("cannot encode the sound"), "{error}");
}

#[test]
fn picture_and_speech_start_together_at_the_times_they_had() {
    let bench = Bench::new();
    let tone = "-f lavfi -i sine=d=1:r=48000 -af volume=8,adelay=300:all=1";
    let speeches = [
        bench.make("speech.m4a", &format!("{tone} -c:a aac")),
        bench.make("speech.opus", &format!("{tone} -c:a libopus")),
        bench.make("speech.wav", tone),
    ];
    for (name, recipe) in [
        (
            "late.mp4",
            "-itsoffset 0.4 -f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -f lavfi -i sine=d=1 -pix_fmt yuv420p -c:v libx264 -bf 2",
        ),
        (
            "anywhere.ts",
            "-f lavfi -i testsrc2=s=96x64:r=25:d=0.6 -f lavfi -i sine=d=1 -pix_fmt yuv420p -c:v libx264 -output_ts_offset 500",
        ),
    ] {
        let source = bench.make(name, recipe);
        let before = bench.probe(&source).unwrap().video.unwrap();
        let expected = times(&bench.frames(&source));
        // VP9, the one codec that goes into all three.
        for (output, speech) in [
            ("out.mp4", &speeches[0]),
            ("out.mp4", &speeches[2]),
            ("out.mkv", &speeches[0]),
            ("out.mkv", &speeches[1]),
            ("out.webm", &speeches[1]),
            ("out.webm", &speeches[2]),
        ] {
            let job =
                Job { bench: &bench, source: &source, speech: Some(speech), output: bench.path(output) };
            let (_, info) = job.run(VideoCodec::Vp9);
            let after = info.video.unwrap();
            let found = times(&bench.frames(&job.output));
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                let found_s = after.timebase.seconds(Pts(*found));
                let apart_s = found_s - before.timebase.seconds(Pts(*expected));
                assert!(apart_s.abs() < 0.0011, "{name} {output}: {apart_s} s");
            }
            let onset_s = onset_s(&bench, &job.output);
            assert!((onset_s - 0.3).abs() < 0.004, "{output} {}: {onset_s} s", speech.display());
        }
    }
}

/// The time of the first sound in a file, in seconds.
fn onset_s(bench: &Bench, path: &Path) -> f64 {
    let rate_hz = 48_000;
    let mut reader = AudioReader::open(&bench.tools, path, rate_hz, &bench.limits).unwrap();
    let samples = reader.next_chunk().unwrap().unwrap();
    samples.iter().position(|sample| sample.abs() > 0.05).unwrap() as f64 / f64::from(rate_hz)
}

#[test]
fn other_streams_and_tags_are_kept() {
    let bench = Bench::new();
    let cover = bench.make("cover.png", "-f lavfi -i testsrc2=s=32x32:d=0.04");
    let subtitles = bench.write("lines.srt", "1\n00:00:00,100 --> 00:00:00,500\nhello\n");
    let chapters = bench.write(
        "chapters.txt",
        ";FFMETADATA1\ntitle=Film\nartist=Somebody\ncomment=mine\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n",
    );
    let source = bench.make(
        "source.mkv",
        &format!(
            "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -f lavfi -i sine=f=300:d=1 -i {} -i {} \
             -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -c:v libx264 -pix_fmt yuv420p -c:a aac -c:s srt \
             -metadata:s:a:1 language=fra",
            subtitles.display(),
            chapters.display()
        ),
    );
    let film = bench.make(
        "film.mp4",
        &format!(
            "-i {} -i {} -map 0 -map 1 -c copy -c:s mov_text -c:v:1 copy -disposition:v:1 attached_pic",
            source.display(),
            cover.display()
        ),
    );
    let speech = bench.make("speech.m4a", "-f lavfi -i sine=d=1 -c:a aac");
    for (source, output, others) in
        [(&source, "out.mp4", 1), (&source, "out.mkv", 1), (&film, "out2.mp4", 2), (&film, "out2.mkv", 1)]
    {
        let output = bench.path(output);
        let job = Job { bench: &bench, source, speech: Some(&speech), output };
        let (report, info) = job.run(VideoCodec::H264);
        let name = job.output.display();
        assert_eq!(info.audio.len(), 2, "{name}: speech and the second sound");
        assert_eq!(info.audio[1].language.as_deref(), Some("fra"), "{name}");
        assert!(info.audio[0].is_default && !info.audio[1].is_default, "{name}");
        let kept = info.other.iter().filter(|other| other.codec != "bin_data").count();
        assert_eq!(kept, others, "{name}: {:?} {:?}", info.other, report.warnings);
        assert_eq!(info.chapters, 1, "{name}");
        let tag =
            |key: &str| info.tags.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
        assert_eq!(tag("title"), Some("Film"), "{name}");
        assert_eq!(tag("artist"), Some("Somebody"), "{name}");
        let label = format!("Edited by AI: lips synced with Viseme {}", env!("CARGO_PKG_VERSION"));
        assert_eq!(tag("comment"), Some(format!("{label}. mine").as_str()), "{name}");
        assert_eq!(tag("description"), Some(label.as_str()), "{name}");
    }
}

#[test]
fn codecs_go_into_their_containers_and_no_others() {
    let bench = Bench::new();
    let source =
        bench.make("source.mkv", "-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -pix_fmt yuv444p10le -c:v ffv1");
    let speech = bench.make("speech.wav", "-f lavfi -i sine=d=0.4");
    for (codec, output) in [
        (VideoCodec::Ffv1, "out.mkv"),
        (VideoCodec::Vp9, "out.webm"),
        (VideoCodec::H265, "out.mov"),
        (VideoCodec::Av1, "out.mp4"),
    ] {
        let job = Job { bench: &bench, source: &source, speech: Some(&speech), output: bench.path(output) };
        let (_, info) = job.run(codec);
        let video = info.video.unwrap();
        assert_eq!((video.pixel_format_name.as_str(), info.audio.len()), ("yuv444p10le", 1), "{output}");
        assert_eq!(bench.frames(&job.output).len(), 10, "{output}");
    }
}

#[test]
fn the_index_stands_in_front_and_equal_input_gives_equal_bytes() {
    let bench = Bench::new();
    let source = bench.make("source.mp4", PICTURE);
    let speech = bench.make("speech.m4a", "-f lavfi -i sine=d=1 -c:a aac");
    for output in ["out.mp4", "out.mkv"] {
        let job = Job { bench: &bench, source: &source, speech: Some(&speech), output: bench.path(output) };
        job.run(VideoCodec::H264);
        let first = std::fs::read(&job.output).unwrap();
        job.run(VideoCodec::H264);
        assert!(first == std::fs::read(&job.output).unwrap(), "{output}");
        if output == "out.mp4" {
            let at = |name: &[u8]| first.windows(4).position(|window| window == name).unwrap();
            assert!(at(b"moov") < at(b"mdat"));
        }
    }
}

#[test]
fn a_failed_mux_leaves_nothing() {
    let bench = Bench::new();
    let source = bench.make("source.mp4", PICTURE);
    let info = bench.probe(&source).unwrap();
    let other = bench.make("other.mp4", PICTURE);
    let mut audio = bench.probe(&bench.make("speech.m4a", "-f lavfi -i sine=d=1")).unwrap().audio.remove(0);
    // A stream that is not there.
    audio.stream_index = 7;
    let video = picture(&bench, &source, VideoCodec::H264);
    let plan = MuxPlan {
        video: &video,
        speech: Some(Speech { path: &other, audio: &audio, delay_s: 0.0, is_mix: false }),
        source: Some(SourceStreams { path: &source, info: &info, replaced_audio: None }),
        duration_s: 1.0,
        is_edited_by_ai: true,
        tags: BTreeMap::new(),
    };
    let folder = bench.path("results");
    std::fs::create_dir(&folder).unwrap();
    let output = OutputFile::create(&folder.join("out.mp4")).unwrap();
    assert!(mux(&bench.tools, &plan, output, &bench.limits).is_err());
    let output = OutputFile::create(&folder.join("out.gif")).unwrap();
    let error = mux(&bench.tools, &plan, output, &bench.limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
