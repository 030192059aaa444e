//! Follows every face from frame to frame.
//!
//! A face that is known is looked for where the last frame saw it: two small nets, no search. The detector, which is
//! dearer, runs every few frames, and at once when a face was lost or a new shot began.

use crate::cuts::CutDetector;
use crate::detect::Detection;
use crate::followed::Followed;
use crate::foresight::Foresight;
use crate::framing::AnalysisImage;
use crate::nets::FaceNets;
use crate::{FaceObservation, TrackId};
use std::sync::Arc;
use viseme_core::{FrameIndex, Limits, Result};
use viseme_imaging::{ColourInfo, Frame};

/// How the tracker works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerOptions {
    /// Most faces followed at a time; more are not looked at. Default: that of [`Limits`].
    pub max_faces: usize,
    /// Frames from one search for new faces to the next. Default 12, half a second of film.
    pub detect_every: u32,
    /// Frames from one search to the next while no face is known. Default 2.
    pub search_every: u32,
    /// Faces narrower than this many pixels are not followed. Default 20: too small to sync, but worth a report.
    pub least_width_px: f32,
    /// Whether the only frame is a picture: then a face need not prove itself over several frames. Default no.
    pub is_still: bool,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            max_faces: Limits::default().faces,
            detect_every: 12,
            search_every: 2,
            least_width_px: 20.0,
            is_still: false,
        }
    }
}

/// A face that the landmark net is less sure of than this is not seen in the frame.
const LEAST_PRESENCE: f32 = 0.3;
/// A face that is not yet known needs this much of the detector and of the landmark net.
const LEAST_SCORE_OF_NEW: f32 = 0.4;
const LEAST_PRESENCE_OF_NEW: f32 = 0.7;
/// A new face is believed at once when both the detector and the landmark net are this sure.
const CERTAIN_SCORE: f32 = 0.7;
const CERTAIN_PRESENCE: f32 = 0.95;
/// A face may be away for this many frames and still be the same track, if it comes back where it was.
const MAX_MISSED: u32 = 5;
/// A face that the detector has not seen for this many searches must please the landmark net this much to go on.
const MAX_UNSUPPORTED_SEARCHES: u32 = 3;
const PRESENCE_WITHOUT_SUPPORT: f32 = 0.8;

/// Follows the faces of one video, frame by frame.
#[derive(Debug)]
pub struct Tracker {
    nets: FaceNets,
    options: TrackerOptions,
    cuts: CutDetector,
    followed: Vec<Followed>,
    started: u32,
    since_search: u32,
    /// The frame that comes next; none before the first.
    next: Option<FrameIndex>,
    is_cut: bool,
    foresight: Foresight,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    #[must_use]
    pub fn new(nets: FaceNets, options: TrackerOptions) -> Self {
        Self {
            foresight: Foresight::new(Arc::clone(&nets.detector), options.detect_every),
            nets,
            options,
            cuts: CutDetector::default(),
            followed: Vec::new(),
            started: 0,
            since_search: 0,
            next: None,
            is_cut: false,
        }
    }

    /// When it will search, for a thread that does so ahead.
    #[must_use]
    pub fn foresight(&self) -> Foresight {
        self.foresight.clone()
    }

    /// The faces of a frame, by track. Frames are given in order; where one is left out a new shot begins.
    ///
    /// # Errors
    /// When a model fails.
    pub fn observe(
        &mut self,
        frame: &Frame,
        colour: &ColourInfo,
        index: FrameIndex,
    ) -> Result<Vec<(TrackId, FaceObservation)>> {
        self.observe_foreseen(frame, colour, index, None)
    }

    /// As [`observe`](Self::observe), with what its [`foresight`](Self::foresight) has found in the frame.
    ///
    /// # Errors
    /// When a model fails.
    pub fn observe_foreseen(
        &mut self,
        frame: &Frame,
        colour: &ColourInfo,
        index: FrameIndex,
        foreseen: Option<Vec<Detection>>,
    ) -> Result<Vec<(TrackId, FaceObservation)>> {
        let image = AnalysisImage { frame, colour };
        let is_first = self.next.is_none();
        let is_gap = self.next.is_some_and(|next| next != index);
        self.next = Some(FrameIndex(index.0 + 1));
        self.is_cut = self.cuts.is_cut(frame) || is_gap;
        if self.is_cut {
            self.followed.clear();
        }
        self.follow(image)?;
        if is_first || self.is_search_due() {
            let detections = foreseen.map_or_else(|| self.nets.detector.detect(image), Ok)?;
            self.search(image, detections)?;
            self.since_search = 0;
        }
        self.since_search += 1;
        self.forget(frame);
        self.confirm();
        let every = self.search_interval();
        self.foresight
            .expect(FrameIndex(index.0 + 1 + u64::from(every.saturating_sub(self.since_search))), every);
        let mut seen: Vec<_> = self.followed.iter().filter_map(|f| Some((f.id?, f.face.clone()?))).collect();
        seen.sort_by_key(|&(id, _)| id);
        Ok(seen)
    }

