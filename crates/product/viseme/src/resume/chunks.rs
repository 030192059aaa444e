//! The chunks of an output: what is missing is made, the rest is found.

use super::JobFolder;
use super::key::plan_digest;
use crate::cache::{EntryStore, Key};
use crate::evidence::Seen;
use crate::plan::Plan;
use crate::render::Rendered;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::Range;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Limits, Observer, Progress, Result, Stage, Warning};
use viseme_face::packed;
use viseme_media::{PicturePart, Tools, WrittenVideo, join_pictures};
use viseme_models::Digest;

/// Name of the file that says what is in a chunk.
const FILE_NAME: &str = "chunk.bin";

/// Frames that were rendered, and what their encoder could not keep.
pub(crate) type Encoded = (Rendered, Vec<Warning>);

/// The chunks of a job.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    store: EntryStore,
    plan: &'a Plan,
    /// Their output frames, and what each depends on.
    keys: Vec<(Range<u64>, Key)>,
}

/// What is kept of a chunk beside its files.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// The names of the files with the picture and what was changed of it.
    picture: String,
    mask: Option<String>,
    changed: u64,
    /// The most memory that an encoder took.
    encoder_bytes: u64,
    seen: Seen,
    warnings: Vec<Warning>,
}

/// A chunk that is whole.
struct Chunk {
    folder: PathBuf,
    record: Record,
    /// Whether an earlier run has made it.
    is_found: bool,
}

/// All chunks of an output, whole.
pub(crate) struct WholeChunks<'a> {
    plan: &'a Plan,
    chunks: Vec<(Range<u64>, Chunk)>,
}

impl<'a> Chunks<'a> {
    /// The chunks of a job that depends on its `basis` and its plan, of `most` frames each. What else is kept in the
    /// folder is removed.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn new(folder: &JobFolder, basis: &Value, plan: &'a Plan, most: u64) -> Result<Self> {
        let digests = ranges(plan.len(), most).map(|frames| (plan_digest(plan, frames.clone()), frames));
        let digests: Vec<(Digest, Range<u64>)> = digests.collect();
        // An engine may have looked at all of the plan before it makes the first mouth.
        let all: String = digests.iter().map(|(digest, _)| digest.to_string()).collect();
        let (whole, store) = (Digest::of(all.as_bytes()), folder.chunks());
        let key = |(digest, frames): (Digest, Range<u64>)| {
            let parts = json!({ "job": basis, "plan": [whole, digest], "frames": frames });
            (frames, Key::of(parts))
        };
        let keys: Vec<_> = digests.into_iter().map(key).collect();
        store.keep_only(keys.iter().map(|(_, key)| key))?;
        Ok(Self { store, plan, keys })
    }

    /// Makes all chunks that are not there: `make` renders frames into a folder and says what its encoder could not keep.
    ///
    /// # Errors
    /// Those of `make`, and when a chunk cannot be kept. Those that are whole stay.
    pub(crate) fn complete(
        self,
        observer: &dyn Observer,
        make: &mut dyn FnMut(Range<u64>, &Path) -> Result<Encoded>,
    ) -> Result<WholeChunks<'a>> {
        let mut chunks = Vec::with_capacity(self.keys.len());
        for (frames, key) in &self.keys {
            let chunk = match found(&self.store, key) {
                Some(chunk) => {
                    let total = Some(self.plan.len());
                    observer.progress(Progress { stage: Stage::Render, done: frames.end, total });
                    chunk
                }
                None => made(&self.store, key, &mut |folder| make(frames.clone(), folder))?,
            };
            chunks.push((frames.clone(), chunk));
        }
        Ok(WholeChunks { plan: self.plan, chunks })
    }
}

