//! How far lips and sound of a job's own result are apart: measured at the frames on their way to the encoder, mended before
//! picture and sound are joined.

use super::{LEAST_CORRELATION, moved_ms};
use crate::evidence::Evidence;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use viseme_core::{Error, Result};

/// What is done about lips and sound of a result that are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffsetMode {
    /// Nothing. It is measured all the same where there is to be a page for people.
    #[default]
    Leave,
    /// It is measured and reported.
    Measure,
    /// The sound is moved to where the lips are.
    Correct,
}

impl FromStr for OffsetMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "leave" => Ok(Self::Leave),
            "measure" => Ok(Self::Measure),
            "correct" => Ok(Self::Correct),
            _ => Err(Error::invalid_input(format!("'{text}' is nothing to do about an offset"))
                .with_hint("It can be leave, measure or correct.")),
        }
    }
}

/// How far lips and sound of a result are apart, by our own measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultOffset {
    /// Above 0 the lips that were made are late, below 0 early. In milliseconds.
    pub offset_ms: f64,
    /// The correlation of lips and speech at that offset, −1 to 1.
    pub correlation: f64,
    /// Whose lips: those that follow the speech best.
    pub character_id: String,
    /// By how much the sound was moved to later for it, in milliseconds. 0 where it was not asked for, or is not worth it.
    pub sound_moved_ms: f64,
}

/// The offset of the mouth that follows its speech best. None where none was measured or follows it well enough to tell.
pub(crate) fn result_offset(mode: OffsetMode, evidence: &Evidence) -> Option<ResultOffset> {
    let follows = evidence.curves.iter().filter_map(|curve| Some((curve, curve.made?)));
    let (curve, made) = follows.max_by(|(_, a), (_, b)| a.correlation_best.total_cmp(&b.correlation_best))?;
    (made.correlation_best >= LEAST_CORRELATION).then(|| ResultOffset {
        offset_ms: made.lag_ms,
        correlation: made.correlation_best,
        character_id: curve.name.clone(),
        sound_moved_ms: if mode == OffsetMode::Correct { moved_ms(made.lag_ms) } else { 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::SyncCurve;
    use viseme_engines::metrics::sync_correlation::SyncCorrelation;

    fn curve(name: &str, correlation_best: f64, lag_ms: f64) -> SyncCurve {
        let made = SyncCorrelation { correlation: 0.0, correlation_near: 0.0, correlation_best, lag_ms };
        SyncCurve {
            name: name.to_owned(),
            points: Vec::new(),
            is_part: false,
            made: Some(made),
            source: None,
        }
    }

    fn offset(mode: OffsetMode, curves: Vec<SyncCurve>) -> Option<ResultOffset> {
        result_offset(mode, &Evidence { curves, ..Evidence::default() })
    }

    #[test]
    fn the_mouth_that_follows_best_says_where_the_sound_belongs() {
        let curves = || vec![curve("bob", 0.3, 200.0), curve("alice", 0.7, -80.0)];
        let found = offset(OffsetMode::Correct, curves()).unwrap();
        assert_eq!((found.character_id.as_str(), found.sound_moved_ms), ("alice", -80.0));
        let is_left = |mode, curves| offset(mode, curves).unwrap().sound_moved_ms.abs() < f64::EPSILON;
        assert!(is_left(OffsetMode::Measure, curves()), "nobody asked");
        assert!(is_left(OffsetMode::Correct, vec![curve("a", 0.7, 15.0)]), "nobody sees it");
        assert_eq!(offset(OffsetMode::Correct, vec![curve("a", 0.2, 100.0)]), None);
        assert_eq!(offset(OffsetMode::Correct, Vec::new()), None);
    }
}
