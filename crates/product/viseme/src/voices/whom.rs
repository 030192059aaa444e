//! Whom a line means.

use crate::analyse::Analysis;
use crate::job::Seen;
use crate::lines::Line;
use crate::people::Person;
use crate::speakers::Speakers;
use viseme_core::geometry::Rect;
use viseme_core::{FrameIndex, Result};
use viseme_face::Track;

/// Boxes of one face overlap by more than this (intersection over union, on average): those of other detectors take in hair
/// and ears, those of two people side by side do not overlap at all.
const SAME_FACE_IOU: f32 = 0.2;

/// The person that a line means: by its name, or else by where the face is. None when nobody is seen who could be meant.
///
/// # Errors
/// `InvalidInput` for a name that nobody in the video has and nobody could.
pub(super) fn speaker<'a>(line: &Line, seen: &Seen<'a>, lead_s: f64) -> Result<Option<&'a Person>> {
    let Seen { analysis, people, .. } = *seen;
    let Some([x, y, width, height]) = line.bbox else {
        let speakers = Speakers::Named(line.who.clone());
        let tracks = people.choose(&speakers, analysis.tracks.tracks(), |_| true)?;
        return Ok(tracks.first().and_then(|&track| people.of(track)));
    };
    if let Some(character) = people.named(&line.who).filter(|person| person.is_character) {
        return Ok(Some(character));
    }
    let bbox = Rect { x, y, width, height };
    Ok(at(&bbox, line, analysis, lead_s).and_then(|track| people.of(track.id)))
}

/// The face that is at `bbox` while a line lasts; where the video has ended by then, at any time.
fn at<'a>(bbox: &Rect, line: &Line, analysis: &'a Analysis, lead_s: f64) -> Option<&'a Track> {
    let times = &analysis.times;
    let span = line.begin_s()..line.end_s.unwrap_or(f64::INFINITY);
    let is_during = |frame: usize| span.contains(&(lead_s + times.seconds(times.start(frame))));
    let mut frames: Vec<usize> = (0..times.len()).filter(|&frame| is_during(frame)).collect();
    if frames.is_empty() {
        frames = (0..times.len()).collect();
    }
    let overlap = |track: &'a Track| {
        let seen = frames.iter().filter_map(|&frame| track.summary(FrameIndex(frame as u64)));
        let (count, sum) = seen.fold((0, 0.0), |(count, sum), face| (count + 1, sum + face.bbox.iou(bbox)));
        (sum > SAME_FACE_IOU * count as f32).then_some((sum, track))
    };
    let found = analysis.tracks.tracks().iter().filter_map(overlap).max_by(|a, b| a.0.total_cmp(&b.0));
    found.map(|(_, track)| track)
}
