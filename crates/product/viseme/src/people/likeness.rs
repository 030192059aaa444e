//! The best few pictures of each face, kept on disk for whoever asks who it is.
//!
//! They are taken while the video is looked at and not looked at themselves before somebody wants to know: a job with one
//! face pays for a few dozen crops and no more.

use super::slots::Slots;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use viseme_core::{Error, FrameIndex, Result};
use viseme_face::alignment::{Template, aligned_crop};
use viseme_face::framing::AnalysisImage;
use viseme_face::segments::sync_quality;
use viseme_face::{FaceObservation, FaceSummary, TrackId};
use viseme_imaging::{ImageU8, sharpness};

/// Name of the file in the work folder.
const FILE_NAME: &str = "likenesses.bin";
/// All embedders take faces aligned like this.
const TEMPLATE: Template = Template::ArcFace112;
/// A head turned further than this shows too little of a face to know it by.
const MAX_YAW_DEGREES: f32 = 60.0;
/// A face that was not seen for so many frames does not come back under the same name.
const PATIENCE: u64 = 16;

/// Where the pictures of each track lie in the file, in order of time.
pub(crate) type LikenessIndex = BTreeMap<TrackId, Vec<u32>>;

/// Takes the pictures. In memory are at most eight of each face that is in the picture.
#[derive(Debug)]
pub(crate) struct LikenessRecorder {
    path: PathBuf,
    writer: BufWriter<File>,
    written: u32,
    sitting: BTreeMap<TrackId, Sitting>,
    records: LikenessIndex,
}

/// A face that is in the picture.
#[derive(Debug)]
struct Sitting {
    last: u64,
    pictures: Slots<ImageU8<3>>,
}

impl LikenessRecorder {
    /// Starts a file in `work_dir`, which belongs to the job and must exist.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn create(work_dir: &Path) -> Result<Self> {
        let path = work_dir.join(FILE_NAME);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|source| failed_to_write(&path, source))?;
        let (sitting, records) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { path, writer: BufWriter::new(file), written: 0, sitting, records })
    }

    /// Takes the faces of the next frame.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn see(
        &mut self,
        index: FrameIndex,
        image: AnalysisImage<'_>,
        faces: &[(TrackId, FaceObservation)],
    ) -> Result<()> {
        for (track, face) in faces {
            let sitting = self
                .sitting
                .entry(*track)
                .or_insert_with(|| Sitting { last: index.0, pictures: Slots::new(index.0) });
            sitting.last = index.0;
            let promise = promise(face);
            if sitting.pictures.wants(index.0, promise)
                && let Some(picture) = aligned_crop(image, face, TEMPLATE)?
            {
                let score = promise * sharpness(&picture.channel(GREEN), 255);
                sitting.pictures.offer(index.0, promise, score, picture);
            }
        }
        let gone: Vec<TrackId> =
            self.sitting.iter().filter(|(_, s)| s.last + PATIENCE < index.0).map(|(id, _)| *id).collect();
        gone.into_iter().try_for_each(|track| self.finish_track(track))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn finish(mut self) -> Result<Likenesses> {
        let left: Vec<TrackId> = self.sitting.keys().copied().collect();
        left.into_iter().try_for_each(|track| self.finish_track(track))?;
        let file = self.writer.into_inner();
        let file = file.map_err(|failure| failed_to_write(&self.path, failure.into_error()))?;
        Ok(Likenesses { path: self.path, file: Some(file), records: self.records })
    }

    fn finish_track(&mut self, track: TrackId) -> Result<()> {
        let Some(sitting) = self.sitting.remove(&track) else { return Ok(()) };
        for picture in sitting.pictures.into_values() {
            let bytes = picture.pixels().as_flattened();
            self.writer.write_all(bytes).map_err(|source| failed_to_write(&self.path, source))?;
            self.records.entry(track).or_default().push(self.written);
            self.written += 1;
        }
        Ok(())
    }
}

/// The channel whose sharpness is measured: most of luma, and never subsampled by much.
const GREEN: usize = 1;

/// How much a picture of the face promises: certain, uncovered, frontal and large; 0 for a profile.
fn promise(face: &FaceObservation) -> f32 {
    let summary = FaceSummary::of(face);
    if summary.euler_degrees[1].abs() <= MAX_YAW_DEGREES { sync_quality(&summary) } else { 0.0 }
}

fn failed_to_write(path: &Path, source: std::io::Error) -> Error {
    Error::io(format_args!("write {}", path.display()), source)
}

/// The pictures that were taken: up to eight of each track.
#[derive(Debug, Default)]
pub(crate) struct Likenesses {
    path: PathBuf,
    /// None where no picture was taken. It is open as long as somebody may ask: its folder may go before.
    file: Option<File>,
    records: LikenessIndex,
}

impl Likenesses {
    /// Copies the pictures into `folder`.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub(crate) fn save(&self, folder: &Path) -> Result<LikenessIndex> {
        let target = folder.join(FILE_NAME);
        std::fs::copy(&self.path, &target).map_err(|source| failed_to_write(&target, source))?;
        Ok(self.records.clone())
    }

    /// Opens what [`save`](Self::save) has put into `folder`.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn restore(folder: &Path, records: LikenessIndex) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let file = File::open(&path);
        let file = file.map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
        Ok(Self { path, file: Some(file), records })
    }

    /// The pictures of a track (red, green, blue), aligned as [`Template::ArcFace112`], in order of time.
    ///
    /// # Errors
    /// When the file in the work folder cannot be read.
    pub(crate) fn pictures(&self, track: TrackId) -> Result<Vec<ImageU8<3>>> {
        let (Some(records), Some(mut file)) = (self.records.get(&track), self.file.as_ref()) else {
            return Ok(Vec::new());
        };
        let failed = |source| Error::io(format_args!("read {}", self.path.display()), source);
        let side = TEMPLATE.size();
        let mut bytes = vec![0; 3 * side * side];
        let mut read = |record: &u32| {
            file.seek(SeekFrom::Start(u64::from(*record) * bytes.len() as u64)).map_err(failed)?;
            file.read_exact(&mut bytes).map_err(failed)?;
            ImageU8::from_bytes(side, side, &bytes)
        };
        records.iter().map(&mut read).collect()
    }
}
