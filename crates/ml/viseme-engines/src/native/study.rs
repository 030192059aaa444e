//! What is learnt of one face while the source is seen for the first time.

use super::bank::{BankEntry, MouthFeatures};
use super::borrowed::MouthView;
use super::crops::{CropFile, StoredCrop};
use super::neutral::OpeningStatistics;
use super::shape::opening;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use viseme_core::geometry::{Affine, PixelRect, Rect, Vec2};
use viseme_core::{FrameIndex, Result};
use viseme_face::FaceObservation;
use viseme_face::points::LIP_COUNT;
use viseme_imaging::crop::crop_gray;
use viseme_imaging::{ColourInfo, Frame, PixelFormat};

/// Mouths kept of one face; when there are more, half of them go.
const MOST_CANDIDATES: usize = 600;
/// Lips less visible than this are not borrowed.
const VISIBLE: f32 = 0.5;
/// Room around the lips in a kept crop, in canonical units: the overlay reaches 0.28 beyond them.
const CROP_MARGIN: f32 = 0.42;
/// Points of the nose and the cheeks that steer the warp of a borrowed mouth: `FaceMesh` 2, 98, 327, 50, 280.
pub(super) const GUIDES: [usize; 5] = [115, 111, 112, 137, 138];

/// Savitzky–Golay smoothing over five frames (quadratic): takes the tremble out of the tracker, leaves the motion.
const SMOOTHING: [f32; 5] = [-3.0 / 35.0, 12.0 / 35.0, 17.0 / 35.0, 12.0 / 35.0, -3.0 / 35.0];

/// Sharpness is measured on a square of this many pixels, one canonical unit wide.
const SHARPNESS_SIZE: usize = 96;

/// A mouth of the source that may be borrowed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub(super) source: FrameIndex,
    pub(super) view: MouthView,
    pub(super) crop: StoredCrop,
    sharpness: f32,
}

/// A face seen in a frame, waiting for its neighbours to be smoothed with.
#[derive(Debug)]
struct Sighting {
    source: u64,
    view: MouthView,
    /// The stored crop and its sharpness, when the mouth is fit to be borrowed.
    crop: Option<(StoredCrop, f32)>,
}

/// All that is kept of one face.
#[derive(Debug)]
pub(super) struct TrackStudy {
    pub(super) statistics: OpeningStatistics,
    pub(super) candidates: Vec<Candidate>,
    pub(super) crops: CropFile,
    /// How the head is turned in each source frame, as rows of the rotation matrix.
    pub(super) rotations: BTreeMap<u64, [[f32; 3]; 3]>,
    window: VecDeque<Sighting>,
    /// How many of the window, from its front, have been taken in.
    taken: usize,
}

impl TrackStudy {
    /// Starts with an empty crop file at `path`.
    pub(super) fn begin(path: &Path, format: PixelFormat) -> Result<Self> {
        Ok(Self {
            statistics: OpeningStatistics::new(),
            candidates: Vec::new(),
            crops: CropFile::create(path, format)?,
            rotations: BTreeMap::new(),
            window: VecDeque::new(),
            taken: 0,
        })
    }

    /// A study that has come to its end.
    pub(super) fn ended(
        statistics: OpeningStatistics,
        candidates: Vec<Candidate>,
        crops: CropFile,
        rotations: BTreeMap<u64, [[f32; 3]; 3]>,
    ) -> Self {
        Self { statistics, candidates, crops, rotations, window: VecDeque::new(), taken: 0 }
    }

    /// Sees the face in the next frame.
    pub(super) fn see(
        &mut self,
        source: FrameIndex,
        frame: &Frame,
        colour: &ColourInfo,
        face: &FaceObservation,
    ) -> Result<()> {
        self.rotations.insert(source.0, face.pose.rotation);
        let region = crop_region(face, frame);
        let crop = if face.mouth_visible < VISIBLE || region.is_empty() {
            None
        } else {
            Some((self.crops.append(frame, region)?, sharpness(frame, colour, face)?))
        };
        self.push(Sighting { source: source.0, view: MouthView::of(face), crop })
    }

    fn push(&mut self, sighting: Sighting) -> Result<()> {
        if self.window.back().is_some_and(|last| last.source + 1 != sighting.source) {
            self.finish()?;
        }
        self.window.push_back(sighting);
        if self.window.len() > SMOOTHING.len() {
            self.window.pop_front();
            self.taken -= 1;
        }
        while self.window.len() == SMOOTHING.len() && self.taken <= SMOOTHING.len() / 2 {
            self.take_next()?;
        }
        Ok(())
    }

