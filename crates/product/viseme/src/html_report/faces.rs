//! What happened to each face.

use super::text::{clipped, clock, seconds};
use super::timeline::{Look, bar, legend};
use super::{MOST_FACES, sync_curve};
use crate::evidence::SyncCurve;
use crate::people::FaceResult;
use crate::report::Report;
use crate::speaking::{HeardFrom, SpeakersReport};
use maud::{Markup, html};
use viseme_core::segment::Segment;

/// Segments that are written out per face.
const MOST_ROWS: usize = 40;

/// Timelines and curves.
pub(super) fn section(report: &Report, curves: &[SyncCurve]) -> Markup {
    let mut faces: Vec<&FaceResult> = report.faces.results.iter().collect();
    // Those that move longest; the sort is stable, so equal ones stay in their order.
    faces.sort_by_key(|face| std::cmp::Reverse(face.summary.synced_ms));
    let rest = faces.split_off(faces.len().min(MOST_FACES));
    let unasked = report.faces.unknown;
    html! {
        section {
            h2 { "Faces" }
            @if let Some(speakers) = &report.speakers { (turns(speakers)) }
            @if faces.is_empty() { p { "No face was to be moved." } }
            @for &face in &faces {
                @let curve = curves.iter().find(|curve| curve.name == face.character_id);
                (one(face, curve))
            }
            @if !faces.is_empty() { (legend(faces.iter().flat_map(|face| &face.segments))) }
            @if !rest.is_empty() {
                @let synced_ms = rest.iter().map(|face| face.summary.synced_ms).sum();
                p.note { (rest.len()) " more faces were synced for " (seconds(synced_ms)) " together." }
            }
            @if unasked > 0 { p.note { (unasked) " more were seen and not asked for: left as they were." } }
        }
    }
}

/// Who was taken for the speaker.
fn turns(speakers: &SpeakersReport) -> Markup {
    let sense = match speakers.sense.as_str() {
        "native" => "how the mouths open",
        _ => "the net LR-ASD",
    };
    let sound = match speakers.heard {
        HeardFrom::Original => "the sound of the video",
        HeardFrom::Speech => "the new speech, since the video has no sound",
    };
    html! {
        p { "They speak in " (speakers.turns.len()) " turns: " (sense) " and " (sound) " said who has the word." }
        details {
            summary { "Turns as a table" }
            table {
                thead { tr { th { "From" } th { "To" } th { "Who" } th { "Score" } } }
                tbody {
                    @for turn in speakers.turns.iter().take(MOST_ROWS) {
                        tr {
                            td { (clock(turn.start_ms)) }
                            td { (clock(turn.end_ms)) }
                            td { (clipped(&turn.character_id)) }
                            td { (format!("{:.1}", turn.score)) }
                        }
                    }
                }
            }
            @if speakers.turns.len() > MOST_ROWS { p.note { "And " (speakers.turns.len() - MOST_ROWS) " more." } }
        }
    }
}

fn one(face: &FaceResult, curve: Option<&SyncCurve>) -> Markup {
    html! {
        article {
            h3 {
                (clipped(&face.character_id)) ": synced for "
                (seconds(face.summary.synced_ms)) " of " (seconds(face.summary.total_ms))
            }
            @if let Some(why) = &face.error_message { p.note { (clipped(why)) } }
            (bar(&face.character_id, &face.segments))
            @if let Some(curve) = curve { (sync_curve::figure(curve)) }
            details {
                summary { "Segments as a table" }
                (table(&face.segments))
            }
        }
    }
}

fn table(segments: &[Segment]) -> Markup {
    html! {
        table {
            thead { tr { th { "From" } th { "To" } th { "What" } th { "Quality" } } }
            tbody {
                @for segment in segments.iter().take(MOST_ROWS) {
                    @let look = Look::of(segment);
                    tr {
                        td { (clock(segment.start_ms)) }
                        td { (clock(segment.end_ms)) }
                        td { (look.label) ": " (look.meaning) }
                        td { @if let Some(quality) = segment.avg_quality { (format!("{:.0} %", 100.0 * quality)) } }
                    }
                }
            }
        }
        @if segments.len() > MOST_ROWS { p.note { "And " (segments.len() - MOST_ROWS) " more." } }
    }
}