    /// Whether the frame given last is the first of a new shot. No track goes across a cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Looks for every known face near its last place.
    fn follow(&mut self, image: AnalysisImage<'_>) -> Result<()> {
        for followed in &mut self.followed {
            followed.advance();
            for framing in followed.expected() {
                let face = self.nets.observe(image, &framing, LEAST_PRESENCE)?;
                if let Some(face) = face.filter(|face| followed.can_be(face)) {
                    followed.update(face);
                    break;
                }
            }
        }
        self.merge_duplicates();
        Ok(())
    }

    fn is_search_due(&self) -> bool {
        let is_unsettled = self.followed.iter().any(|f| f.missed > 0 || f.id.is_none());
        self.is_cut || is_unsettled || self.since_search >= self.search_interval()
    }

    /// Frames from one search to the next while nothing unexpected happens.
    fn search_interval(&self) -> u32 {
        if self.followed.is_empty() { self.options.search_every } else { self.options.detect_every }
    }

    /// Takes what the detector found in the whole frame: faces that were lost, and new ones.
    fn search(&mut self, image: AnalysisImage<'_>, detections: Vec<Detection>) -> Result<()> {
        let mut unknown = Vec::new();
        for detection in detections {
            match self.followed.iter_mut().find(|f| f.is_in(&detection.bbox)) {
                Some(followed) => {
                    followed.support(detection.score);
                    if followed.face.is_none() {
                        let framing = detection.framing();
                        if let Some(face) = self.nets.observe(image, &framing, LEAST_PRESENCE)? {
                            followed.update(face);
                        }
                    }
                }
                None if detection.score >= LEAST_SCORE_OF_NEW => unknown.push(detection),
                None => {}
            }
        }
        self.merge_duplicates();
        unknown.sort_by(|a, b| b.bbox.width.total_cmp(&a.bbox.width));
        for detection in unknown {
            self.meet(image, &detection)?;
        }
        Ok(())
    }

    /// Starts to follow a face that the detector found, if the landmark net agrees.
    fn meet(&mut self, image: AnalysisImage<'_>, detection: &Detection) -> Result<()> {
        if self.followed.len() >= self.options.max_faces {
            return Ok(());
        }
        let framing = detection.framing();
        let Some(face) = self.nets.observe(image, &framing, LEAST_PRESENCE_OF_NEW)? else {
            return Ok(());
        };
        let is_known = self.followed.iter().any(|f| f.is_in(&face.bbox) || f.is_one_with(&face.bbox));
        if is_known || face.bbox.width < self.options.least_width_px {
            return Ok(());
        }
        let is_certain = detection.score >= CERTAIN_SCORE && face.presence >= CERTAIN_PRESENCE;
        let id = (is_certain || self.options.is_still).then(|| self.next_id());
        self.followed.push(Followed::new(face, detection.score, id));
        Ok(())
    }

    /// Drops faces that left, were lost for too long, never proved themselves, or were none.
    fn forget(&mut self, frame: &Frame) {
        let patience = self.options.detect_every * MAX_UNSUPPORTED_SEARCHES;
        self.followed.retain(|f| {
            let is_lost = f.missed > if f.id.is_some() { MAX_MISSED } else { 0 };
            let is_doubtful = f.unsupported > patience
                && f.face.as_ref().is_none_or(|face| face.presence < PRESENCE_WITHOUT_SUPPORT);
            let is_unproved = f.id.is_none() && (f.unsupported > 0 || f.is_due() && !f.has_proved_itself());
            !(is_lost || is_doubtful || is_unproved || f.has_left(frame.width, frame.height))
        });
    }

    /// Numbers the faces that have proved themselves.
    fn confirm(&mut self) {
        for position in 0..self.followed.len() {
            if self.followed[position].is_due() {
                self.followed[position].id = Some(self.next_id());
            }
        }
    }

    /// Of two tracks that have run together the one that had to jump farther has lost its own face.
    fn merge_duplicates(&mut self) {
        let mut position = 0;
        while position < self.followed.len() {
            let loses = self.followed.iter().enumerate().any(|(other, better)| {
                let worse = &self.followed[position];
                let (Some(a), Some(_)) = (&worse.face, &better.face) else { return false };
                other != position
                    && better.is_one_with(&a.bbox)
                    && (better.id.is_none(), better.jump, other) < (worse.id.is_none(), worse.jump, position)
            });
            if loses {
                self.followed.remove(position);
            } else {
                position += 1;
            }
        }
    }

    fn next_id(&mut self) -> TrackId {
        self.started += 1;
        TrackId(self.started - 1)
    }
}

#[cfg(test)]
mod tests;
