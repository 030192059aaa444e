//! Everything that the tracker saw, kept on disk, with a few numbers per face in memory.

mod record;
mod recorder;
mod saved;
mod smoothing;

pub use record::FaceSummary;
pub use recorder::TrackRecorder;

use crate::{FaceObservation, TrackId};
use record::{RECORD_BYTES, decode};
use serde::{Deserialize, Serialize};
pub use smoothing::DEFAULT_SMOOTHING;
use smoothing::{reach, smooth};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use viseme_core::geometry::Rect;
use viseme_core::{Error, FrameIndex, Result};

/// One face followed through a shot. It may be away for a few frames and come back to the same place; nothing is made up
/// for these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Its name.
    pub id: TrackId,
    /// The frame in which it was first seen.
    pub first: FrameIndex,
    /// Whether it was there when a shot, or the video, began.
    pub begins_with_shot: bool,
    /// Whether it was there when a shot, or the video, ended.
    pub ends_with_shot: bool,
    /// What is known of it in each frame from `first` on; `None` where it was not seen.
    summaries: Vec<Option<FaceSummary>>,
    /// Where its records lie in the file, by frame.
    records: Vec<Option<u32>>,
}

impl Track {
    /// The frames from the first to the last in which it was seen.
    #[must_use]
    pub fn frames(&self) -> Range<u64> {
        self.first.0..self.first.0 + self.summaries.len() as u64
    }

    /// What is known of it in `frame`; `None` where it was not seen.
    #[must_use]
    pub fn summary(&self, frame: FrameIndex) -> Option<&FaceSummary> {
        self.summaries.get(self.position(frame)?)?.as_ref()
    }

    /// The frames in which it was seen, with what is known of it there.
    pub fn seen(&self) -> impl Iterator<Item = (FrameIndex, &FaceSummary)> {
        let frames = self.frames().map(FrameIndex);
        frames.zip(&self.summaries).filter_map(|(frame, summary)| Some((frame, summary.as_ref()?)))
    }

    /// Mean area of its box in square pixels.
    #[must_use]
    pub fn mean_area(&self) -> f32 {
        self.mean(|s| f64::from(s.bbox.width) * f64::from(s.bbox.height))
    }

    /// Mean box in pixels.
    #[must_use]
    pub fn mean_bbox(&self) -> Rect {
        Rect {
            x: self.mean(|s| f64::from(s.bbox.x)),
            y: self.mean(|s| f64::from(s.bbox.y)),
            width: self.mean(|s| f64::from(s.bbox.width)),
            height: self.mean(|s| f64::from(s.bbox.height)),
        }
    }

    /// Mean certainty of the landmark net, 0 to 1.
    #[must_use]
    pub fn mean_presence(&self) -> f32 {
        self.mean(|s| f64::from(s.presence))
    }

    /// A track that is nowhere on disk, in the middle of a shot.
    #[cfg(test)]
    pub(crate) fn for_tests(id: TrackId, first: FrameIndex, summaries: Vec<FaceSummary>) -> Self {
        let summaries = summaries.into_iter().map(Some).collect();
        Self { id, first, begins_with_shot: false, ends_with_shot: false, summaries, records: Vec::new() }
    }

    fn mean(&self, value: impl Fn(&FaceSummary) -> f64) -> f32 {
        let seen = || self.summaries.iter().flatten();
        (seen().map(value).sum::<f64>() / seen().count().max(1) as f64) as f32
    }

    fn position(&self, frame: FrameIndex) -> Option<usize> {
        let position = frame.0.checked_sub(self.first.0)? as usize;
        (position < self.summaries.len()).then_some(position)
    }
}

/// Faces kept unpacked, so that neighbouring frames of a few tracks are read once.
const CACHED_FACES: usize = 64;

/// All tracks of a video. Shared between threads.
#[derive(Debug)]
pub struct TrackStore {
    tracks: Vec<Track>,
    path: PathBuf,
    reader: Mutex<Reader>,
    smoothing: f32,
}

