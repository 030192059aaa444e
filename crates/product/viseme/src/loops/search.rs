//! Where a clip loops best: past its fades, and from a place near its end that is like one near its start.

use super::{LoopMode, LoopShape};
use crate::analyse::Analysis;
use crate::clip::Clip;
use crate::source::Cursor;
use viseme_core::{Error, FrameIndex, Observer, Result};
use viseme_face::FaceSummary;
use viseme_imaging::{Frame, ImageF32};

/// Share of the clip, at its start and at its end, in which the loop may begin and end: half of it is looped at least …
const SEARCHED_SHARE: u64 = 4;
/// … and most frames that are looked at there, which bounds time and memory: 10 s at 25 frames a second.
const MOST_SEARCHED: u64 = 250;
/// Columns and rows of what is kept of a frame.
const THUMBNAIL: (usize, usize) = (32, 18);

/// Differences that count as much as each other, by eye: gray levels of the thumbnail (root of the mean square) …
const GRAY_LEVELS: f32 = 5.0;
/// … degrees that the head is turned by, …
const DEGREES: f32 = 4.0;
/// … shares of the face's width that it is off, or larger, …
const SHARE_OF_FACE: f32 = 0.05;
/// … and how much a face counts that is there in one frame alone.
const FACE_MISSING: f32 = 10.0;
/// What is lost of the clip makes a loop as much worse as this share of its difference would.
const LOSS: f32 = 1.0;

/// The mean of a picture that changes by more than this from a frame to the next, in gray levels, jumps: a fade, a flash or
/// a cut. Of ten clips the steadiest change by 0.2 at most, those from the hand by 2.4.
const LIGHT_JUMP: f32 = 3.0;

/// What is compared of a frame.
#[derive(Debug, Clone)]
struct Look {
    thumbnail: ImageF32,
    face: Option<FaceSummary>,
}

/// Finds the loop of a mode that blends: `blended` frames at its start and at its end between which the light does not
/// jump. Of these [`LoopMode::Smart`] takes those that are as like each other as can be, in picture and in the pose of the
/// head, and [`LoopMode::Crossfade`] those that are farthest apart. All of the clip where it is too short to choose.
///
/// # Errors
/// `Cancelled`; when the clip cannot be decoded.
pub(crate) fn best_loop(
    clip: &dyn Clip,
    analysis: &Analysis,
    mode: LoopMode,
    blended: u64,
    observer: &dyn Observer,
) -> Result<LoopShape> {
    let frames = analysis.times.len() as u64;
    let blended = blended.min(frames / SEARCHED_SHARE);
    if blended == 0 {
        return Ok(LoopShape::whole(frames));
    }
    let searched = (frames / SEARCHED_SHARE).min(MOST_SEARCHED).max(blended);
    let mut cursor = Cursor::new(clip, analysis);
    let mut looks = |first: u64| {
        let look = |index: u64| {
            if observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let frame = cursor.forward(index)?;
            Ok(Look { thumbnail: thumbnail(&frame), face: largest(analysis, FrameIndex(index)) })
        };
        (first..first + searched).map(look).collect::<Result<Vec<_>>>()
    };
    let (heads, tails) = (looks(0)?, looks(frames - searched)?);
    let (faded_in, calm) = (after_fade(&heads, blended as usize), before_fade(&tails, blended as usize));
    let (head, tail) = if mode == LoopMode::Smart {
        let (head, tail) = most_alike(&heads[faded_in..], &tails[..calm], blended as usize, frames as usize);
        (faded_in + head, tail)
    } else {
        (faded_in, calm - blended as usize)
    };
    let end = frames - searched + (tail as u64) + blended;
    Ok(LoopShape { first: head as u64, end, blended })
}

/// How many looks at the start of a clip lie before the last jump of the light, where `blended` are left after it.
fn after_fade(heads: &[Look], blended: usize) -> usize {
    (1..=heads.len().saturating_sub(blended)).rev().find(|&at| jumps(heads, at)).unwrap_or(0)
}

/// How many looks at the end of a clip lie before the first jump of the light, where these are `blended` at least.
fn before_fade(tails: &[Look], blended: usize) -> usize {
    (blended.max(1)..tails.len()).find(|&at| jumps(tails, at)).unwrap_or(tails.len())
}

/// Whether the light jumps from the look before to look `at`.
fn jumps(looks: &[Look], at: usize) -> bool {
    let light =
        |look: &Look| look.thumbnail.data.iter().sum::<f32>() / look.thumbnail.data.len().max(1) as f32;
    let pair = looks.get(at).zip(at.checked_sub(1).and_then(|before| looks.get(before)));
    pair.is_some_and(|(now, before)| (light(now) - light(before)).abs() > LIGHT_JUMP)
}

