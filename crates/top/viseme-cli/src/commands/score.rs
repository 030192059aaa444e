//! `viseme score`: how well lips follow the speech, and how good sound and picture are.

use crate::arguments::ScoreArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use std::process::ExitCode;
use viseme::{ScoreReport, TrackScore};
use viseme_core::Result;

/// Scores the video and prints the report.
pub(crate) fn run(arguments: ScoreArguments) -> Result<ExitCode> {
    let look = arguments.look;
    let spec = look.of(arguments.video, arguments.audio);
    let terminal = Terminal::new(Interrupt::install()?, look.quiet);
    let result = viseme::score(&spec, &terminal);
    terminal.finish();
    let report = result?;
    if look.json {
        printer::json(&report)?;
    } else {
        for line in lines(&report) {
            printer::data(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(report: &ScoreReport) -> Vec<String> {
    let why = |field: &str| {
        let missing = report.missing.iter().find(|missing| missing.field == field);
        missing.map(|missing| missing.message.clone()).unwrap_or_default()
    };
    let score = |name: &str, value: Option<f64>, text: String| match value {
        Some(value) => format!("{name:<14} {value:.2}  {text}").trim_end().to_owned(),
        None => format!("{name:<14} –     {text}"),
    };
    let video = report.picture.as_ref().map_or_else(String::new, |picture| {
        format!("{}x{}, brightness {:.0}", report.input.width, report.input.height, picture.brightness)
    });
    let mut lines = vec![
        score("sync_score", report.sync_score, why("sync_score")),
        score("audio_quality", report.audio_quality, sound(report).unwrap_or_else(|| why("audio_quality"))),
        score("video_quality", report.video_quality, video),
    ];
    for track in &report.tracks {
        lines.extend(face(track));
    }
    if let Some(message) = &report.syncnet.message {
        lines.push(format!("SyncNet: {message}"));
        lines.extend(report.syncnet.remedy.as_ref().map(|remedy| format!("  {remedy}")));
    }
    lines
}

/// What the sound is like; `None` without a score of it.
fn sound(report: &ScoreReport) -> Option<String> {
    let (sound, _) = report.sound.as_ref().zip(report.audio_quality)?;
    Some(format!(
        "{:.1} LUFS, voice {:.0} dB over the pauses, up to {:.1} kHz, {:.1} % near the peak",
        sound.loudness_lufs?,
        sound.signal_to_noise_db?,
        sound.bandwidth_hz? / 1000.0,
        sound.share_near_peak.unwrap_or(0.0) * 100.0,
    ))
}

/// A face: how its lips follow the speech, and what it looks like.
fn face(track: &TrackScore) -> Vec<String> {
    let face = &track.face;
    let mut lines =
        vec![format!("face {}, {} frames, {:.0} pixels wide", track.number, track.frames, face.width_px)];
    lines.extend(track.sync.as_ref().map(|sync| {
        let side = if sync.lag_ms < 0.0 { "early" } else { "late" };
        format!(
            "  lips and speech: correlation {:.2}, at best {:.2} with lips {:.0} ms {side}",
            sync.correlation,
            sync.correlation_best,
            sync.lag_ms.abs(),
        )
    }));
    lines.extend(track.syncnet.as_ref().map(|syncnet| {
        format!(
            "  SyncNet: LSE-C {:.3}, LSE-D {:.3}, offset {} frames",
            syncnet.lse_c, syncnet.lse_d, syncnet.offset_frames
        )
    }));
    let looks = [
        ("blur", face.blur, ""),
        ("of the mouth", face.mouth_blur, ""),
        ("seam", face.seam_step, ""),
        ("tremble", face.jitter_percent, " %"),
    ];
    let looks = looks.iter().filter_map(|(name, value, unit)| Some(format!("{name} {:.2}{unit}", (*value)?)));
    let looks = looks.collect::<Vec<_>>().join(", ");
    lines.extend((!looks.is_empty()).then(|| format!("  {looks}")));
    lines
}