#[derive(Debug)]
struct Reader {
    file: File,
    cache: VecDeque<(u32, FaceObservation)>,
}

impl TrackStore {
    fn new(tracks: Vec<Track>, path: PathBuf, file: File) -> Self {
        Self {
            tracks,
            path,
            reader: Mutex::new(Reader { file, cache: VecDeque::with_capacity(CACHED_FACES) }),
            smoothing: DEFAULT_SMOOTHING,
        }
    }

    /// The same with another strength of [`smoothed`](Self::smoothed): 0 leaves faces as they were seen, 1 smooths the head
    /// over 21 frames and the rest over 15. Numbers outside are taken for the nearer of the two.
    #[must_use]
    pub fn with_smoothing(self, smoothing: f32) -> Self {
        let smoothing = if smoothing.is_nan() { DEFAULT_SMOOTHING } else { smoothing.clamp(0.0, 1.0) };
        Self { smoothing, ..self }
    }

    /// The tracks in order of appearance.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The track with this name.
    #[must_use]
    pub fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.binary_search_by_key(&id, |track| track.id).ok().map(|position| &self.tracks[position])
    }

    /// The face as the tracker saw it; `None` where it did not.
    ///
    /// # Errors
    /// When the file in the work folder cannot be read.
    pub fn observation(&self, id: TrackId, frame: FrameIndex) -> Result<Option<FaceObservation>> {
        let Some((records, position)) = self.find(id, frame) else { return Ok(None) };
        records[position].map(|record| self.read(record)).transpose()
    }

    /// The face smoothed over time, without delay: by default the head over seven frames, the rest over five, less near
    /// an end of the track and beside a frame in which it was not seen. `None` where it is not seen.
    ///
    /// # Errors
    /// When the file in the work folder cannot be read.
    pub fn smoothed(&self, id: TrackId, frame: FrameIndex) -> Result<Option<FaceObservation>> {
        let Some((records, position)) = self.find(id, frame) else { return Ok(None) };
        let is_seen = |place: Option<usize>| place.and_then(|place| *records.get(place)?).is_some();
        let is_seen_around = |&distance: &usize| {
            is_seen(position.checked_sub(distance)) && is_seen(position.checked_add(distance))
        };
        let reach = (1..=reach(self.smoothing)).take_while(is_seen_around).count();
        let window = records[position - reach..=position + reach].iter().flatten();
        let window = window.map(|&record| self.read(record)).collect::<Result<Vec<_>>>()?;
        Ok(smooth(&window.iter().collect::<Vec<_>>(), self.smoothing))
    }

    /// The records of a track, and which of them is that of `frame`.
    fn find(&self, id: TrackId, frame: FrameIndex) -> Option<(&[Option<u32>], usize)> {
        let track = self.track(id)?;
        Some((&track.records, track.position(frame)?))
    }

    fn read(&self, record: u32) -> Result<FaceObservation> {
        // A panic in another thread leaves at worst a half filled cache entry behind: none of it is shared state.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, face)) = reader.cache.iter().find(|(cached, _)| *cached == record) {
            return Ok(face.clone());
        }
        let mut bytes = [0; RECORD_BYTES];
        let failed = |source| Error::io(format_args!("read {}", self.path.display()), source);
        reader.file.seek(SeekFrom::Start(u64::from(record) * RECORD_BYTES as u64)).map_err(failed)?;
        reader.file.read_exact(&mut bytes).map_err(failed)?;
        let face = decode(&bytes).ok_or_else(|| {
            Error::internal(format!("record {record} of {} is damaged", self.path.display()))
        })?;
        if reader.cache.len() == CACHED_FACES {
            reader.cache.pop_front();
        }
        reader.cache.push_back((record, face.clone()));
        Ok(face)
    }
}

#[cfg(test)]
mod tests;
