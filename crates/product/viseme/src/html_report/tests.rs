use super::timeline::tests::segment;
use super::*;
use crate::cache::CacheUse;
use crate::evidence::{
    CURVE_FRAMES, CurvePoint, FramePair, MOST_CURVES, MOST_PAIRS, PICTURE_SIDE, SyncCurve,
};
use crate::loops::{LoopFacts, LoopMode};
use crate::people::{FaceResult, FacesReport};
use crate::picture::png_bytes;
use crate::report::{InputFacts, OutputFacts, REPORT_VERSION, SpeechFacts, TrackSummary};
use std::collections::BTreeMap;
use viseme_core::segment::{Segment, SkipReason};
use viseme_core::{Stage, Warning, WarningCode};
use viseme_engines::ExpectedMouth;
use viseme_engines::metrics::sync_correlation::SyncCorrelation;
use viseme_face::Weights;
use viseme_imaging::ImageU8;

/// Elements that have no end in HTML.
const VOID: [&str; 4] = ["meta", "img", "link", "br"];

fn face(id: &str, segments: Vec<Segment>) -> FaceResult {
    let summary = TrackSummary::of(&segments);
    let (character_id, success) = (id.to_owned(), summary.synced_ms > 0);
    FaceResult { character_id, success, error_message: None, segments, summary }
}

fn report(name: &str, results: Vec<FaceResult>, warnings: Vec<Warning>) -> Report {
    Report {
        version: REPORT_VERSION,
        engine: "native".to_owned(),
        engine_options: BTreeMap::from([("profile".to_owned(), name.to_owned())]),
        enhancer: None,
        weights: Weights::Default,
        detector: "native".to_owned(),
        models: Vec::new(),
        input: InputFacts {
            width: 640,
            height: 360,
            fps: 25.0,
            frames: 100,
            duration_ms: 4000,
            is_still: false,
        },
        speech: SpeechFacts { duration_ms: 4000, voiced_ms: 3100 },
        output: OutputFacts {
            path: format!("/home/someone/{name}").into(),
            width: 640,
            height: 360,
            fps: 25.0,
            frames_planned: 100,
            frames_written: 100,
            frames_changed: 70,
            duration_ms: 4000,
            size_bytes: 1_234_567,
        },
        looping: LoopFacts {
            mode: LoopMode::Repeat,
            shape: None,
            period_frames: None,
            frames_blended: 0,
            interpolator: None,
        },
        faces: FacesReport { results, unknown: 2, ..FacesReport::default() },
        offset: None,
        lines: Vec::new(),
        speakers: None,
        tracks: Vec::new(),
        analysis_cache: CacheUse::Off,
        frames_resumed: None,
        warnings,
        timings_ms: BTreeMap::from([(Stage::Analyse, 900), (Stage::Render, 1800)]),
        total_ms: 3000,
        peak_memory_bytes: 300_000_000,
        frames_per_second: 33.3,
    }
}

fn segments() -> Vec<Segment> {
    vec![
        Segment { avg_quality: Some(0.87), ..segment(0, 2800, None) },
        segment(2800, 3400, Some(SkipReason::Occluded)),
        segment(3400, 4000, Some(SkipReason::NotVisible)),
    ]
}

fn curve(name: &str, frames: u64) -> SyncCurve {
    let point = |nth: u64| {
        let asked = ((nth * 7) % 10) as f32 / 10.0;
        CurvePoint {
            time_s: nth as f64 * 0.04,
            asked: Some(asked),
            source: Some(0.02),
            made: Some(asked / 3.0),
        }
    };
    let points: Vec<CurvePoint> = (0..frames).map(point).collect();
    let speech = ExpectedMouth::new(Vec::new(), 0.0);
    let made =
        SyncCorrelation { correlation: 0.83, correlation_near: 0.83, correlation_best: 0.83, lag_ms: 0.0 };
    SyncCurve { made: Some(made), ..SyncCurve::new(name.to_owned(), points, false, &speech) }
}

/// A picture that no encoder makes smaller.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let image = ImageU8::from_fn(PICTURE_SIDE, PICTURE_SIDE, |_, _| [value(), value(), value()]).unwrap();
    png_bytes(&image).unwrap()
}

fn pair(name: &str, seed: u32) -> FramePair {
    FramePair { name: name.to_owned(), time_s: 1.24, before: noise(seed), after: noise(seed + 1) }
}

