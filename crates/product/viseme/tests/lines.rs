//! Who speaks what in whole jobs: two people side by side, an engine and faces that need no nets.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use viseme::{Character, Codec, JobSpec, Line, Report, Runner, Speakers};
use viseme_core::{ErrorKind, Limits, Result, Silent, WarningCode};
use viseme_engines::VoiceId;
use viseme_face::TrackId;
use viseme_imaging::Frame;
use viseme_media::{AudioReader, Tools};
use viseme_testing::clips::{colours, decode, flat, side_by_side, silence, speech};
use viseme_testing::compare::max_difference;
use viseme_testing::fake_engine::Calls;
use viseme_testing::two_people::{BLUE, FACES, PATCH, RED, WHITE};
use viseme_testing::{FakeEmbedder, FakeEngine, FakeFace, skip_without_shared};

/// Alice, who is red, sits left, and Bob, who is blue, right: two seconds, 50 frames.
struct Scene {
    folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let video = colours(folder.path(), "scene.mkv", &[&[RED, BLUE]], 2.0);
        let mut spec = JobSpec::of_lines(video, [], folder.path().join("out.mkv"));
        (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
        Self { folder, spec }.cast("alice", RED).cast("bob", BLUE)
    }

    fn cast(mut self, id: &str, colour: &str) -> Self {
        let picture = flat(self.folder.path(), &format!("{id}.png"), colour, 160, 240);
        self.spec.characters.push(Character::new(id, [picture]));
        self
    }

    /// A speech of so many seconds.
    fn sound(&self, seconds: f64) -> PathBuf {
        speech(self.folder.path(), &format!("{seconds}.wav"), seconds)
    }

    /// The job has a speech of so many seconds of its own.
    fn with_speech(mut self, seconds: f64) -> Self {
        self.spec.audio = Some(self.sound(seconds));
        self
    }

    /// Somebody says something of so many seconds; 0 for the speech of the job.
    fn say(mut self, who: &str, sound_s: f64, start_s: Option<f64>, end_s: Option<f64>) -> Self {
        let audio = (sound_s > 0.0).then(|| self.sound(sound_s));
        self.spec.say.push(Line { who: who.to_owned(), bbox: None, audio, start_s, end_s });
        self
    }

    fn run(&self) -> Result<(Report, Calls)> {
        let engine = FakeEngine::new(PATCH);
        let runner =
            Runner::new(Tools::locate().unwrap(), FakeFace::nets_of(&FACES), Box::new(engine.clone()));
        let report =
            runner.with_embedder(std::sync::Arc::new(FakeEmbedder::default())).run(&self.spec, &Silent)?;
        Ok((report, engine.calls()))
    }

    fn error(&self) -> String {
        let error = self.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!self.spec.output.exists());
        error.to_string()
    }
}

/// In which frames the lips of a track were moved.
fn moved(calls: &Calls, track: u32) -> Vec<u64> {
    let of_track = calls.made.iter().filter(|(id, ..)| *id == TrackId(track));
    of_track.map(|(_, mouth, _)| mouth.output.0).collect()
}

/// Segments as start, end, synced.
fn segments(report: &Report, track: usize) -> Vec<(u64, u64, bool)> {
    report.tracks[track].segments.iter().map(|s| (s.start_ms, s.end_ms, s.synced)).collect()
}

fn samples(path: &Path) -> Vec<f32> {
    let mut reader = AudioReader::open(&Tools::locate().unwrap(), path, 16_000, &Limits::default()).unwrap();
    std::iter::from_fn(|| reader.next_chunk().unwrap()).flatten().collect()
}

