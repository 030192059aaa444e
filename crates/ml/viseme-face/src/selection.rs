//! Whose lips move: which tracks are chosen. Pure functions.

use crate::TrackId;
use crate::store::Track;
use serde::{Deserialize, Serialize};

/// Whose lips move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceChoice {
    /// At each moment one face: of tracks that share frames the one with the larger face. In a video of several shots
    /// that is one face per shot.
    #[default]
    Largest,
    /// Every face.
    All,
    /// The n-th face in order of appearance, counted from 1.
    Nth(u32),
}

/// A track shorter than this many frames counts for less than its size: a stranger who crosses the picture close to
/// the camera is no speaker. One second of film.
const FULL_WEIGHT_FRAMES: f32 = 25.0;

/// The tracks to be synced, in order of appearance.
#[must_use]
pub fn choose(tracks: &[Track], choice: FaceChoice) -> Vec<TrackId> {
    choose_among(tracks, choice, |_| true)
}

/// The same of those that `may_speak`: the largest is the largest of them. The n-th is the n-th of all.
#[must_use]
pub fn choose_among(
    tracks: &[Track],
    choice: FaceChoice,
    may_speak: impl Fn(TrackId) -> bool,
) -> Vec<TrackId> {
    let is_free = |track: &&Track| may_speak(track.id);
    match choice {
        FaceChoice::All => tracks.iter().filter(is_free).map(|track| track.id).collect(),
        FaceChoice::Nth(number) => {
            let position = (number as usize).checked_sub(1);
            let nth = position.and_then(|position| tracks.get(position)).filter(is_free);
            nth.map(|track| track.id).into_iter().collect()
        }
        FaceChoice::Largest => largest(tracks.iter().filter(is_free)),
    }
}

/// Takes the tracks by weight, leaving out those that share a frame with one already taken.
fn largest<'a>(tracks: impl Iterator<Item = &'a Track>) -> Vec<TrackId> {
    let mut by_weight: Vec<_> = tracks.map(|track| (weight(track), track)).collect();
    by_weight.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.id.cmp(&second.id)));
    let mut chosen: Vec<&Track> = Vec::new();
    for (_, track) in by_weight {
        let frames = track.frames();
        let is_free = |taken: &&Track| {
            let taken = taken.frames();
            taken.end <= frames.start || frames.end <= taken.start
        };
        if chosen.iter().all(is_free) {
            chosen.push(track);
        }
    }
    let mut ids: Vec<_> = chosen.into_iter().map(|track| track.id).collect();
    ids.sort_unstable();
    ids
}

fn weight(track: &Track) -> f32 {
    track.mean_area() * track.mean_presence() * (track.seen().count() as f32 / FULL_WEIGHT_FRAMES).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::FaceSummary;
    use viseme_core::FrameIndex;
    use viseme_core::geometry::Rect;

    fn track(id: u32, first: u64, length: usize, width: f32) -> Track {
        let summary = FaceSummary {
            bbox: Rect { x: 0.0, y: 0.0, width, height: width },
            euler_degrees: [0.0; 3],
            opening: 0.0,
            width: 0.8,
            presence: 1.0,
            mouth_visible: 1.0,
        };
        Track::for_tests(TrackId(id), FrameIndex(first), vec![summary; length])
    }

    #[test]
    fn of_two_faces_the_larger_is_chosen_and_every_shot_has_one() {
        let tracks = [
            track(0, 0, 100, 80.0),
            track(1, 0, 100, 120.0),
            track(2, 100, 50, 70.0),
            track(3, 150, 50, 60.0),
        ];
        assert_eq!(choose(&tracks, FaceChoice::Largest), [TrackId(1), TrackId(2), TrackId(3)]);
        assert_eq!(choose(&tracks, FaceChoice::All).len(), 4);
    }

    #[test]
    fn a_passer_by_close_to_the_camera_is_not_the_speaker() {
        let tracks = [track(0, 0, 300, 100.0), track(1, 40, 6, 180.0)];
        assert_eq!(choose(&tracks, FaceChoice::Largest), [TrackId(0)]);
    }

    #[test]
    fn faces_are_counted_from_one() {
        let tracks = [track(0, 0, 10, 80.0), track(1, 0, 10, 90.0)];
        assert_eq!(choose(&tracks, FaceChoice::Nth(2)), [TrackId(1)]);
        assert_eq!(choose(&tracks, FaceChoice::Nth(0)), []);
        assert_eq!(choose(&tracks, FaceChoice::Nth(3)), []);
        assert_eq!(choose(&[], FaceChoice::Largest), []);
    }

    #[test]
    fn who_is_left_out_is_not_chosen_and_the_next_largest_is() {
        let tracks = [track(0, 0, 100, 80.0), track(1, 0, 100, 120.0), track(2, 100, 50, 70.0)];
        let choose = |choice| choose_among(&tracks, choice, |id| id != TrackId(1));
        assert_eq!(choose(FaceChoice::Largest), [TrackId(0), TrackId(2)]);
        assert_eq!(choose(FaceChoice::All), [TrackId(0), TrackId(2)]);
        assert_eq!((choose(FaceChoice::Nth(2)), choose(FaceChoice::Nth(3))), (vec![], vec![TrackId(2)]));
    }
}
