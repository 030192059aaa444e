//! What `viseme score` says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::Said;
use serde_json::Value;
use std::path::{Path, PathBuf};
use viseme_testing::{TestClip, clips};

/// Runs `viseme score` in a folder, whose `models` are all there are.
fn score(folder: &Path, arguments: &[&str]) -> Said {
    common::run(folder, &[&["score"], arguments].concat())
}

fn report(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

fn presenter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo/presenter.mp4")
}

#[test]
fn what_cannot_be_measured_is_null_and_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "mute.mp4");
    let _ = TestClip { sound: true, ..TestClip::default() }.write(folder.path(), "tone.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 2.0);
    let cases: [(&[&str], &str); 2] =
        [(&["mute.mp4", "--json"], "no_sound"), (&["tone.mp4", "--json"], "no_speech")];
    for (arguments, reason) in cases {
        let report = report(&score(folder.path(), arguments));
        assert_eq!(report["sync_score"], Value::Null);
        assert_eq!(report["audio_quality"], Value::Null);
        assert!(report["video_quality"].as_f64().is_some_and(|score| (0.0..=1.0).contains(&score)));
        let reasons = report["missing"].as_array().unwrap().iter().map(|missing| &missing["reason"]);
        assert!(reasons.clone().count() == 2 && reasons.into_iter().all(|found| found == reason));
        assert_eq!(report["syncnet"]["installed"], false);
        let remedy = report["syncnet"]["remedy"].as_str().unwrap();
        assert!(remedy.contains("viseme models pull syncnet_v2"), "{remedy}");
    }
    let faceless = report(&score(folder.path(), &["mute.mp4", "--audio", "speech.wav", "--json"]));
    assert_eq!(faceless["missing"][0]["field"], "sync_score");
    assert_eq!(common::names(folder.path()), ["mute.mp4", "speech.wav", "tone.mp4"]);
    insta::assert_snapshot!("score_without_a_face", score(folder.path(), &["mute.mp4"]).stdout);
}

#[test]
fn inputs_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "mute.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 1.0);
    let cases: [(&[&str], &str); 4] = [
        (&["none.mp4"], "does not exist"),
        (&["speech.wav"], "no picture"),
        (&["mute.mp4", "--audio", "mute.mp4"], "no sound"),
        (&["mute.mp4", "--face", "0"], "not a face"),
    ];
    for (arguments, message) in cases {
        let said = score(folder.path(), arguments);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.stderr.contains(message), "{arguments:?}: {}", said.stderr);
    }
}

#[test]
fn a_real_speaker_is_in_sync_and_a_shifted_sound_is_found_with_its_sign() {
    let folder = tempfile::tempdir().unwrap();
    let presenter = presenter();
    let presenter = presenter.to_str().unwrap();
    let as_it_is = report(&score(folder.path(), &[presenter, "--json"]));
    let field = |report: &Value, name: &str| report[name].as_f64().unwrap();
    let lag = |report: &Value| report["tracks"][0]["sync"]["lag_ms"].as_f64().unwrap();
    for name in ["sync_score", "audio_quality", "video_quality"] {
        assert!((0.7..=1.0).contains(&field(&as_it_is, name)), "{name}: {}", as_it_is[name]);
    }
    assert!(lag(&as_it_is).abs() < 60.0, "{}", lag(&as_it_is));
    for late_s in [-0.4, -0.2, 0.2, 0.4] {
        let sound = clips::sound_of(presenter.as_ref(), folder.path(), "shifted.wav", -late_s);
        let shifted =
            report(&score(folder.path(), &[presenter, "--audio", sound.to_str().unwrap(), "--json"]));
        let found = lag(&shifted) - lag(&as_it_is);
        assert!((found - late_s * 1000.0).abs() < 40.0, "{found} instead of {late_s}");
        assert!(field(&shifted, "sync_score") < 0.7 && field(&shifted, "audio_quality") > 0.7);
    }
    let there_is_one = score(folder.path(), &[presenter, "--face", "2"]);
    assert_eq!(there_is_one.code, Some(1));
    assert!(there_is_one.stderr.contains("there is no face 2"), "{}", there_is_one.stderr);
}

#[test]
fn syncnet_takes_part_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ml/viseme-models/tests/vectors/syncnet.pth");
    let import = ["models", "import", "syncnet_v2", checkpoint.to_str().unwrap()];
    assert_eq!(common::run(folder.path(), &import).code, Some(0));
    let report = report(&score(folder.path(), &[presenter().to_str().unwrap(), "--json"]));
    assert_eq!(report["syncnet"]["installed"], true);
    let syncnet = &report["tracks"][0]["syncnet"];
    // 5.6 s at 25 frames a second, less the five frames that the last windows lack.
    assert_eq!(syncnet["windows"], report["tracks"][0]["frames"].as_u64().unwrap() - 5);
    assert!(syncnet["lse_d"].as_f64().unwrap() > 0.0 && syncnet["lse_c"].as_f64().unwrap() >= 0.0);
    assert!((-15..=15).contains(&syncnet["offset_frames"].as_i64().unwrap()));
}
