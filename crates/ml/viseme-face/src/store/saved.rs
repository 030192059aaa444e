//! Tracks that outlive the job that found them.

use super::record::RECORD_BYTES;
use super::recorder::FILE_NAME;
use super::{Track, TrackStore};
use crate::packed;
use std::fs::File;
use std::path::Path;
use viseme_core::{Error, Result};

/// Name of the file with all but the records.
const TRACKS_NAME: &str = "tracks.bin";

impl TrackStore {
    /// Copies everything into `folder`, for [`restore`](Self::restore).
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        std::fs::copy(&self.path, folder.join(FILE_NAME))
            .map_err(|source| Error::io(format_args!("copy {}", self.path.display()), source))?;
        packed::write(&folder.join(TRACKS_NAME), &self.tracks)
    }

    /// The tracks that [`save`](Self::save) left in `folder`. Its files are read as long as the store lives, and never
    /// written.
    ///
    /// # Errors
    /// When a file cannot be read or does not fit the others.
    pub fn restore(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let failed = |source| Error::io(format_args!("read {}", path.display()), source);
        let tracks: Vec<Track> = packed::read(&folder.join(TRACKS_NAME))?;
        let file = File::open(&path).map_err(failed)?;
        let records = file.metadata().map_err(failed)?.len() / RECORD_BYTES as u64;
        let is_whole = |track: &Track| {
            track.records.len() == track.summaries.len()
                && track.records.iter().flatten().all(|&record| u64::from(record) < records)
        };
        if !tracks.is_sorted_by(|a, b| a.id < b.id) || !tracks.iter().all(is_whole) {
            return Err(Error::invalid_input(format!("the tracks in {} are damaged", folder.display())));
        }
        Ok(Self::new(tracks, path, file))
    }
}
