//! Whole jobs with the embedded nets and the native engine.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use viseme::{Codec, FacesSpec, JobSpec, Report};
use viseme_core::Silent;
use viseme_testing::clips::decode;
use viseme_testing::compare::{assert_planes_equal_outside_mask, differing_samples};
use viseme_testing::skip_without_shared;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo").join(name)
}

/// Runs `video` with the speech of the demo, losslessly, and checks that nothing but mouths changed.
fn assert_only_mouths_change(video: PathBuf, end_s: f64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = JobSpec::new(video, demo("speech.wav"), folder.path().join("out.mkv"));
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    spec.mask_output = Some(folder.path().join("mask.mkv"));
    spec.loop_mode = viseme::LoopMode::None;
    spec.end_s = Some(end_s);
    spec.cache = false;
    let report = viseme::run(&spec, &Silent).unwrap();
    let (sources, outputs) = (decode(&spec.video), decode(&spec.output));
    let masks = decode(spec.mask_output.as_ref().unwrap());
    assert_eq!(outputs.len() as u64, report.output.frames_planned);
    assert_eq!(masks.len(), outputs.len());
    let mut changed = 0;
    for ((source, output), mask) in sources.iter().zip(&outputs).zip(&masks) {
        assert_planes_equal_outside_mask(source, output, mask);
        changed += u64::from(differing_samples(source, output) > 0);
    }
    assert!(changed >= report.output.frames_changed * 9 / 10, "{changed} frames differ");
    report
}

#[test]
fn the_presenter_speaks_and_nothing_else_changes() {
    let report = assert_only_mouths_change(demo("presenter.mp4"), 2.0);
    let share = report.output.frames_changed as f64 / report.output.frames_written as f64;
    assert!(share > 0.9, "{share:.2} of the frames were synced");
    assert!(report.speech.voiced_ms > 1000);
}

#[test]
fn the_page_of_the_presenter_shows_a_mouth_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = JobSpec::new(demo("presenter.mp4"), demo("speech.wav"), folder.path().join("out.mp4"));
    // Kept where it can be looked at.
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("presenter.html");
    (spec.report_output, spec.end_s) = (Some(page.clone()), Some(4.0));
    spec.loop_mode = viseme::LoopMode::None;
    viseme::run(&spec, &Silent).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<figure class=\"pair\"").count(), 8);
    let after = |words: &str| -> f64 {
        let (_, text) = page.split_once(words).unwrap();
        text[..4].parse().unwrap()
    };
    let (made, source) = (after("made with asked is "), after("the source's mouth has ").abs());
    assert!(made > 0.5 && made > source, "made {made}, source {source}");
}

#[test]
fn in_a_filmed_clip_nothing_but_the_mouth_changes() {
    let media = skip_without_shared!().join("media");
    let report = assert_only_mouths_change(media.join("may_5s_512.mp4"), 1.2);
    assert!(report.output.frames_changed > 0, "{:?}", report.tracks);
}

#[test]
fn a_filmed_clip_is_looped_to_the_length_of_the_speech_in_every_mode() {
    let media = skip_without_shared!().join("media");
    let folder = tempfile::tempdir().unwrap();
    let speech =
        viseme_testing::clips::sound_of(&media.join("vr_3_590.mp4"), folder.path(), "speech.wav", 0.0);
    for mode in ["none", "repeat", "pingpong", "crossfade", "smart", "hold", "remap"] {
        let mut spec =
            JobSpec::new(media.join("mead_surprised_256.mp4"), &speech, folder.path().join("out.mp4"));
        spec.loop_mode = serde_json::from_value(mode.into()).unwrap();
        spec.end_s = Some(1.6);
        let report = viseme::run(&spec, &Silent).unwrap();
        let wanted_ms = if mode == "none" { 1600 } else { report.speech.duration_ms };
        assert!(report.output.duration_ms.abs_diff(wanted_ms) <= 40, "{mode}: {}", report.output.duration_ms);
        assert_eq!(report.output.frames_written, report.output.frames_planned, "{mode}");
        assert_eq!(report.looping.frames_blended > 0, ["crossfade", "smart"].contains(&mode), "{mode}");
    }
}

#[test]
fn the_faces_of_the_presenter_are_listed_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let preview = folder.path().join("preview.mp4");
    let spec = FacesSpec {
        start_s: Some(0.4),
        end_s: Some(1.2),
        preview: Some(preview.clone()),
        contact_sheet: Some(folder.path().join("sheet.png")),
        landmarks: true,
        ..FacesSpec::new(demo("presenter.mp4"))
    };
    let mut lines = Vec::new();
    let summary = viseme::faces(&spec, &mut lines, &Silent).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .split(|&byte| byte == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, summary.frames);
    assert_eq!(decode(&preview).len() as u64, summary.frames);
    let sheet = &decode(&folder.path().join("sheet.png"))[0];
    let rows = summary.frames.min(24).div_ceil(4) as u32;
    assert_eq!((sheet.width - 4) % 4, 0);
    assert_eq!((sheet.height - 4) % rows, 0, "{rows} rows");
    assert!(summary.frames_with_face * 10 >= summary.frames * 9);
    let face = &lines[lines.len() / 2]["faces"][0];
    assert_eq!((&face["number"], &face["character_id"]), (&1.into(), &"face_1".into()));
    assert_eq!(face["bbox"].as_array().unwrap().len(), 4);
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 159);
}

#[test]
fn the_nets_of_clear_rights_find_the_presenter_too() {
    let spec = FacesSpec {
        end_s: Some(1.0),
        weights: viseme::Weights::Clean,
        ..FacesSpec::new(demo("presenter.mp4"))
    };
    let summary = viseme::faces(&spec, &mut Vec::new(), &Silent).unwrap();
    assert_eq!((summary.frames, summary.frames_with_face, summary.faces), (25, 25, 1));
}
