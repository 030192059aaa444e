//! The faces of a frame that is a blend of two.

use crate::plan::{Blend, PlannedFrame};
use viseme_core::{FrameIndex, Result};
use viseme_face::{FaceObservation, TrackId, TrackStore};

/// Faces of two tracks whose boxes overlap by less than this (intersection over union) are not one and the same: two
/// people side by side do not overlap at all.
const SAME_FACE_IOU: f32 = 0.3;

/// The face of `track` in an output frame, smoothed over time; of a blend the face between the two that are blended,
/// where it is in both. None where the track is not in the frame's own source frame.
///
/// # Errors
/// When the tracks cannot be read.
pub(crate) fn face_in(
    tracks: &TrackStore,
    track: TrackId,
    planned: &PlannedFrame,
) -> Result<Option<FaceObservation>> {
    let Some(own) = tracks.smoothed(track, planned.source)? else { return Ok(None) };
    let Some(blend) = planned.blend else { return Ok(Some(own)) };
    let is_leaving = planned.source == blend.leaving;
    let (other, share) =
        if is_leaving { (blend.arriving, blend.share) } else { (blend.leaving, 1.0 - blend.share) };
    let Some(partner) = partner(tracks, track, planned.source, other) else { return Ok(Some(own)) };
    let Some(partner) = tracks.smoothed(partner, other)? else { return Ok(Some(own)) };
    Ok(own.towards(&partner, share).or(Some(own)))
}

/// All faces that are in both frames of a blend: in the one that leaves and in the one that arrives.
///
/// # Errors
/// When the tracks cannot be read.
pub(crate) fn pairs(tracks: &TrackStore, blend: &Blend) -> Result<Vec<[FaceObservation; 2]>> {
    let mut pairs = Vec::new();
    for track in tracks.tracks() {
        let Some(leaving) = tracks.smoothed(track.id, blend.leaving)? else { continue };
        let Some(partner) = partner(tracks, track.id, blend.leaving, blend.arriving) else { continue };
        if let Some(arriving) = tracks.smoothed(partner, blend.arriving)? {
            pairs.push([leaving, arriving]);
        }
    }
    Ok(pairs)
}

/// The track that the face of `track` in frame `own` has in frame `other`: its own, or that of a face in the same place.
fn partner(tracks: &TrackStore, track: TrackId, own: FrameIndex, other: FrameIndex) -> Option<TrackId> {
    let known = tracks.track(track)?;
    if known.summary(other).is_some() {
        return Some(track);
    }
    let here = known.summary(own)?.bbox;
    let overlap = |(id, bbox): (TrackId, viseme_core::geometry::Rect)| (id, bbox.iou(&here));
    // Who is in both frames is nobody else in one of them.
    let strangers = tracks.tracks().iter().filter(|track| track.summary(own).is_none());
    let candidates = strangers.filter_map(|track| Some((track.id, track.summary(other)?.bbox))).map(overlap);
    let best = candidates.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 > SAME_FACE_IOU).then_some(best.0)
}
