//! Looks at frames on their way to the encoder.

use super::curve::{CurvePoint, SyncCurve};
use super::pick::{busiest, spread};
use super::{CURVE_FRAMES, Evidence, FramePair, MOST_CURVES, MOST_PAIRS, PICTURE_SIDE, Seen};
use crate::loops::faces::face_in;
use crate::picture::{from_planes, png_bytes};
use crate::plan::{FacePlan, Plan, PlannedFrame};
use std::collections::BTreeMap;
use std::ops::Range;
use viseme_core::Result;
use viseme_engines::{ExpectedMouth, VoiceId};
use viseme_face::framing::{AnalysisImage, Framing};
use viseme_face::{FaceNets, FaceObservation, FaceSummary, TrackId, TrackStore};
use viseme_imaging::{ColourInfo, Frame, crop_rgb};

/// Side of a picture of a face over the longer side of its box: all of the head, little around it.
const PICTURE_MARGIN: f32 = 1.3;
/// Below this certainty of the landmark net its mouth is not taken: what the tracker asks of a face that it follows.
const LEAST_PRESENCE: f32 = 0.3;

/// Sees every frame before and after, and says what is to be kept of it.
#[derive(Debug)]
pub(crate) struct Witness<'a> {
    nets: &'a FaceNets,
    colour: &'a ColourInfo,
    tracks: &'a TrackStore,
    names: BTreeMap<TrackId, String>,
    pictures: BTreeMap<u64, TrackId>,
    mouths: Vec<WatchedMouth<'a>>,
    /// What each voice asks of a mouth.
    expected: BTreeMap<VoiceId, ExpectedMouth>,
    frames: u64,
}

/// A mouth that is measured.
#[derive(Debug)]
struct WatchedMouth<'a> {
    name: String,
    faces: Vec<&'a FacePlan>,
    frames: Range<u64>,
}

impl<'a> Witness<'a> {
    /// Chooses what to look at. `names` says whom each track shows; tracks of one name are one face.
    pub(crate) fn new(
        plan: &'a Plan,
        tracks: &'a TrackStore,
        names: BTreeMap<TrackId, String>,
        expected: BTreeMap<VoiceId, ExpectedMouth>,
        (nets, colour): (&'a FaceNets, &'a ColourInfo),
    ) -> Self {
        let mut faces_of: BTreeMap<&str, Vec<&FacePlan>> = BTreeMap::new();
        for face in plan.faces() {
            faces_of.entry(names.get(&face.track).map_or("", String::as_str)).or_default().push(face);
        }
        let mut found: Vec<_> = faces_of
            .into_iter()
            .filter_map(|(name, faces)| Some((busiest(plan, &faces, CURVE_FRAMES)?, name.to_owned(), faces)))
            .collect();
        found.sort_by_key(|(stretch, ..)| std::cmp::Reverse(stretch.moving));
        found.truncate(MOST_CURVES);
        let mouths = found.into_iter().map(|(stretch, name, faces)| WatchedMouth {
            name,
            faces,
            frames: stretch.frames,
        });
        let (mouths, pictures) = (mouths.collect(), spread(plan, MOST_PAIRS));
        Self { nets, colour, tracks, names, pictures, mouths, expected, frames: plan.len() }
    }

    /// Sees a frame as it was in the source, and as it goes to the encoder, and adds what is kept of it to `seen`.
    ///
    /// # Errors
    /// When the work folder cannot be read, or a net fails.
    pub(crate) fn see(
        &self,
        planned: &PlannedFrame,
        before: &Frame,
        after: &Frame,
        seen: &mut Seen,
    ) -> Result<()> {
        if let Some((track, before)) = self.picture(planned, before)?
            && let Some((_, after)) = self.picture(planned, after)?
        {
            let name = self.names.get(&track).cloned().unwrap_or_default();
            seen.pairs.push(FramePair { name, time_s: planned.speech_s, before, after });
        }
        for (nth, mouth) in self.mouths.iter().enumerate() {
            if mouth.frames.contains(&planned.output.0) {
                seen.mouth(nth).push(self.point(&mouth.faces, planned, after)?);
            }
        }
        Ok(())
    }

    /// What follows from what was seen of all frames.
    pub(crate) fn evidence(&self, mut seen: Seen) -> Evidence {
        let whole = 0..self.frames;
        let curve = |(nth, mouth): (usize, &WatchedMouth<'_>)| {
            let expected = self.expected.get(&mouth.faces.first()?.voice)?;
            let points = std::mem::take(seen.mouth(nth));
            Some(SyncCurve::new(mouth.name.clone(), points, mouth.frames != whole, expected))
        };
        let curves = self.mouths.iter().enumerate().filter_map(curve).collect();
        Evidence { pairs: seen.pairs, curves }
    }

    /// The face that is to be shown of this frame.
    fn picture(&self, planned: &PlannedFrame, frame: &Frame) -> Result<Option<(TrackId, Vec<u8>)>> {
        let Some(&track) = self.pictures.get(&planned.output.0) else { return Ok(None) };
        let Some(face) = face_in(self.tracks, track, planned)? else { return Ok(None) };
        let side = PICTURE_MARGIN * face.bbox.width.max(face.bbox.height);
        let framing = Framing { center: face.bbox.center(), side, roll: 0.0 };
        let planes = crop_rgb(frame, self.colour, &framing.crop_from_image(PICTURE_SIDE), PICTURE_SIDE)?;
        Ok(Some((track, png_bytes(&from_planes(&planes, PICTURE_SIDE, PICTURE_SIDE)?)?)))
    }

    /// The mouth of the one of `faces` that is in this frame.
    fn point(&self, faces: &[&FacePlan], planned: &PlannedFrame, frame: &Frame) -> Result<CurvePoint> {
        let time_s = planned.speech_s;
        let speaking = faces.iter().find(|face| face.speaks(planned));
        let asked = speaking.and_then(|face| self.expected.get(&face.voice)?.opening(time_s));
        let (mut source, mut made) = (None, None);
        for face in faces {
            let track = self.tracks.track(face.track);
            let Some(summary) = track.and_then(|track| track.summary(planned.source)) else { continue };
            source = Some(summary.opening);
            if face.state(planned).is_moved()
                && let Some(seen) = face_in(self.tracks, face.track, planned)?
            {
                made = self.opening(frame, &seen)?;
            }
        }
        Ok(CurvePoint { time_s, asked, source, made })
    }

    /// How far the mouth of a face is open that is known to be in the frame, by our own nets.
    fn opening(&self, frame: &Frame, face: &FaceObservation) -> Result<Option<f32>> {
        let image = AnalysisImage { frame, colour: self.colour };
        let found = self.nets.observe(image, &Framing::of_face(&face.points), LEAST_PRESENCE)?;
        Ok(found.map(|face| FaceSummary::of(&face).opening))
    }
}
