//! A mouth over time, as three lines: what the speech asks for, what was made, what the source showed.

use super::axis::marks;
use super::text::clock;
use crate::evidence::{CurvePoint, SyncCurve};
use maud::{Markup, html};
use std::fmt::Write;

/// Pixels per second; a long curve is scrolled.
const PX_PER_S: f64 = 60.0;
const LEAST_WIDTH: f64 = 640.0;
const MOST_WIDTH: f64 = 3600.0;
/// Rows of the lines, and of the lines with their times.
const LINES: f64 = 140.0;
const HEIGHT: u32 = 164;
/// A mouth that opens less than this, in canonical units, is drawn as nearly shut.
const LEAST_PEAK: f32 = 0.05;

/// What stands below the heading of a face.
pub(super) fn figure(curve: &SyncCurve) -> Markup {
    html! {
        figure.curve {
            div.scroll tabindex="0" { (lines(curve)) }
            (key())
            figcaption {
                "How far the mouth is open, from the landmarks. What the speech asks for is heard by the built-in speech net and drawn as high as the mouth opens."
                @if curve.is_part { " This is the part of the video in which the lips move most, a minute at the most." }
                " " (verdict(curve))
            }
        }
    }
}

fn key() -> Markup {
    let line = |class: &str, words: &str| {
        html! {
            li {
                svg.swatch width="28" height="16" aria-hidden="true" { path class=(class) d="M0 8H28" {} }
                (words)
            }
        }
    };
    html! {
        ul.legend {
            (line("made", "made: the mouth that came out"))
            (line("asked", "asked: what the speech asks for"))
            (line("source", "source: the mouth that the video showed"))
        }
    }
}

/// How well the lines go together, in words.
fn verdict(curve: &SyncCurve) -> String {
    let Some(made) = curve.made.map(|made| made.correlation) else {
        return "There is too little speech or too little of the mouth to say how well it follows."
            .to_owned();
    };
    let source = curve.source.map(|source| format!("; the source's mouth has {:.2}", source.correlation));
    let source = source.unwrap_or_default();
    format!(
        "The correlation of made with asked is {made:.2}, where 1 is a mouth that follows exactly{source}."
    )
}

fn lines(curve: &SyncCurve) -> Markup {
    let points = &curve.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let length_s = (last.time_s - first.time_s).max(f64::EPSILON);
    let width = (length_s * PX_PER_S).clamp(LEAST_WIDTH, MOST_WIDTH).round();
    let x = |time_s: f64| (time_s - first.time_s) / length_s * width;
    let milliseconds = |time_s: f64| (time_s.max(0.0) * 1000.0).round() as u64;
    let (shown, asked) =
        (peak(points, |p| p.made).max(peak(points, |p| p.source)), peak(points, |p| p.asked));
    let shown = shown.max(LEAST_PEAK);
    let line = |opening: fn(&CurvePoint) -> Option<f32>, peak: f32| path(points, x, opening, peak);
    html! {
        svg width=(width) height=(HEIGHT) viewBox=(format!("0 0 {width} {HEIGHT}")) role="img" aria-label=(format!("The mouth of {} over time", curve.name)) {
            @for ms in marks(milliseconds(first.time_s), milliseconds(last.time_s), (width / 80.0) as u64) {
                @let at = x(ms as f64 / 1000.0).round();
                line.grid x1=(at) x2=(at) y1="0" y2=(LINES) {}
                text.time x=(at) y=(HEIGHT - 6) { (clock(ms)) }
            }
            path.source d=(line(|p| p.source, shown)) {}
            path.asked d=(line(|p| p.asked, asked)) {}
            path.made d=(line(|p| p.made, shown)) {}
        }
    }
}

/// The greatest opening.
fn peak(points: &[CurvePoint], opening: impl Fn(&CurvePoint) -> Option<f32>) -> f32 {
    points.iter().filter_map(opening).filter(|opening| opening.is_finite()).fold(0.0, f32::max)
}

/// A line through the points that have an opening, broken where they have none.
fn path(
    points: &[CurvePoint],
    x: impl Fn(f64) -> f64,
    opening: impl Fn(&CurvePoint) -> Option<f32>,
    peak: f32,
) -> String {
    let (mut path, mut is_broken) = (String::new(), true);
    for point in points {
        let Some(opening) = opening(point).filter(|opening| opening.is_finite()) else {
            is_broken = true;
            continue;
        };
        let share = f64::from((opening / peak.max(f32::EPSILON)).clamp(0.0, 1.0));
        let command = if is_broken { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{:.1} {:.0}", x(point.time_s), (1.0 - share) * (LINES - 8.0) + 4.0);
        is_broken = false;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_there_is_no_mouth() {
        let point = |time_s: f64, made: Option<f32>| CurvePoint { time_s, asked: None, source: None, made };
        let points =
            [(0.0, Some(0.0)), (0.5, Some(1.0)), (1.0, None), (1.5, Some(f32::NAN)), (2.0, Some(0.5))]
                .map(|(time_s, made)| point(time_s, made));
        let drawn = path(&points, |time_s| time_s * 10.0, |point| point.made, peak(&points, |p| p.made));
        assert_eq!(drawn, "M0.0 136L5.0 4M20.0 70");
    }
}