/// Largest difference of samples from `start_s` on for as long as `wanted` lasts.
fn difference(found: &[f32], start_s: f64, wanted: &[f32]) -> f32 {
    let found = &found[(start_s * 16_000.0) as usize..];
    assert!(found.len() >= wanted.len());
    wanted.iter().zip(found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn two_people_speak_each_their_own_and_only_then() {
    let scene = Scene::new().say("alice", 0.6, Some(0.2), None).say("bob", 0.8, Some(1.0), Some(1.6));
    let (report, calls) = scene.run().unwrap();
    assert_eq!((moved(&calls, 0), moved(&calls, 1)), ((5..20).collect(), (25..40).collect()));
    let [alice, bob] = [1, 2].map(|voice| &calls.heard[&VoiceId(voice)]);
    assert_eq!(calls.heard.len(), 2);
    assert!(alice[..3200].iter().all(|sample| sample.abs() < 1e-6));
    assert!(difference(alice, 0.2, &samples(&scene.sound(0.6))) < 1e-6);
    // Bob's sound is cut off where his line ends.
    assert_eq!((alice.len(), bob.len()), (12_800, 25_600));
    assert!(difference(bob, 1.0, &samples(&scene.sound(0.8))[..9600]) < 1e-6);
    assert_eq!(segments(&report, 0), [(0, 200, false), (200, 800, true), (800, 2000, false)]);
    assert_eq!(segments(&report, 1), [(0, 1000, false), (1000, 1600, true), (1600, 2000, false)]);
    assert!(report.tracks.iter().flat_map(|t| &t.segments).all(|segment| segment.skip_reason.is_none()));
    let [alice, bob] = &report.faces.results[..] else { panic!("two people") };
    assert!(alice.success && bob.success);
    assert_eq!((alice.summary.synced_ms, bob.summary.synced_ms), (600, 600));
    let lines: Vec<_> =
        report.lines.iter().map(|l| (l.character_id.as_deref(), l.start_ms, l.end_ms, l.success)).collect();
    assert_eq!(lines, [(Some("alice"), 200, 800, true), (Some("bob"), 1000, 1600, true)]);
    assert_eq!((report.speech.duration_ms, report.output.duration_ms), (1600, 2000));
    // What is heard is what is said, and nothing else.
    let heard = samples(&scene.spec.output);
    assert!(difference(&heard, 0.2, &samples(&scene.sound(0.6))[..9000]) < 0.01);
    assert!(difference(&heard, 1.0, &samples(&scene.sound(0.8))[..9000]) < 0.01);
    assert!(heard[..3000].iter().chain(&heard[13_000..15_800]).all(|sample| sample.abs() < 1e-3));
    assert!(report.warnings.iter().all(|warning| warning.code == WarningCode::FramesUntouched));
}

#[test]
fn outside_of_the_lines_no_sample_changes_and_at_their_ends_it_fades() {
    let scene = Scene::new().say("alice", 0.6, Some(0.2), Some(1.2));
    let (_, calls) = scene.run().unwrap();
    let (sources, outputs) = (decode(&scene.spec.video), decode(&scene.spec.output));
    assert_eq!(outputs.len(), 50);
    for (frame, (source, output)) in sources.iter().zip(&outputs).enumerate() {
        let difference = max_difference(source, output);
        assert_eq!(difference > 0, (5..30).contains(&frame), "frame {frame}: {difference}");
    }
    let strengths: Vec<f32> = calls.made.iter().map(|(_, _, strength)| *strength).collect();
    assert!(strengths[0] < 0.1 && strengths[24] < 0.1, "{strengths:?}");
    assert!(strengths[6..19].iter().all(|strength| *strength >= 1.0), "{strengths:?}");
    assert!(strengths[..7].windows(2).all(|pair| pair[0] < pair[1]), "{strengths:?}");
}

#[test]
fn a_line_without_a_sound_speaks_the_speech_of_the_job_then() {
    let scene = Scene::new().with_speech(2.0).say("bob", 0.0, Some(0.4), Some(1.0));
    let scene = scene.say("bob", 0.0, Some(1.4), None);
    let (report, calls) = scene.run().unwrap();
    // Lines say who speaks it: nobody else does.
    assert_eq!((moved(&calls, 0), moved(&calls, 1)), (vec![], (10..25).chain(35..50).collect()));
    assert_eq!(calls.heard.keys().collect::<Vec<_>>(), [&VoiceId::MAIN]);
    assert!(calls.planned.iter().all(|plan| plan.voice == VoiceId::MAIN));
    assert!(!report.faces.results[0].success && report.lines.iter().all(|line| line.success));
    // The sound is as it came.
    assert!(difference(&samples(&scene.spec.output), 0.0, &samples(&scene.sound(2.0))) < 1e-4);
    let mut named = Scene { spec: scene.spec.clone(), ..scene };
    named.spec.face = Speakers::Named("alice".to_owned());
    assert_eq!(moved(&named.run().unwrap().1, 0).len(), 50);
}

#[test]
fn who_has_lines_does_not_speak_the_speech_of_the_job() {
    let mut scene = Scene::new().with_speech(1.0).say("alice", 0.4, Some(1.2), None);
    let voices = |calls: &Calls| -> Vec<_> {
        calls.planned.iter().map(|plan| (plan.track.0, plan.voice.0, plan.mouths.len())).collect()
    };
    for face in [Speakers::Auto, Speakers::Largest, Speakers::All, Speakers::Nth(2)] {
        scene.spec.face = face.clone();
        assert_eq!(voices(&scene.run().unwrap().1), [(0, 1, 10), (1, 0, 50)], "{face:?}");
    }
    scene.spec.face = Speakers::Nth(1);
    assert_eq!(voices(&scene.run().unwrap().1), [(0, 1, 10)]);
    // Both are heard, each at its time.
    let heard = samples(&scene.spec.output);
    assert!(difference(&heard, 0.0, &samples(&scene.sound(1.0))) < 0.01);
    assert!(difference(&heard, 1.2, &samples(&scene.sound(0.4))) < 0.01);
}

#[test]
fn a_person_may_speak_both_with_one_voice() {
    let scene = Scene::new().with_speech(2.0);
    let scene = scene.say("alice", 0.0, Some(1.0), Some(1.5)).say("alice", 0.5, Some(0.2), None);
    let (_, calls) = scene.run().unwrap();
    assert_eq!(moved(&calls, 0), (5..18).chain(25..38).collect::<Vec<_>>());
    let own = &calls.heard[&VoiceId(1)];
    let speech = samples(&scene.sound(2.0));
    assert!(difference(own, 0.2, &samples(&scene.sound(0.5))) < 1e-6);
    assert!(difference(own, 1.0, &speech[16_000..24_000]) < 1e-6);
    assert!(own.len() == 24_000 && own[11_200..16_000].iter().all(|sample| sample.abs() < 1e-6));
}

#[test]
fn the_output_is_as_long_as_the_last_line() {
    let scene = Scene::new().say("alice", 1.0, None, None).say("bob", 1.0, Some(2.5), None);
    let (report, calls) = scene.run().unwrap();
    assert_eq!((report.output.duration_ms, report.speech.duration_ms), (3520, 3500));
    // The video is shown again, and the second round speaks its own words.
    assert_eq!(moved(&calls, 0).len(), 88);
    assert_eq!(moved(&calls, 1), (63..88).collect::<Vec<_>>());
    assert_eq!(report.output.frames_written, 88);
}

#[test]
fn a_finished_mix_is_heard_in_place_of_all() {
    let mut scene = Scene::new().with_speech(1.0).say("alice", 0.4, Some(1.2), None);
    scene.spec.sound = Some(scene.sound(1.7));
    let (_, calls) = scene.run().unwrap();
    assert_eq!(calls.heard.len(), 2);
    let (heard, mix) = (samples(&scene.spec.output), samples(&scene.sound(1.7)));
    assert!(difference(&heard, 0.0, &mix) < 1e-4);
}

#[test]
fn lines_that_overlap_are_refused_by_name() {
    let scene = Scene::new().say("alice", 1.0, Some(0.2), None).say("alice", 0.4, Some(0.8), None);
    let said = scene.error();
    assert!(said.contains("the line of 'alice' at 0.2 s and the line of 'alice' at 0.8 s"), "{said}");
    // The same person by her place.
    let mut scene = Scene::new().say("alice", 1.0, Some(0.2), Some(1.0)).say("", 0.4, Some(0.8), None);
    let bbox = FACES[0].bbox();
    scene.spec.say[1].bbox = Some([bbox.x, bbox.y, bbox.width, bbox.height]);
    assert!(scene.error().contains("overlap"));
    // What a file has at its end is no second line.
    Scene::new().say("alice", 0.65, Some(0.2), None).say("alice", 0.4, Some(0.8), None).run().unwrap();
}

#[test]
fn a_face_is_meant_by_its_place() {
    let mut scene = Scene::new().say("whoever", 0.4, None, None).say("nobody", 0.4, Some(0.4), None);
    let bbox = FACES[1].bbox();
    scene.spec.say[0].bbox = Some([bbox.x + 8.0, bbox.y - 20.0, bbox.width, bbox.height + 30.0]);
    scene.spec.say[1].bbox = Some([150.0, 0.0, 20.0, 20.0]);
    let (report, calls) = scene.run().unwrap();
    assert_eq!((moved(&calls, 0).len(), moved(&calls, 1).len()), (0, 50));
    let [found, lost] = &report.lines[..] else { panic!("two lines") };
    assert_eq!((found.who.as_str(), found.character_id.as_deref()), ("whoever", Some("bob")));
    assert_eq!((lost.success, lost.error_message.as_deref()), (false, Some("not found in the video")));
    let warned = |code| report.warnings.iter().find(|warning| warning.code == code).unwrap();
    assert!(warned(WarningCode::CharacterNotFound).message.contains("the line of 'nobody' at 0.4 s"));
    // A character who is seen comes before the place.
    scene.spec.say[0].who = "alice".to_owned();
    assert_eq!(moved(&scene.run().unwrap().1, 0).len(), 50);
}

#[test]
fn a_character_who_is_not_there_is_heard_and_not_seen() {
    let scene = Scene::new().cast("snow", WHITE).say("snow", 0.6, Some(0.5), None);
    let (report, calls) = scene.run().unwrap();
    assert!(calls.made.is_empty());
    let snow = report.faces.results.iter().find(|face| face.character_id == "snow").unwrap();
    assert!(!snow.success && !report.lines[0].success && report.lines[0].character_id.is_none());
    assert!(report.warnings.iter().any(|w| w.message == "'snow' was not found in the video"));
    assert!(difference(&samples(&scene.spec.output), 0.5, &samples(&scene.sound(0.6))) < 0.01);
    let nobody = Scene::new().say("face_7", 0.6, None, None);
    assert!(nobody.error().contains("there is no face_7 in the video"));
}

#[test]
fn a_line_that_cannot_be_heard_is_told_by_name() {
    let mut scene = Scene::new().say("alice", 0.4, Some(0.2), None).say("alice", 0.4, Some(0.8), None);
    scene.spec.say[1].audio = Some(silence(scene.folder.path(), "silence.wav", 0.5));
    let (report, _) = scene.run().unwrap();
    let said: Vec<_> = report.warnings.iter().filter(|w| w.code == WarningCode::NoSpeech).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].message.contains("the line of 'alice' at 0.8 s is silent"), "{said:?}");
    scene.spec.say[1].audio = Some(scene.folder.path().join("gone.wav"));
    let error = scene.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("gone.wav") && error.to_string().contains("'alice' at 0.8 s"),
        "{error}"
    );
}