impl WholeChunks<'_> {
    /// Joins them to files in `folder`, and says what the encoders could not keep.
    ///
    /// # Errors
    /// When they cannot be joined.
    pub(crate) fn join(self, tools: &Tools, limits: &Limits, folder: &Path) -> Result<Encoded> {
        let video = self.join_files(|record| Some(&record.picture), (tools, limits), folder)?;
        let mask = self.join_files(|record| record.mask.as_ref(), (tools, limits), folder)?;
        let resumed = self.chunks.iter().filter(|(_, chunk)| chunk.is_found);
        let resumed = resumed.map(|(frames, _)| frames.end - frames.start).sum();
        let (mut changed, mut seen, mut warnings) = (0, Seen::default(), Vec::new());
        for (nth, (_, Chunk { record, .. })) in self.chunks.into_iter().enumerate() {
            changed += record.changed;
            seen.append(record.seen);
            // All encoders say the same.
            if nth == 0 {
                warnings = record.warnings;
            }
        }
        let video = video.ok_or_else(|| Error::internal("a video without a frame"))?;
        Ok((Rendered { video, mask, changed, seen, resumed: Some(resumed) }, warnings))
    }

    /// Joins one file of every chunk; `None` where they have none.
    fn join_files(
        &self,
        name: impl Fn(&Record) -> Option<&String>,
        (tools, limits): (&Tools, &Limits),
        folder: &Path,
    ) -> Result<Option<WrittenVideo>> {
        let part = |(frames, chunk): &(Range<u64>, Chunk)| {
            Some(PicturePart {
                path: chunk.folder.join(name(&chunk.record)?),
                start: self.plan.frame(frames.start).pts,
                frames: frames.end - frames.start,
            })
        };
        let parts: Vec<PicturePart> = self.chunks.iter().filter_map(part).collect();
        let Some(first) = self.chunks.first().and_then(|(_, chunk)| name(&chunk.record)) else {
            return Ok(None);
        };
        let times = self.plan.frames().map(|frame| frame.pts);
        let timed = (self.plan.timebase(), times);
        let joined = join_pictures(tools, &parts, timed, &folder.join(first), limits)?;
        let of_encoders = self.chunks.iter().map(|(_, chunk)| chunk.record.encoder_bytes);
        let peak_memory_bytes = of_encoders.fold(joined.peak_memory_bytes, u64::max);
        Ok(Some(WrittenVideo { peak_memory_bytes, ..joined }))
    }
}

fn found(store: &EntryStore, key: &Key) -> Option<Chunk> {
    let folder = store.find(key)?;
    let record = packed::read(&folder.join(FILE_NAME)).ok()?;
    Some(Chunk { folder, record, is_found: true })
}

fn made(store: &EntryStore, key: &Key, make: &mut dyn FnMut(&Path) -> Result<Encoded>) -> Result<Chunk> {
    let mut kept = None;
    let folder = store.keep(key, |folder| {
        let (rendered, warnings) = make(folder)?;
        let name =
            |video: &WrittenVideo| video.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = kept.insert(Record {
            picture: name(&rendered.video),
            mask: rendered.mask.as_ref().map(name),
            changed: rendered.changed,
            encoder_bytes: rendered.video.peak_memory_bytes,
            seen: rendered.seen,
            warnings,
        });
        packed::write(&folder.join(FILE_NAME), record)
    })?;
    let record = kept.ok_or_else(|| Error::internal("a chunk was kept that was not made"))?;
    Ok(Chunk { folder, record, is_found: false })
}

/// All frames in ranges of `most`; the last one is what is left.
fn ranges(frames: u64, most: u64) -> impl Iterator<Item = Range<u64>> {
    let most = most.max(1);
    (0..frames.div_ceil(most)).map(move |nth| nth * most..frames.min((nth + 1).saturating_mul(most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_cover_all_frames_once_in_order(frames in 0_u64..100_000, most in 1_u64..400) {
            let mut next = 0;
            for range in ranges(frames, most) {
                prop_assert_eq!(range.start, next);
                prop_assert!(range.end == frames || range.end - range.start == most);
                prop_assert!(!range.is_empty());
                next = range.end;
            }
            prop_assert_eq!(next, frames);
        }
    }
}