fn page(report: &Report, name: &str, evidence: &Evidence) -> String {
    let (video, audio) = (format!("in/{name}"), format!("in/{name}.wav"));
    Page { report, video: Path::new(&video), speeches: &[Path::new(&audio)], evidence }.html()
}

/// Reads the tags of a page and gives its text; every one that opens must close, in order.
fn assert_well_formed(html: &str) -> String {
    let (mut open, mut text, mut rest) = (Vec::new(), String::new(), html);
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "closed before what is in it");
        } else if !tag.starts_with('!') {
            let name = tag.split([' ', '\n']).next().unwrap();
            assert!(name.chars().all(char::is_alphanumeric), "<{tag}>");
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    assert_eq!(open, [""; 0], "left open");
    text + rest
}

#[test]
fn the_page_of_a_fixed_report() {
    let warnings = vec![Warning::new(WarningCode::FramesUntouched, "30 of 100 frames were left as they are")];
    let report = report("out.mp4", vec![face("alice", segments())], warnings);
    let evidence = Evidence { pairs: vec![pair("alice", 1)], curves: vec![curve("alice", 6)] };
    let html = page(&report, "talk.mp4", &evidence);
    assert_well_formed(&html);
    let html = html.replace(STYLE, "[style]").replace(env!("CARGO_PKG_VERSION"), "[version]");
    let mut shown = String::new();
    for part in html.split("data:image/png;base64,") {
        let picture = part.find('"').filter(|_| !shown.is_empty());
        shown.push_str(picture.map_or(part, |end| &part[end..]));
        shown.push_str("[picture]");
    }
    insta::assert_snapshot!(shown.replace("><", ">\n<"));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = r#"<script>alert('x')</script>"><img src=x onerror=alert(1)>&amp;.mp4"#;
    let warnings = vec![Warning::new(WarningCode::StreamDropped, hostile)];
    let report = report(&hostile.replace('/', "\u{2215}"), vec![face("alice", segments())], warnings);
    let evidence = Evidence { pairs: vec![pair(hostile, 1)], curves: vec![curve(hostile, 3)] };
    let html = page(&report, &hostile.replace('/', "\u{2215}"), &evidence);
    let text = assert_well_formed(&html);
    assert!(!html.contains("<script") && !html.contains("<img src=x"), "markup from a name");
    assert!(text.contains("&lt;script&gt;alert('x')"), "the name is shown as it is");
    assert!(!html.contains("/home/someone"), "folders are nobody's business");
}

#[test]
fn nothing_in_the_page_points_elsewhere() {
    let evidence = Evidence { pairs: vec![pair("alice", 1)], curves: vec![curve("alice", 50)] };
    let html = page(&report("out.mp4", vec![face("alice", segments())], Vec::new()), "talk.mp4", &evidence);
    for outside in ["http:", "https:", "//", "<script", "<link", "<iframe", "@import", "href"] {
        let found =
            html.split("data:image/png;base64,").map(|part| part.split_once('"').map_or(part, |p| p.1));
        assert!(!found.collect::<String>().contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn the_largest_page_stays_below_three_megabytes() {
    let reason = |nth: u64| (nth % 2 == 1).then_some(SkipReason::LowDetectionQuality);
    let many = || (0..5000).map(|nth| segment(nth * 720, nth * 720 + 720, reason(nth))).collect();
    let name = |number: usize| format!("face_{number}");
    let tracks = (1..=300).map(|number| face(&name(number), many())).collect();
    let warnings = vec![Warning::new(WarningCode::StreamDropped, "<&\"".repeat(5_000)); 5_000];
    let evidence = Evidence {
        pairs: (0..MOST_PAIRS).map(|nth| pair("alice", nth as u32)).collect(),
        curves: (1..=MOST_CURVES).map(|number| curve(&name(number), CURVE_FRAMES)).collect(),
    };
    let html = page(&report("out.mp4", tracks, warnings), "talk.mp4", &evidence);
    assert_well_formed(&html);
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert_eq!(html.matches("class=\"curve\"").count(), MOST_CURVES);
    assert!(html.contains("294 more faces were synced"));
}

#[test]
fn a_job_without_a_face_has_a_page_too() {
    let mut report = report("out.mp4", Vec::new(), vec![Warning::new(WarningCode::NoFace, "no usable face")]);
    report.output.frames_changed = 0;
    let text = assert_well_formed(&page(&report, "talk.mp4", &Evidence::default()));
    assert!(text.contains("No lips were moved") && text.contains("No face was to be moved"));
    assert!(!text.contains("Before and after"));
}