    /// Takes in what still waits for neighbours.
    pub(super) fn finish(&mut self) -> Result<()> {
        while self.taken < self.window.len() {
            self.take_next()?;
        }
        self.window.clear();
        self.taken = 0;
        Ok(())
    }

    fn take_next(&mut self) -> Result<()> {
        let at = self.taken;
        self.taken += 1;
        let whole = self.window.len() == SMOOTHING.len() && at == SMOOTHING.len() / 2;
        let sighting = &self.window[at];
        let view = if whole {
            MouthView {
                shape: std::array::from_fn(|i| weighted(&self.window, |s| s.view.shape[i])),
                points: std::array::from_fn(|i| weighted(&self.window, |s| s.view.points[i])),
                guides: std::array::from_fn(|i| weighted(&self.window, |s| s.view.guides[i])),
                pose: sighting.view.pose,
            }
        } else {
            sighting.view.clone()
        };
        self.statistics.add(&view.shape, opening(&view.shape));
        if let Some((crop, sharpness)) = sighting.crop {
            self.candidates.push(Candidate { source: FrameIndex(sighting.source), view, crop, sharpness });
        }
        if self.candidates.len() > MOST_CANDIDATES { self.thin() } else { Ok(()) }
    }

    /// Keeps the half of the candidates that differ most, the sharper ones first.
    fn thin(&mut self) -> Result<()> {
        let bank = self.entries();
        let kept = most_different(&bank, MOST_CANDIDATES / 2);
        let mut position = 0;
        self.candidates.retain(|_| {
            position += 1;
            kept[position - 1]
        });
        let waiting =
            self.window.iter_mut().skip(self.taken).filter_map(|s| s.crop.as_mut()).map(|(crop, _)| crop);
        self.crops.compact(self.candidates.iter_mut().map(|candidate| &mut candidate.crop).chain(waiting))
    }

    /// The candidates as the choice of mouths sees them.
    pub(super) fn entries(&self) -> Vec<BankEntry> {
        let mut sorted: Vec<f32> = self.candidates.iter().map(|candidate| candidate.sharpness).collect();
        sorted.sort_by(f32::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0) + 1e-6;
        self.candidates
            .iter()
            .map(|candidate| BankEntry {
                features: MouthFeatures::new(&candidate.view.shape, candidate.view.pose.rotation),
                source: candidate.source.0,
                blur: ((0.8 * median - candidate.sharpness) / median).clamp(0.0, 1.0) * 3.0,
            })
            .collect()
    }
}

/// The smoothed value of what `value` picks of each sighting.
fn weighted<T>(window: &VecDeque<Sighting>, value: impl Fn(&Sighting) -> T) -> T
where
    T: Default + std::ops::Add<Output = T> + std::ops::Mul<f32, Output = T>,
{
    window.iter().zip(SMOOTHING).fold(T::default(), |sum, (sighting, weight)| sum + value(sighting) * weight)
}

/// Farthest-point choice of `count` entries: each next one is the least like all before it, blurred ones counting less.
fn most_different(bank: &[BankEntry], count: usize) -> Vec<bool> {
    let mut kept = vec![false; bank.len()];
    let mut distance = vec![f32::INFINITY; bank.len()];
    let worth = |i: usize, distance: f32| distance * (1.0 - 0.25 * bank[i].blur);
    for _ in 0..count.min(bank.len()) {
        let next = (0..bank.len()).filter(|&i| !kept[i]).fold(None, |best: Option<usize>, i| match best {
            Some(b) if worth(b, distance[b]) >= worth(i, distance[i]) => Some(b),
            _ => Some(i),
        });
        let Some(next) = next else { break };
        kept[next] = true;
        for (i, distance) in distance.iter_mut().enumerate() {
            *distance = distance.min(bank[i].features.difference(&bank[next].features));
        }
    }
    kept
}

/// The part of the frame around the lips that is kept.
fn crop_region(face: &FaceObservation, frame: &Frame) -> PixelRect {
    let lips = Rect::bounding(face.points[..LIP_COUNT].iter().map(|p| p.xy()));
    lips.map_or_else(PixelRect::default, |lips| {
        lips.expanded(CROP_MARGIN * face.pose.scale_px).to_pixels(frame.width, frame.height).aligned(
            frame.format.alignment(),
            frame.width,
            frame.height,
        )
    })
}

