//! Who is who in whole jobs, with faces that are known by their colour and need no nets.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::PathBuf;
use viseme::{Character, Codec, JobSpec, Report, Runner, Speakers};
use viseme_core::segment::SkipReason;
use viseme_core::{ErrorKind, Result, Silent, WarningCode};
use viseme_media::Tools;
use viseme_testing::clips::{colours, flat, speech};
use viseme_testing::two_people::{BLUE, FACES, GREEN, PATCH, RED, WHITE};
use viseme_testing::{FakeEmbedder, FakeEngine, FakeFace};

/// Red and blue sit side by side; then blue comes to the left, and green to the right.
struct Scene {
    folder: tempfile::TempDir,
    spec: JobSpec,
    embedder: FakeEmbedder,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let video = colours(folder.path(), "scene.mkv", &[&[RED, BLUE], &[BLUE, GREEN]], 1.0);
        let audio = speech(folder.path(), "speech.wav", 2.0);
        let mut spec = JobSpec::new(video, audio, folder.path().join("out.mkv"));
        (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
        Self { folder, spec, embedder: FakeEmbedder::default() }
    }

    fn picture(&self, name: &str, colour: &str, width: u32) -> PathBuf {
        flat(self.folder.path(), name, colour, width, 240)
    }

    /// Gives a character a picture of a colour.
    fn cast(mut self, id: &str, colour: &str) -> Self {
        let picture = self.picture(&format!("{id}.png"), colour, 160);
        self.spec.characters.push(Character::new(id, [picture]));
        self
    }

    fn runner() -> Runner {
        let (tools, engine) = (Tools::locate().unwrap(), Box::new(FakeEngine::new(PATCH)));
        Runner::new(tools, FakeFace::nets_of(&FACES), engine)
    }

    fn run(&self) -> Result<Report> {
        Self::runner().with_embedder(std::sync::Arc::new(self.embedder.clone())).run(&self.spec, &Silent)
    }
}

/// Whom each track shows, and whether it was to speak.
fn tracks(report: &Report) -> Vec<(&str, bool)> {
    report.tracks.iter().map(|track| (track.character_id.as_str(), track.chosen)).collect()
}

fn ids<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    names.into_iter().map(String::as_str).collect()
}

#[test]
fn only_the_characters_speak_and_everybody_keeps_a_name_through_the_cut() {
    let scene = Scene::new().cast("bob", BLUE);
    let report = scene.run().unwrap();
    assert_eq!(tracks(&report), [("face_1", false), ("bob", true), ("bob", true), ("face_2", false)]);
    let faces = &report.faces;
    assert_eq!((faces.total_detected, faces.processed, faces.unknown), (3, 1, 2));
    let [bob] = faces.results.as_slice() else { panic!("one result") };
    assert!(bob.success && bob.error_message.is_none());
    assert_eq!((bob.summary.total_ms, bob.summary.synced_ms), (2000, 2000));
    assert_eq!(ids(faces.unknown_faces.iter().map(|face| &face.character_id)), ["face_1", "face_2"]);
    for face in &faces.unknown_faces {
        let spans: Vec<_> = face.segments.iter().map(|s| (s.start_ms, s.end_ms, s.synced)).collect();
        assert_eq!(spans, [(0, 1000, false), (1000, 2000, false)]);
    }
    let absent = &faces.unknown_faces[0].segments[1];
    assert_eq!((absent.skip_reason, absent.avg_bbox), (Some(SkipReason::NotVisible), None));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["faces"]["results"][0]["segments"][0]["avg_bbox"].as_array().unwrap().len(), 4);
}

#[test]
fn a_character_who_is_not_there_is_a_warning() {
    let scene = Scene::new().cast("snow", WHITE).cast("alice", RED);
    let report = scene.run().unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|w| w.code == WarningCode::CharacterNotFound && w.message.contains("snow"))
    );
    let [snow, alice] = report.faces.results.as_slice() else { panic!("two results") };
    assert_eq!((snow.success, snow.error_message.as_deref()), (false, Some("not found in the video")));
    assert_eq!((snow.summary.total_ms, snow.summary.skipped_ms), (2000, 2000));
    assert_eq!((alice.summary.synced_ms, alice.summary.skipped_ms), (1000, 1000));
    assert_eq!(tracks(&report)[0], ("alice", true));
}

