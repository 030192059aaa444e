//! Searches for new faces before their turn comes.

use crate::detect::{Detection, FaceDetector};
use crate::framing::AnalysisImage;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::FrameIndex;

/// At which frames a [`Tracker`](crate::Tracker) will search, as far as it knows, for a thread that sees the frames before it does.
///
/// What a search finds depends on the frame alone, so it may be done ahead on another core. Where the tracker comes to
/// search at another frame, because a face was lost or a shot ended, that was in vain and it searches by itself: what it
/// finds in the end is the same.
#[derive(Debug, Clone)]
pub struct Foresight {
    detector: Arc<dyn FaceDetector>,
    expected: Arc<Mutex<Expected>>,
}

/// The next search, and the frames from it to the one after.
#[derive(Debug, Clone, Copy)]
struct Expected {
    next: FrameIndex,
    every: u32,
}

impl Foresight {
    /// A search at the first frame, which there always is.
    pub(crate) fn new(detector: Arc<dyn FaceDetector>, every: u32) -> Self {
        Self { detector, expected: Arc::new(Mutex::new(Expected { next: FrameIndex(0), every })) }
    }

    /// Says when the next search will be, and how many frames it is from there to the one after.
    pub(crate) fn expect(&self, next: FrameIndex, every: u32) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = Expected { next, every };
    }

    /// What the detector finds in frame `index`, if the tracker is expected to search it. `None`, too, when the detector fails:
    /// the tracker will meet the failure if it comes to search.
    #[must_use]
    pub fn detections(&self, image: AnalysisImage<'_>, index: FrameIndex) -> Option<Vec<Detection>> {
        let Expected { next, every } = *self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let is_expected =
            index.0.checked_sub(next.0).is_some_and(|later| later.is_multiple_of(u64::from(every.max(1))));
        if is_expected { self.detector.detect(image).ok() } else { None }
    }
}
