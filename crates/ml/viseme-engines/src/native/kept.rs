//! Studies that outlive their job: a second speech on the same video need not see it again.

use super::crops::CropFile;
use super::neutral::OpeningStatistics;
use super::study::{Candidate, TrackStudy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::Result;
use viseme_face::{TrackId, packed};
use viseme_imaging::PixelFormat;

/// All of a study but the crops, which have a file of their own.
#[derive(Debug, Serialize, Deserialize)]
struct KeptStudy {
    statistics: OpeningStatistics,
    candidates: Vec<Candidate>,
    rotations: BTreeMap<u64, [[f32; 3]; 3]>,
}

/// Ends the studies and copies them into `folder`.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn save(studies: &mut BTreeMap<TrackId, TrackStudy>, folder: &Path) -> Result<()> {
    let tracks: Vec<TrackId> = studies.keys().copied().collect();
    for (track, study) in studies.iter_mut() {
        study.finish()?;
        study.crops.copy_to(&crops_path(folder, *track))?;
        let kept = KeptStudy {
            statistics: study.statistics.clone(),
            candidates: study.candidates.clone(),
            rotations: study.rotations.clone(),
        };
        packed::write(&study_path(folder, *track), &kept)?;
    }
    packed::write(&index_path(folder), &tracks)
}

/// The studies in `folder`, of a video with frames of this format.
///
/// # Errors
/// When a file cannot be read or is not what was written.
pub(super) fn restore(folder: &Path, format: PixelFormat) -> Result<BTreeMap<TrackId, TrackStudy>> {
    let tracks: Vec<TrackId> = packed::read(&index_path(folder))?;
    let studies = tracks.into_iter().map(|track| {
        let kept: KeptStudy = packed::read(&study_path(folder, track))?;
        let crops = kept.candidates.iter().map(|candidate| candidate.crop);
        let crops = CropFile::open(&crops_path(folder, track), format, crops)?;
        Ok((track, TrackStudy::ended(kept.statistics, kept.candidates, crops, kept.rotations)))
    });
    studies.collect()
}

fn index_path(folder: &Path) -> PathBuf {
    folder.join("studies.bin")
}

fn study_path(folder: &Path, track: TrackId) -> PathBuf {
    folder.join(format!("study-{}.bin", track.0))
}

fn crops_path(folder: &Path, track: TrackId) -> PathBuf {
    folder.join(format!("mouths-{}.planes", track.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{face, frame};
    use viseme_core::FrameIndex;
    use viseme_imaging::{ColourInfo, ColourMatrix, ColourRange};

    const FORMAT: PixelFormat = PixelFormat::YUV420P;

    fn studies(folder: &Path) -> BTreeMap<TrackId, TrackStudy> {
        let colour = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);
        let study = |track: u32| {
            let path = folder.join(format!("seen-{track}"));
            let mut study = TrackStudy::begin(&path, FORMAT).unwrap();
            // More than are kept, so that the file has been written anew; the last wait for neighbours.
            for i in 0..700 + u64::from(track) {
                let picture = frame(FORMAT, 96, 96, i as u32);
                let opening = 0.001 * (i % 300) as f32;
                study.see(FrameIndex(i), &picture, &colour, &face(48.0, 30.0, 30.0, opening)).unwrap();
            }
            (TrackId(track), study)
        };
        [0, 3].map(study).into()
    }

    #[test]
    fn kept_studies_are_the_same_to_the_bit() {
        let (folder, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut seen = studies(folder.path());
        save(&mut seen, kept.path()).unwrap();
        let restored = restore(kept.path(), FORMAT).unwrap();
        assert_eq!(restored.len(), seen.len());
        for (track, study) in &seen {
            let other = &restored[track];
            let text = |study: &TrackStudy| {
                format!("{:?} {:?} {:?}", study.statistics, study.candidates, study.rotations)
            };
            assert!(text(study) == text(other) && study.candidates.len() > 300);
            for candidate in study.candidates.iter().step_by(37) {
                let (a, b) = (study.crops.read(candidate.crop), other.crops.read(candidate.crop));
                assert_eq!(a.unwrap().planes, b.unwrap().planes);
            }
        }
    }

    #[test]
    fn a_study_that_is_not_whole_is_refused() {
        let (folder, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        save(&mut studies(folder.path()), kept.path()).unwrap();
        let crops = crops_path(kept.path(), TrackId(3));
        let bytes = std::fs::read(&crops).unwrap();
        std::fs::write(&crops, &bytes[..bytes.len() - 1]).unwrap();
        assert!(restore(kept.path(), FORMAT).is_err());
        std::fs::remove_file(&crops).unwrap();
        assert!(restore(kept.path(), FORMAT).is_err());
        assert!(restore(folder.path(), FORMAT).is_err());
    }
}
