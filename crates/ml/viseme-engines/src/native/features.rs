//! What the speech net wants of a sound: its log-mel frames with the level and the colour of the recording taken out.

use viseme_audio::mel::{BANDS, MelFrame};

/// Frames whose mean log power is below this are digital silence (−13.8) and never count as sound.
const SILENCE_LEVEL: f32 = -12.5;
/// Loud speech: this percentile of the levels of all audible frames.
const PEAK_SHARE: f32 = 0.98;
/// Nepers of power (15 dB) below the peak that still count as speech.
const SPEECH_RANGE: f32 = 3.5;
/// How much of a band's own mean is taken out; the rest of what is taken out is the overall level.
const CHANNEL_WEIGHT: f32 = 0.7;
/// Normalised features are divided by this and clamped to the range.
const SCALE: f32 = 2.5;
pub(super) const RANGE: (f32, f32) = (-4.0, 3.0);

/// The mean log power of a frame.
pub(super) fn level(frame: &MelFrame) -> f32 {
    frame.iter().sum::<f32>() / BANDS as f32
}

/// The value below which `share` (0 to 1) of `sorted` lies, interpolated linearly.
pub(super) fn quantile(sorted: &[f32], share: f32) -> f32 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let position = share.clamp(0.0, 1.0) * last as f32;
    let index = (position as usize).min(last);
    let above = sorted[(index + 1).min(last)];
    sorted[index] + (above - sorted[index]) * (position - index as f32)
}

/// The level of loud speech; none when nothing is audible.
pub(super) fn peak_level(levels: &[f32]) -> Option<f32> {
    let mut audible: Vec<f32> = levels.iter().copied().filter(|&level| level > SILENCE_LEVEL).collect();
    audible.sort_by(f32::total_cmp);
    (!audible.is_empty()).then(|| quantile(&audible, PEAK_SHARE))
}

/// What a recording adds to every frame: its level and the colour of microphone and room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    centre: MelFrame,
}

impl Channel {
    /// Measures the speech frames of a whole sound; `levels` are those of `frames`.
    pub(super) fn measure(frames: &[MelFrame], levels: &[f32], peak: f32) -> Self {
        let mut sum = [0.0_f64; BANDS];
        let mut count = 0_u64;
        for (frame, _) in frames.iter().zip(levels).filter(|&(_, &level)| level >= peak - SPEECH_RANGE) {
            sum.iter_mut().zip(frame).for_each(|(sum, &value)| *sum += f64::from(value));
            count += 1;
        }
        let mean = sum.map(|sum| (sum / count.max(1) as f64) as f32);
        let overall = level(&mean);
        Self { centre: mean.map(|band| CHANNEL_WEIGHT * band + (1.0 - CHANNEL_WEIGHT) * overall) }
    }

    /// The frame as the net wants it.
    pub(super) fn normalise(&self, frame: &MelFrame) -> MelFrame {
        std::array::from_fn(|band| ((frame[band] - self.centre[band]) / SCALE).clamp(RANGE.0, RANGE.1))
    }
}
