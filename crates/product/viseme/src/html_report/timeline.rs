//! What happened to a face over time, as a bar: each state has a colour, a pattern and a word of its own.

use super::axis::marks;
use super::text::clock;
use maud::{Markup, html};
use viseme_core::segment::{Segment, SkipReason};

/// More stretches than this are drawn as so many columns, each with what takes most of it.
const MOST_STRETCHES: usize = 200;

/// Width of the bar in its own units, height of the bar, and of the bar with its times.
const WIDTH: f64 = 1000.0;
const BAR: u32 = 46;
const HEIGHT: u32 = 74;
/// Width of a letter of a label in those units.
const LETTER: f64 = 11.0;

/// What a stretch looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Look {
    /// Its class in the style sheet, also the name of its pattern.
    pub(super) class: &'static str,
    /// A word.
    pub(super) label: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
}

/// Every look, in the order of the legend.
pub(super) const LOOKS: [Look; 8] = [
    Look { class: "synced", label: "synced", meaning: "the lips follow the speech" },
    Look { class: "profile", label: "profile", meaning: "turned away by more than 45°" },
    Look { class: "small", label: "small", meaning: "less than 64 pixels wide" },
    Look { class: "unsure", label: "unsure", meaning: "seen too badly to be sure of it" },
    Look { class: "covered", label: "covered", meaning: "something covers the mouth" },
    Look { class: "absent", label: "absent", meaning: "not in the picture" },
    Look { class: "unasked", label: "not asked", meaning: "not asked for: left as it was" },
    Look { class: "other", label: "skipped", meaning: "left as it was" },
];

impl Look {
    /// The look of a segment.
    pub(super) fn of(segment: &Segment) -> Self {
        let class = match segment.skip_reason {
            _ if segment.synced => "synced",
            Some(SkipReason::ProfileView) => "profile",
            Some(SkipReason::FaceTooSmall) => "small",
            Some(SkipReason::LowDetectionQuality) => "unsure",
            Some(SkipReason::Occluded) => "covered",
            Some(SkipReason::NotVisible) => "absent",
            None => "unasked",
            Some(_) => "other",
        };
        LOOKS.into_iter().find(|look| look.class == class).unwrap_or(LOOKS[LOOKS.len() - 1])
    }
}

/// Time in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    start_ms: u64,
    end_ms: u64,
    look: Look,
}

/// The bar of a face whose segments these are.
pub(super) fn bar(name: &str, segments: &[Segment]) -> Markup {
    let end_ms = segments.last().map_or(0, |segment| segment.end_ms).max(1);
    let x = |ms: u64| ms as f64 * WIDTH / end_ms as f64;
    html! {
        svg.timeline viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(format!("What happened to {name} over time")) {
            @for stretch in stretches(segments, end_ms) {
                (drawn(&stretch, x(stretch.start_ms), x(stretch.end_ms) - x(stretch.start_ms)))
            }
            @for ms in marks(0, end_ms, 6) {
                line x1=(round(x(ms))) x2=(round(x(ms))) y1=(BAR) y2=(BAR + 6) {}
                text.time x=(round(x(ms))) y=(HEIGHT - 2) text-anchor=(anchor(x(ms))) { (clock(ms)) }
            }
        }
    }
}

fn drawn(stretch: &Stretch, x: f64, width: f64) -> Markup {
    let Stretch { start_ms, end_ms, look } = stretch;
    html! {
        rect class=(look.class) x=(round(x)) y="0" width=(round(width.max(1.0))) height=(BAR) {
            title { (clock(*start_ms)) " to " (clock(*end_ms)) ": " (look.meaning) }
        }
        @if width > LETTER * (look.label.len() + 2) as f64 {
            text.label x=(round(x + width / 2.0)) y="30" text-anchor="middle" { (look.label) }
        }
    }
}

/// Where a time stands at its mark, so that the first and the last stay in the picture.
fn anchor(x: f64) -> &'static str {
    match x {
        x if x < 30.0 => "start",
        x if x > WIDTH - 40.0 => "end",
        _ => "middle",
    }
}

/// Tenths of a unit are fine enough.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// What is drawn of segments that end at `end_ms`.
fn stretches(segments: &[Segment], end_ms: u64) -> Vec<Stretch> {
    let whole = |s: &Segment| Stretch { start_ms: s.start_ms, end_ms: s.end_ms, look: Look::of(s) };
    if segments.len() <= MOST_STRETCHES {
        return segments.iter().map(whole).collect();
    }
    let columns = MOST_STRETCHES as u64;
    let mut stretches: Vec<Stretch> = Vec::new();
    for column in 0..columns {
        let (start_ms, end_ms) = (end_ms * column / columns, end_ms * (column + 1) / columns);
        let Some(look) = commonest(segments, start_ms, end_ms) else { continue };
        match stretches.last_mut() {
            Some(last) if last.look == look => last.end_ms = end_ms,
            _ => stretches.push(Stretch { start_ms, end_ms, look }),
        }
    }
    stretches
}

