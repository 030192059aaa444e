//! From measures to the three scores, each from 0 to 1.
//!
//! A score is the product of factors, each 1 where nothing is wrong. The points of the curves were set on real clips and
//! on copies of them with one fault each: `docs/SCORE.md` has the figures.

use super::curve::Curve;
use super::face_meter::FaceMeasures;
use super::picture::PictureMeasures;
use super::sound::SoundMeasures;
use super::sync_correlation::SyncCorrelation;

/// Correlation at a lag that nobody notices.
const SYNC: Curve = Curve(&[(0.1, 0.0), (0.25, 0.45), (0.4, 0.8), (0.5, 0.9), (0.7, 1.0)]);
/// That correlation over the one at the best lag: lips that fit the speech better at another time are late or early.
const IN_TIME: Curve = Curve(&[(0.5, 0.3), (0.8, 0.65), (0.95, 0.95), (1.0, 1.0)]);

/// Decibels of the voice over the pauses.
const NOISE: Curve = Curve(&[(0.0, 0.2), (10.0, 0.5), (20.0, 0.85), (30.0, 1.0)]);
/// Share of the loud samples near the peak.
const CLIPPING: Curve = Curve(&[(0.005, 1.0), (0.02, 0.85), (0.1, 0.4)]);
/// LUFS.
const LOUDNESS: Curve = Curve(&[(-50.0, 0.3), (-35.0, 0.9), (-30.0, 1.0), (-8.0, 1.0), (-3.0, 0.8)]);
/// Hz.
const BANDWIDTH: Curve = Curve(&[(2_000.0, 0.4), (3_400.0, 0.7), (7_000.0, 0.95), (8_000.0, 1.0)]);

/// Blur of a face or a picture.
const SHARPNESS: Curve = Curve(&[(0.45, 1.0), (0.55, 0.93), (0.6, 0.86), (0.65, 0.7), (0.78, 0.25)]);
/// Blur of the mouth less that of the rest of the face.
const MOUTH_SHARPNESS: Curve = Curve(&[(0.05, 1.0), (0.1, 0.8), (0.15, 0.6), (0.25, 0.3)]);
/// Steps of 255.
const SEAM: Curve = Curve(&[(2.0, 1.0), (3.0, 0.8), (6.0, 0.4)]);
/// Percent of the distance between the eyes.
const JITTER: Curve = Curve(&[(2.6, 1.0), (3.5, 0.8), (6.0, 0.4)]);
/// Share of the steps elsewhere. Cameras that store MPEG have up to 0.4.
const BLOCKINESS: Curve = Curve(&[(0.4, 1.0), (1.0, 0.8), (3.0, 0.45)]);
/// Of 255.
const BRIGHTNESS: Curve = Curve(&[(15.0, 0.3), (35.0, 0.7), (60.0, 1.0), (200.0, 1.0), (235.0, 0.4)]);
/// Pixels across the face.
const FACE_WIDTH: Curve = Curve(&[(24.0, 0.4), (64.0, 0.85), (96.0, 1.0)]);

/// How well a mouth follows the speech.
#[must_use]
pub fn sync_score(sync: &SyncCorrelation) -> f64 {
    SYNC.at(sync.correlation_near) * IN_TIME.at(sync.correlation_near / sync.correlation_best)
}

/// How well the speech can be heard. None for a sound without voice.
#[must_use]
pub fn audio_quality(sound: &SoundMeasures) -> Option<f64> {
    Some(
        NOISE.at(sound.signal_to_noise_db?)
            // A sound too quiet to tell has nothing cut off that could be heard.
            * sound.share_near_peak.map_or(1.0, |share| CLIPPING.at(share))
            * LOUDNESS.at(sound.loudness_lufs?)
            * BANDWIDTH.at(sound.bandwidth_hz?),
    )
}

/// How good a face looks. None where it was too small to be looked at.
#[must_use]
pub fn face_quality(face: &FaceMeasures) -> Option<f64> {
    let (blur, mouth_blur) = (face.blur?, face.mouth_blur?);
    Some(
        SHARPNESS.at(blur.min(mouth_blur))
            * MOUTH_SHARPNESS.at(mouth_blur - blur)
            * SEAM.at(face.seam_step?)
            * face.jitter_percent.map_or(1.0, |jitter| JITTER.at(jitter))
            * FACE_WIDTH.at(face.width_px),
    )
}

/// How good the picture looks. `faces` is [`face_quality`] over the faces, None without one: then the sharpness of the
/// whole picture counts.
#[must_use]
pub fn video_quality(picture: &PictureMeasures, faces: Option<f64>) -> f64 {
    let light = BRIGHTNESS.at(picture.brightness);
    let sharp = faces.unwrap_or_else(|| SHARPNESS.at(picture.blur.unwrap_or(1.0)));
    sharp * BLOCKINESS.at(picture.blockiness) * light
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any number, the odd ones too.
    fn any() -> impl Strategy<Value = f64> {
        prop_oneof![
            -100.0..100.0_f64,
            -1e6..1e6_f64,
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY)
        ]
    }

    proptest! {
        #[test]
        fn scores_lie_between_0_and_1_whatever_was_measured(m in prop::array::uniform6(any())) {
            let sync = SyncCorrelation {
                correlation: m[0], correlation_near: m[1], correlation_best: m[2], lag_ms: m[3],
            };
            let sound = SoundMeasures {
                duration_s: m[0], voiced_s: m[1], loudness_lufs: Some(m[2]), signal_to_noise_db: Some(m[3]),
                share_near_peak: Some(m[4]), bandwidth_hz: Some(m[5]),
            };
            let face = FaceMeasures {
                width_px: m[0], blur: Some(m[1]), mouth_blur: Some(m[2]), seam_step: Some(m[3]),
                jitter_percent: Some(m[4]),
            };
            let picture =
                PictureMeasures { blur: Some(m[1]), blockiness: m[2], brightness: m[3], extreme_share: m[4] };
            let faces = face_quality(&face);
            let all = [Some(sync_score(&sync)), audio_quality(&sound), faces];
            let pictures = [Some(video_quality(&picture, faces)), Some(video_quality(&picture, None))];
            for score in all.into_iter().chain(pictures) {
                prop_assert!((0.0..=1.0).contains(&score.unwrap()));
            }
        }
    }

    #[test]
    fn what_was_not_measured_has_no_score() {
        assert_eq!(face_quality(&FaceMeasures::default()), None);
        let silence = SoundMeasures {
            duration_s: 1.0,
            voiced_s: 0.0,
            loudness_lufs: None,
            signal_to_noise_db: None,
            share_near_peak: None,
            bandwidth_hz: None,
        };
        assert_eq!(audio_quality(&silence), None);
    }
}