#[test]
fn a_face_is_chosen_by_any_of_its_names() {
    let mut scene = Scene::new().cast("alice", RED).cast("bob", BLUE);
    for (speakers, chosen) in [
        (Speakers::Named("alice".to_owned()), [true, false, false, false]),
        (Speakers::Named("face_1".to_owned()), [false, false, false, true]),
        (Speakers::Nth(2), [false, true, false, false]),
        (Speakers::Auto, [true, true, true, false]),
        (Speakers::All, [true; 4]),
    ] {
        scene.spec.face = speakers.clone();
        let report = scene.run().unwrap();
        let found: Vec<bool> = report.tracks.iter().map(|track| track.chosen).collect();
        assert_eq!(found, chosen, "{speakers:?}");
    }
    scene.spec.face = Speakers::Named("face_2".to_owned());
    let error = scene.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.hint().unwrap().contains("alice, bob, face_1"), "{error}");
}

#[test]
fn a_picture_must_show_one_face() {
    for (name, width, expected) in [("crowd.png", 320, "shows 2 faces"), ("wall.png", 40, "shows no face")] {
        let mut scene = Scene::new();
        let picture = scene.picture(name, RED, width);
        scene.spec.characters.push(Character::new("alice", [picture]));
        let error = scene.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let said = error.to_string();
        assert!(said.contains(name) && said.contains("'alice'") && said.contains(expected), "{said}");
        assert!(error.hint().is_some());
    }
    let mut scene = Scene::new();
    let noise = scene.folder.path().join("noise.png");
    std::fs::write(&noise, b"no picture").unwrap();
    scene.spec.characters.push(Character::new("alice", [noise]));
    let said = scene.run().unwrap_err().to_string();
    assert!(said.contains("noise.png") && said.contains("'alice'"), "{said}");
}

#[test]
fn an_optional_character_without_a_usable_picture_is_not_found() {
    let mut scene = Scene::new();
    let wall = scene.picture("wall.png", RED, 40);
    scene.spec.characters.push(Character { is_optional: true, ..Character::new("alice", [wall]) });
    let alone = scene.run().unwrap();
    assert_eq!(alone.tracks.iter().filter(|track| track.chosen).count(), 0, "nobody else was asked for");
    let report = scene.cast("bob", BLUE).run().unwrap();
    let results: Vec<_> = report.faces.results.iter().map(|r| (r.character_id.as_str(), r.success)).collect();
    assert_eq!(results, [("alice", false), ("bob", true)]);
    let about: Vec<_> = report
        .warnings
        .iter()
        .filter(|w| w.code == WarningCode::CharacterNotFound)
        .map(|w| &w.message)
        .collect();
    assert!(about.len() == 1 && about[0].contains("'alice', shows no face"), "{about:?}");
}

#[test]
fn nothing_is_embedded_where_nobody_asks() {
    let mut scene = Scene::new();
    scene.spec.video = colours(scene.folder.path(), "alone.mkv", &[&[RED]], 1.0);
    let report = scene.run().unwrap();
    assert_eq!(tracks(&report), [("face_1", true)]);
    assert_eq!(scene.embedder.embedded(), 0);
}

#[test]
fn without_a_model_people_are_not_told_apart() {
    let scene = Scene::new();
    let report = Scene::runner().run(&scene.spec, &Silent).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.code == WarningCode::ModelMissing));
    assert_eq!(report.faces.total_detected, 4);
    let scene = scene.cast("alice", RED);
    assert_eq!(Scene::runner().run(&scene.spec, &Silent).unwrap_err().kind(), ErrorKind::ModelMissing);
}