/// What takes most of the time from `start_ms` to `end_ms`; the first in the legend of several.
fn commonest(segments: &[Segment], start_ms: u64, end_ms: u64) -> Option<Look> {
    let first = segments.partition_point(|segment| segment.end_ms <= start_ms);
    let inside = segments[first..].iter().take_while(|segment| segment.start_ms < end_ms);
    let mut shares = [0; LOOKS.len()];
    for segment in inside {
        let share = segment.end_ms.min(end_ms) - segment.start_ms.max(start_ms);
        if let Some(position) = LOOKS.iter().position(|&look| look == Look::of(segment)) {
            shares[position] += share;
        }
    }
    let most = shares.iter().copied().max().filter(|&most| most > 0)?;
    shares.iter().position(|&share| share == most).map(|position| LOOKS[position])
}

/// Words to the patterns of those of `segments` that occur.
pub(super) fn legend<'a>(segments: impl Iterator<Item = &'a Segment>) -> Markup {
    let seen: std::collections::BTreeSet<Look> = segments.map(Look::of).collect();
    html! {
        ul.legend {
            @for look in LOOKS.iter().filter(|look| seen.contains(look)) {
                li {
                    svg.swatch width="28" height="16" aria-hidden="true" {
                        rect class=(look.class) width="28" height="16" {}
                    }
                    b { (look.label) } ": " (look.meaning)
                }
            }
        }
    }
}

/// The patterns that the style sheet fills with, once per page.
pub(super) fn patterns() -> Markup {
    let pattern = |class: &str, marks: Markup| {
        html! {
            pattern id=(format!("fill-{class}")) width="12" height="12" patternUnits="userSpaceOnUse" {
                rect class=(format!("ground-{class}")) width="12" height="12" {}
                (marks)
            }
        }
    };
    let marks = |path: &str| html! { path.marks d=(path) {} };
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                (pattern("profile", marks("M-3 3L3 -3M0 12L12 0M9 15L15 9")))
                (pattern("small", marks("M5 6h2M-1 0h2M11 0h2M-1 12h2M11 12h2")))
                (pattern("unsure", marks("M0 3h12M0 9h12")))
                (pattern("covered", marks("M0 12L12 0M0 0L12 12")))
                (pattern("unasked", marks("M3 0v12M9 0v12")))
                (pattern("other", marks("M0 6h12M6 0v12")))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A segment of no further qualities.
    pub(crate) fn segment(start_ms: u64, end_ms: u64, skip_reason: Option<SkipReason>) -> Segment {
        Segment {
            start_ms,
            end_ms,
            synced: skip_reason.is_none(),
            skip_reason,
            avg_quality: None,
            avg_bbox: None,
            avg_head_pose: None,
        }
    }

    #[test]
    fn a_thousand_segments_become_few_stretches_that_cover_the_whole_time() {
        let reason = |nth: u64| nth.is_multiple_of(3).then_some(SkipReason::Occluded);
        let segments: Vec<_> = (0..1000).map(|nth| segment(nth * 40, nth * 40 + 40, reason(nth))).collect();
        let drawn = stretches(&segments, 40_000);
        assert!(drawn.len() <= MOST_STRETCHES);
        assert_eq!((drawn[0].start_ms, drawn[drawn.len() - 1].end_ms), (0, 40_000));
        assert!(drawn.windows(2).all(|pair| pair[0].end_ms == pair[1].start_ms));
        assert!(drawn.iter().filter(|stretch| stretch.look.class == "synced").count() > 0);
    }

    #[test]
    fn every_reason_has_a_look_of_its_own() {
        use SkipReason::{FaceTooSmall, LowDetectionQuality, NotVisible, Occluded, ProfileView};
        let reasons = [ProfileView, FaceTooSmall, LowDetectionQuality, Occluded, NotVisible];
        let looks: std::collections::BTreeSet<_> =
            reasons.into_iter().map(|reason| Look::of(&segment(0, 1, Some(reason))).class).collect();
        assert_eq!(looks.len(), reasons.len());
        assert!(!looks.contains("other") && !looks.contains("synced"));
    }
}
