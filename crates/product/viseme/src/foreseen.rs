//! The frames of the first pass, read and searched for faces ahead of whoever follows them.

use crate::clip::{Clip, RangeReader};
use crossbeam_channel::Sender;
use viseme_core::{FrameIndex, Result, Warning};
use viseme_face::framing::AnalysisImage;
use viseme_face::{Detection, Foresight};
use viseme_imaging::Frame;

/// Most frames that wait: in the time of a search as many are followed.
pub(crate) const FRAMES_AHEAD: usize = 4;

/// A frame that waits for its turn.
#[derive(Debug)]
pub(crate) struct Foreseen {
    /// The number of the frame in the clip.
    pub(crate) number: FrameIndex,
    pub(crate) frame: Frame,
    /// What a search finds in it, where one is expected.
    pub(crate) detections: Option<Vec<Detection>>,
}

/// Sends the frames of `reader`, until they end or nobody takes them any more. Says what was wrong with the video.
///
/// # Errors
/// When the clip cannot be decoded.
pub(crate) fn look_ahead(
    clip: &dyn Clip,
    mut reader: RangeReader,
    foresight: &Foresight,
    frames: &Sender<Foreseen>,
) -> Result<Vec<Warning>> {
    let mut index = FrameIndex(0);
    while let Some((number, frame)) = reader.next_frame()? {
        let image = AnalysisImage { frame: &frame, colour: &clip.info().colour };
        let detections = foresight.detections(image, index);
        if frames.send(Foreseen { number, frame, detections }).is_err() {
            break;
        }
        index.0 += 1;
    }
    Ok(reader.warnings())
}
