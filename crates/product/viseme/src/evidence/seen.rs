//! What a witness has seen of some frames.

use super::{CurvePoint, FramePair};
use serde::{Deserialize, Serialize};

/// What was kept of frames that follow each other. Can be put aside, and joined with that of the frames after.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Faces before and after.
    pub(super) pairs: Vec<FramePair>,
    /// The mouths that are watched, in the order of the witness, each at its moments. Fewer where none was seen of the rest.
    pub(super) mouths: Vec<Vec<CurvePoint>>,
}

impl Seen {
    /// Adds what was seen of the frames after.
    pub(crate) fn append(&mut self, after: Self) {
        self.pairs.extend(after.pairs);
        for (nth, points) in after.mouths.into_iter().enumerate() {
            self.mouth(nth).extend(points);
        }
    }

    /// The moments of the `nth` mouth.
    pub(super) fn mouth(&mut self, nth: usize) -> &mut Vec<CurvePoint> {
        if self.mouths.len() <= nth {
            self.mouths.resize(nth + 1, Vec::new());
        }
        &mut self.mouths[nth]
    }
}
