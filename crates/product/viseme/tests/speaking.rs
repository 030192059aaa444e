//! Who speaks in whole jobs, with faces that need no nets and a sense that knows the answer.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::sync::Arc;
use viseme::{Codec, HeardFrom, JobSpec, LoopMode, Report, Runner, Speakers};
use viseme_core::{Result, Silent};
use viseme_engines::speaking::{Scene, SceneFace, SpeakerSense, TickPictures};
use viseme_media::Tools;
use viseme_testing::clips::{colours, picture_digest};
use viseme_testing::two_people::{BLUE, FACES, PATCH, RED};
use viseme_testing::{FakeEmbedder, FakeEngine, FakeFace};

const LEFT: FakeFace = FACES[0];
const RIGHT: FakeFace = FACES[1];

/// Says that the left face speaks in the first two seconds, and the right one after them. It looks at every picture.
#[derive(Debug)]
struct Known;

impl SpeakerSense for Known {
    fn name(&self) -> &'static str {
        "known"
    }

    fn sense(&self, scene: &Scene<'_>, pictures: &mut dyn TickPictures) -> Result<Vec<Vec<f32>>> {
        let mut seen = 0;
        while pictures.next_tick()?.is_some() {
            seen += 1;
        }
        assert_eq!(seen, scene.faces.iter().map(SceneFace::end).max().unwrap_or(0));
        let score = |is_left: bool, tick: usize| if is_left == (tick < 50) { 1.0 } else { -1.0 };
        let row = |face: &SceneFace| {
            let is_left = face.seen[0].bbox.center().x < 160.0;
            (face.first..face.end()).map(|tick| score(is_left, tick)).collect()
        };
        Ok(scene.faces.iter().map(row).collect())
    }
}

/// A vowel of 120 Hz whose loudness goes up and down as syllables do, as a WAV file: unlike a tone it is a voice.
fn vowel(seconds: f64) -> Vec<u8> {
    const RATE_HZ: u32 = 16_000;
    let sample = |i: u32| {
        let t = f64::from(i) / f64::from(RATE_HZ);
        let harmonic = |k: i32| {
            let hz = 120.0 * f64::from(k);
            let formants =
                (-((hz - 600.0) / 250.0).powi(2)).exp() + 0.4 * (-((hz - 1800.0) / 400.0).powi(2)).exp();
            formants * (std::f64::consts::TAU * hz * t).sin()
        };
        // Silence on both sides: what is always there is noise.
        let is_silent = t < 0.25 || (3.75..4.0).contains(&t);
        let syllables = 0.02 + 0.1 * (std::f64::consts::TAU * 2.0 * t).sin().abs();
        let loudness = if is_silent { 0.0 } else { syllables };
        (loudness * (1..30).map(harmonic).sum::<f64>() * 32_767.0) as i16
    };
    let samples: Vec<u8> =
        (0..(seconds * f64::from(RATE_HZ)) as u32).flat_map(|i| sample(i).to_le_bytes()).collect();
    let length = samples.len() as u32;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE_HZ.to_le_bytes());
    wav.extend((2 * RATE_HZ).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    wav
}

struct Studio {
    _folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Studio {
    /// Four seconds of two colours side by side, and a speech of `speech_s` seconds.
    fn new(speech_s: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let video = colours(folder.path(), "scene.mkv", &[&[RED, BLUE]], 4.0);
        let audio = folder.path().join("speech.wav");
        std::fs::write(&audio, vowel(speech_s)).unwrap();
        let mut spec = JobSpec::new(video, audio, folder.path().join("out.mkv"));
        (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
        Self { _folder: folder, spec }
    }

    fn run(&self, faces: &[FakeFace]) -> Report {
        let (tools, engine) = (Tools::locate().unwrap(), Box::new(FakeEngine::new(PATCH)));
        Runner::new(tools, FakeFace::nets_of(faces), engine)
            .with_embedder(Arc::new(FakeEmbedder::default()))
            .with_speaker_sense(Arc::new(Known))
            .run(&self.spec, &Silent)
            .unwrap()
    }
}

/// From when to when the lips of each track moved, in milliseconds.
fn moved(report: &Report) -> Vec<Vec<(u64, u64)>> {
    let spans = |track: &viseme::TrackReport| {
        let synced = track.segments.iter().filter(|segment| segment.synced);
        synced.map(|segment| (segment.start_ms, segment.end_ms)).collect()
    };
    report.tracks.iter().map(spans).collect()
}

#[test]
fn of_two_who_are_seen_together_each_speaks_in_its_turn() {
    let mut studio = Studio::new(4.0);
    for speakers in [Speakers::Auto, Speakers::Speaking] {
        studio.spec.face = speakers;
        let report = studio.run(&[LEFT, RIGHT]);
        let speakers = report.speakers.as_ref().unwrap();
        assert_eq!((speakers.sense.as_str(), speakers.heard), ("known", HeardFrom::Speech));
        let turns: Vec<_> = speakers
            .turns
            .iter()
            .map(|turn| (turn.start_ms, turn.end_ms, turn.character_id.as_str(), turn.number))
            .collect();
        assert_eq!(turns, [(0, 2000, "face_1", Some(1)), (2000, 4000, "face_2", Some(2))]);
        assert!(speakers.turns.iter().all(|turn| (turn.score - 1.0).abs() < 1e-6));
        assert_eq!(moved(&report), [[(0, 2000)], [(2000, 4000)]]);
        assert!(report.tracks.iter().all(|track| track.chosen));
        assert_eq!(report.faces.processed, 2);
    }
}

#[test]
fn in_every_round_of_a_loop_the_same_ones_speak() {
    let mut studio = Studio::new(7.0);
    studio.spec.loop_mode = LoopMode::Repeat;
    let report = studio.run(&[LEFT, RIGHT]);
    assert_eq!(moved(&report), [vec![(0, 2000), (4000, 6000)], vec![(2000, 4000), (6000, 7000)]]);
    assert_eq!(report.speakers.unwrap().turns.len(), 4);
}

#[test]
fn a_range_of_the_video_has_the_turns_of_its_own_time() {
    let mut studio = Studio::new(2.0);
    (studio.spec.start_s, studio.spec.end_s) = (Some(1.0), Some(3.0));
    // The sense counts from the start of the range: all of it is the turn of the left face.
    let report = studio.run(&[LEFT, RIGHT]);
    assert_eq!(moved(&report), [vec![(0, 2000)], vec![]]);
}

#[test]
fn where_one_face_is_seen_at_a_time_nothing_changes() {
    let mut studio = Studio::new(4.0);
    // Alone, or with one that is far smaller.
    for faces in [vec![LEFT], vec![LEFT, FakeFace { scale_px: 20.0, ..RIGHT }]] {
        let mut outputs = Vec::new();
        for speakers in [Speakers::Auto, Speakers::Largest] {
            studio.spec.face = speakers;
            let report = studio.run(&faces);
            assert!(report.speakers.is_none());
            outputs.push((picture_digest(&studio.spec.output), std::fs::read(&studio.spec.output).unwrap()));
        }
        assert!(outputs[0] == outputs[1]);
    }
    // Asked for, it is the one that speaks.
    studio.spec.face = Speakers::Speaking;
    let report = studio.run(&[LEFT]);
    assert_eq!(moved(&report), [[(0, 4000)]]);
    assert_eq!(report.speakers.unwrap().turns.len(), 1);
}