/// Where in `heads` and in `tails` the stretches of `blended` looks begin that differ least, and lose least of a clip of
/// `frames` frames. Of equal ones those that lose less.
fn most_alike(heads: &[Look], tails: &[Look], blended: usize, frames: usize) -> (usize, usize) {
    let differences: Vec<Vec<f32>> =
        heads.iter().map(|head| tails.iter().map(|tail| difference(head, tail)).collect()).collect();
    let [head_places, places] = [heads, tails].map(|looks| looks.len() + 1 - blended);
    let candidates = (0..head_places).flat_map(|head| (0..places).rev().map(move |tail| (head, tail)));
    let cost = |&(head, tail): &(usize, usize)| {
        let sum: f32 = (0..blended).map(|step| differences[head + step][tail + step]).sum();
        let lost = (head + places - 1 - tail) as f32 / frames as f32;
        sum / blended as f32 * (1.0 + LOSS * lost)
    };
    // The first of equal ones is kept.
    let better =
        |best: ((usize, usize), f32), next: ((usize, usize), f32)| if next.1 < best.1 { next } else { best };
    let all = candidates.map(|candidate| (candidate, cost(&candidate)));
    all.reduce(better).map_or((0, places - 1), |(place, _)| place)
}

/// How much two frames differ; 1 is what is just seen.
fn difference(a: &Look, b: &Look) -> f32 {
    let pairs = a.thumbnail.data.iter().zip(&b.thumbnail.data);
    let square = pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / a.thumbnail.data.len().max(1) as f32;
    let picture = square.sqrt() / GRAY_LEVELS;
    let face = match (&a.face, &b.face) {
        (Some(a), Some(b)) => face_difference(a, b),
        (None, None) => 0.0,
        _ => FACE_MISSING,
    };
    picture + face
}

fn face_difference(a: &FaceSummary, b: &FaceSummary) -> f32 {
    let width = (0.5 * (a.bbox.width + b.bbox.width)).max(1.0);
    let place = (a.bbox.center() - b.bbox.center()).length() / width;
    let size = (a.bbox.width - b.bbox.width).abs() / width;
    let angles = a.euler_degrees.iter().zip(b.euler_degrees).map(|(a, b)| (a - b) * (a - b));
    (place + size) / SHARE_OF_FACE + angles.sum::<f32>().sqrt() / DEGREES
}

/// The frame's first plane, small, on 0 to 255.
fn thumbnail(frame: &Frame) -> ImageF32 {
    let gain = 255.0 / f32::from(frame.format.max_value());
    ImageF32::resized_plane(&frame.planes[0], THUMBNAIL.0, THUMBNAIL.1).map(|value| value * gain)
}

/// The largest face of a frame.
fn largest(analysis: &Analysis, frame: FrameIndex) -> Option<FaceSummary> {
    let area = |face: &FaceSummary| face.bbox.width * face.bbox.height;
    let faces = analysis.tracks.tracks().iter().filter_map(|track| track.summary(frame));
    faces.max_by(|a, b| area(a).total_cmp(&area(b))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::MemoryClip;
    use viseme_core::Silent;

    fn look(value: f32) -> Look {
        Look { thumbnail: ImageF32::filled(2, 2, value), face: None }
    }

    #[test]
    fn the_stretch_that_comes_back_is_found() {
        let heads: Vec<_> = [9.0, 50.0, 60.0, 70.0, 20.0].map(look).into();
        let tails: Vec<_> = [0.0, 99.0, 50.0, 60.0, 71.0].map(look).into();
        assert_eq!(most_alike(&heads, &tails, 3, 20), (1, 2));
    }

    #[test]
    fn of_equal_loops_the_longest_is_taken() {
        let same: Vec<_> = (0..6).map(|_| look(8.0)).collect();
        assert_eq!(most_alike(&same, &same, 2, 24), (0, 4));
    }

    #[test]
    fn clips_of_any_length_have_a_loop_that_uses_half_of_them() {
        for frames in [1, 3, 4, 5, 9, 40, 200] {
            let clip = MemoryClip::new(frames);
            let analysis = clip.analysis();
            let shape = best_loop(&clip, &analysis, LoopMode::Smart, 10, &Silent).unwrap();
            assert_eq!(shape, shape.within(frames as u64), "{frames} frames");
            assert!(2 * (shape.end - shape.first) >= frames as u64, "{shape:?} of {frames}");
        }
    }
}
