//! Writes what the tracker sees, frame by frame.

use super::record::{FaceSummary, RECORD_BYTES, encode};
use super::{Track, TrackStore};
use crate::{FaceObservation, TrackId};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use viseme_core::{Error, FrameIndex, Result};

/// Name of the file in the work folder.
pub(super) const FILE_NAME: &str = "faces.bin";

/// Collects the faces of a video. Memory grows by 48 bytes per face and frame, the rest goes to a file.
#[derive(Debug)]
pub struct TrackRecorder {
    path: PathBuf,
    writer: BufWriter<File>,
    records: u32,
    /// Tracks that may go on.
    open: BTreeMap<TrackId, Track>,
    closed: Vec<Track>,
    next_frame: u64,
}

impl TrackRecorder {
    /// Starts a file in `work_dir`, which belongs to the job and must exist.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(work_dir: &Path) -> Result<Self> {
        let path = work_dir.join(FILE_NAME);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|source| Error::io(format_args!("write {}", path.display()), source))?;
        let writer = BufWriter::with_capacity(64 * RECORD_BYTES, file);
        Ok(Self { path, writer, records: 0, open: BTreeMap::new(), closed: Vec::new(), next_frame: 0 })
    }

    /// Takes the faces of the next frame, as [`Tracker::observe`](crate::Tracker::observe) gives them. `is_cut` says
    /// that the frame begins a new shot.
    ///
    /// A track that was away for some frames and is back goes on: the tracker has seen to it that it came back soon and to
    /// the same place. It stays unknown where it was not seen.
    ///
    /// # Errors
    /// When `frame` is not the one after the last, or the file cannot be written.
    pub fn push(
        &mut self,
        frame: FrameIndex,
        is_cut: bool,
        faces: &[(TrackId, FaceObservation)],
    ) -> Result<()> {
        if frame.0 != self.next_frame {
            return Err(Error::internal(format!(
                "faces of frame {} after frame {}",
                frame.0, self.next_frame
            )));
        }
        if is_cut {
            self.end_shot();
        }
        for (id, face) in faces {
            self.add(frame, is_cut || frame.0 == 0, *id, face)?;
        }
        self.next_frame += 1;
        Ok(())
    }

    /// Ends the video, and opens what was written for reading.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> Result<TrackStore> {
        self.end_shot();
        self.closed.sort_by_key(|track| track.id);
        let path = self.path;
        let file = self
            .writer
            .into_inner()
            .map_err(|failure| Error::io(format_args!("write {}", path.display()), failure.into_error()))?;
        Ok(TrackStore::new(self.closed, path, file))
    }

    fn add(
        &mut self,
        frame: FrameIndex,
        begins_shot: bool,
        id: TrackId,
        face: &FaceObservation,
    ) -> Result<()> {
        self.writer
            .write_all(&encode(face))
            .map_err(|source| Error::io(format_args!("write {}", self.path.display()), source))?;
        let track = self.open.entry(id).or_insert_with(|| Track {
            id,
            first: frame,
            begins_with_shot: begins_shot,
            ends_with_shot: false,
            summaries: Vec::new(),
            records: Vec::new(),
        });
        let position = (frame.0 - track.first.0) as usize;
        track.summaries.resize(position, None);
        track.records.resize(position, None);
        track.summaries.push(Some(FaceSummary::of(face)));
        track.records.push(Some(self.records));
        self.records = self
            .records
            .checked_add(1)
            .ok_or_else(|| Error::internal("more faces than a track file can hold"))?;
        Ok(())
    }

    /// Closes all tracks; those seen in the last frame end with the shot.
    fn end_shot(&mut self) {
        let end = self.next_frame;
        self.closed.extend(std::mem::take(&mut self.open).into_values().map(|mut track| {
            track.ends_with_shot = track.frames().end == end;
            track
        }));
    }
}