/// Variance of the Laplacian of the mouth at a common scale, so that frames of one face can be compared.
fn sharpness(frame: &Frame, colour: &ColourInfo, face: &FaceObservation) -> Result<f32> {
    let lips = &face.points[..LIP_COUNT];
    let centre = lips.iter().fold(Vec2::default(), |sum, p| sum + p.xy()) * (1.0 / LIP_COUNT as f32);
    let size = SHARPNESS_SIZE as f32;
    let middle = Vec2::new(size / 2.0, size / 2.0);
    let crop_from_image = Affine::similarity(0.0, size / face.pose.scale_px.max(1.0), centre, middle);
    let gray = crop_gray(frame, colour, &crop_from_image, SHARPNESS_SIZE)?;
    Ok(laplacian_variance(&gray, SHARPNESS_SIZE))
}

fn laplacian_variance(gray: &[f32], width: usize) -> f32 {
    let inner = (1..width - 1).flat_map(|y| (1..width - 1).map(move |x| y * width + x));
    let (sum, square, count) = inner.fold((0.0_f32, 0.0_f32, 0.0_f32), |(sum, square, count), i| {
        let v = gray[i - 1] + gray[i + 1] + gray[i - width] + gray[i + width] - 4.0 * gray[i];
        (sum + v, square + v * v, count + 1.0)
    });
    square / count - (sum / count) * (sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{face, frame};
    use viseme_imaging::{ColourMatrix, ColourRange};

    const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

    fn study(folder: &Path) -> TrackStudy {
        TrackStudy::begin(&folder.join("mouths"), PixelFormat::YUV420P).unwrap()
    }

    #[test]
    fn a_long_video_leaves_a_bounded_file_of_varied_mouths() {
        let folder = tempfile::tempdir().unwrap();
        let mut study = study(folder.path());
        let picture = frame(PixelFormat::YUV420P, 96, 96, 1);
        for i in 0..2_000 {
            let opening = if i % 100 == 0 { 0.3 } else { 0.02 };
            study.see(FrameIndex(i), &picture, &COLOUR, &face(48.0, 30.0, 30.0, opening)).unwrap();
        }
        study.finish().unwrap();
        assert!(study.candidates.len() <= MOST_CANDIDATES);
        let largest = study
            .candidates
            .iter()
            .map(|c| c.crop.region.width * c.crop.region.height * 3 / 2)
            .max()
            .unwrap();
        assert!(study.crops.len() <= (MOST_CANDIDATES as u64 + 5) * u64::from(largest));
        let open = study.candidates.iter().filter(|c| opening(&c.view.shape) > 0.1).count();
        assert!(open >= 20, "{open} of 20 open mouths kept");
        assert!(study.candidates.is_sorted_by_key(|candidate| candidate.source));
        for candidate in &study.candidates {
            study.crops.read(candidate.crop).unwrap();
        }
    }

    #[test]
    fn covered_and_outside_mouths_are_not_borrowed() {
        let folder = tempfile::tempdir().unwrap();
        let mut study = study(folder.path());
        let picture = frame(PixelFormat::YUV420P, 96, 96, 1);
        let mut covered = face(48.0, 30.0, 30.0, 0.1);
        covered.mouth_visible = 0.1;
        study.see(FrameIndex(0), &picture, &COLOUR, &covered).unwrap();
        study.see(FrameIndex(1), &picture, &COLOUR, &face(48.0, -400.0, 30.0, 0.1)).unwrap();
        study.finish().unwrap();
        assert!(study.candidates.is_empty());
        assert_eq!(study.rotations.len(), 2);
    }

    #[test]
    fn smoothing_takes_tremble_out_and_leaves_steady_motion() {
        let folder = tempfile::tempdir().unwrap();
        let mut study = study(folder.path());
        let picture = frame(PixelFormat::YUV420P, 96, 96, 1);
        for i in 0..9 {
            study
                .see(FrameIndex(i), &picture, &COLOUR, &face(30.0 + 2.0 * i as f32, 30.0, 30.0, 0.0))
                .unwrap();
        }
        study.finish().unwrap();
        let x: Vec<f32> = study.candidates.iter().map(|candidate| candidate.view.points[0].x).collect();
        assert_eq!(x.len(), 9);
        assert!(x.windows(2).all(|pair| (pair[1] - pair[0] - 2.0).abs() < 1e-3));
    }
}