#[test]
fn a_page_tells_who_spoke_what() {
    let mut scene = Scene::new().say("alice", 0.6, Some(0.2), None).say("bob", 0.8, Some(1.0), None);
    let page = scene.folder.path().join("report.html");
    scene.spec.report_output = Some(page.clone());
    scene.run().unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<h2>Lines</h2>") && page.contains("follow 0.6.wav, 0.8.wav in"));
}

/// Whether the left and the right half of a frame differ.
fn halves_differ(a: &Frame, b: &Frame) -> [bool; 2] {
    let (plane, other) = (&a.planes[0], &b.planes[0]);
    let (width, height) = (i64::from(a.width), i64::from(a.height));
    let differ = |columns: std::ops::Range<i64>| {
        let mut places = (0..height).flat_map(|y| columns.clone().map(move |x| (x, y)));
        places.any(|(x, y)| (plane.value(x, y) - other.value(x, y)).abs() > 0.0)
    };
    [differ(0..width / 2), differ(width / 2..width)]
}

#[test]
fn two_filmed_people_change_only_while_they_speak() {
    let shared = skip_without_shared!();
    let folder = tempfile::tempdir().unwrap();
    let clips = ["st_aoc_512.mp4", "may_5s_512.mp4"].map(|name| shared.join("media").join(name));
    let video = side_by_side([&clips[0], &clips[1]], folder.path(), "two.mkv", 1.0, 2.0);
    let sound = shared.join("speech/ip_lap_abstract.mp3");
    let line = |bbox, start_s, end_s| Line {
        bbox: Some(bbox),
        audio: Some(sound.clone()),
        start_s: Some(start_s),
        end_s: Some(end_s),
        ..Line::default()
    };
    let lines = [line([100.0, 60.0, 200.0, 280.0], 0.0, 0.8), line([500.0, 60.0, 200.0, 280.0], 1.0, 1.8)];
    let mut spec = JobSpec::of_lines(video, lines, folder.path().join("out.mkv"));
    (spec.encode.codec, spec.encode.lossless, spec.cache) = (Codec::Ffv1, true, false);
    let report = viseme::run(&spec, &Silent).unwrap();
    assert!(report.lines.iter().all(|line| line.success), "{:?}", report.lines);
    let (sources, outputs) = (decode(&spec.video), decode(&spec.output));
    let mut changed = [0, 0];
    for (frame, (source, output)) in sources.iter().zip(&outputs).enumerate() {
        let [left, right] = halves_differ(source, output);
        assert!(!left || frame < 20, "left, frame {frame}");
        assert!(!right || (25..45).contains(&frame), "right, frame {frame}");
        changed[0] += u32::from(left);
        changed[1] += u32::from(right);
    }
    assert!(changed.iter().all(|&count| count >= 18), "{changed:?}");
}
