//! What a sound is like: its length, voice, loudness, noise, cut peaks and bandwidth.

use super::noise::signal_to_noise_db;
use serde::Serialize;
use viseme_audio::mel::{FRAMES_PER_SECOND, HOP, SAMPLE_RATE_HZ};
use viseme_audio::{BandwidthMeter, ClippingMeter, LogMel, LoudnessMeter, MelFrame, Resampler, detect_voice};
use viseme_core::Result;

/// The share of each sample's neighbour that is taken out before its power counts: a high-pass at about 60 Hz, so that
/// an offset or a rumble that nobody hears is no noise.
const HIGH_PASS: f64 = 0.977;

/// What a sound is like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SoundMeasures {
    /// Length in seconds.
    pub duration_s: f64,
    /// How much of it is voice, in seconds.
    pub voiced_s: f64,
    /// Integrated loudness after EBU R 128, in LUFS. None where all is below −70.
    pub loudness_lufs: Option<f64>,
    /// The voice over the pauses, in decibels, at most 80. None without voice.
    pub signal_to_noise_db: Option<f64>,
    /// Of the samples that are not quiet, the share within a tenth of the peak. None for silence.
    pub share_near_peak: Option<f64>,
    /// The highest frequency that is there, in Hz. None for silence.
    pub bandwidth_hz: Option<f64>,
}

/// Measures a mono sound that comes in pieces. It keeps 17 kB for each second.
#[derive(Debug)]
pub struct SoundMeter {
    rate_hz: u32,
    samples: u64,
    loudness: LoudnessMeter,
    clipping: ClippingMeter,
    bandwidth: BandwidthMeter,
    resampler: Resampler,
    resampled: Vec<f32>,
    speech: SpeechTrace,
}

impl SoundMeter {
    /// Starts a sound of a sample rate in Hz.
    ///
    /// # Errors
    /// When the rate is zero.
    pub fn new(rate_hz: u32) -> Result<Self> {
        Ok(Self {
            rate_hz,
            samples: 0,
            loudness: LoudnessMeter::new(rate_hz),
            clipping: ClippingMeter::new(),
            bandwidth: BandwidthMeter::new(rate_hz),
            resampler: Resampler::new(rate_hz, SAMPLE_RATE_HZ)?,
            resampled: Vec::new(),
            speech: SpeechTrace::default(),
        })
    }

    /// Takes the next samples, full scale −1 to 1.
    ///
    /// # Errors
    /// When they cannot be resampled: a fault of ours.
    pub fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.samples += samples.len() as u64;
        self.loudness.push(samples);
        self.clipping.push(samples);
        self.bandwidth.push(samples);
        self.resampler.push(samples, &mut self.resampled)?;
        self.speech.push(&self.resampled);
        self.resampled.clear();
        Ok(())
    }

    /// Ends the sound. Also gives its log-mel frames, which the speech net takes.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(mut self) -> Result<(SoundMeasures, Vec<MelFrame>)> {
        self.resampler.finish(&mut self.resampled)?;
        self.speech.push(&self.resampled);
        let (frames, powers) = self.speech.finish();
        let voice = detect_voice(&frames);
        let measures = SoundMeasures {
            duration_s: self.samples as f64 / f64::from(self.rate_hz),
            voiced_s: voice.iter().filter(|&&voice| voice).count() as f64 / FRAMES_PER_SECOND,
            loudness_lufs: self.loudness.integrated_lufs(),
            signal_to_noise_db: signal_to_noise_db(&powers, &voice),
            share_near_peak: self.clipping.share_near_peak(),
            bandwidth_hz: self.bandwidth.bandwidth_hz(),
        };
        Ok((measures, frames))
    }
}

/// The sound at 16 kHz: its log-mel frames and the power of each 10 ms.
#[derive(Debug, Default)]
struct SpeechTrace {
    log_mel: LogMel,
    frames: Vec<MelFrame>,
    powers: Vec<f32>,
    sum: f64,
    count: usize,
    last: f64,
    high_passed: f64,
}

impl SpeechTrace {
    fn push(&mut self, samples: &[f32]) {
        self.log_mel.push(samples, &mut self.frames);
        for &sample in samples {
            let sample = f64::from(sample);
            self.high_passed = sample - self.last + HIGH_PASS * self.high_passed;
            self.last = sample;
            self.sum += self.high_passed * self.high_passed;
            self.count += 1;
            if self.count == HOP {
                self.powers.push((self.sum / HOP as f64) as f32);
                (self.sum, self.count) = (0.0, 0);
            }
        }
    }

    fn finish(mut self) -> (Vec<MelFrame>, Vec<f32>) {
        self.log_mel.finish(&mut self.frames);
        (self.frames, self.powers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// Two seconds: silence, a buzz that rises and falls like syllables, silence; `noise` is added to all of it.
    fn measures(rate_hz: u32, noise: f32) -> SoundMeasures {
        let mut state = 9_u32;
        let sound: Vec<f32> = (0..2 * rate_hz)
            .map(|i| {
                let t = i as f32 / rate_hz as f32;
                let syllables = if (0.5..1.5).contains(&t) { (TAU * 4.0 * t).sin().max(0.0) } else { 0.0 };
                let buzz: f32 = (1..12).map(|k| (TAU * 150.0 * k as f32 * t).sin() / k as f32).sum();
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                0.2 * syllables * buzz + noise * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
            })
            .collect();
        let mut meter = SoundMeter::new(rate_hz).unwrap();
        sound.chunks(1000).for_each(|part| meter.push(part).unwrap());
        meter.finish().unwrap().0
    }

    #[test]
    fn noise_is_heard_in_the_pauses_at_every_rate() {
        for rate in [16_000, 44_100] {
            let (clean, noisy) = (measures(rate, 1e-4), measures(rate, 1e-2));
            let [clean_db, noisy_db] = [clean, noisy].map(|m| m.signal_to_noise_db.unwrap());
            assert!(clean_db > noisy_db + 25.0, "{rate}: {clean_db} and {noisy_db}");
            assert!((clean.duration_s - 2.0).abs() < 1e-9 && clean.voiced_s > 0.3 && clean.voiced_s < 1.4);
        }
    }

    #[test]
    fn silence_and_nothing_are_measured_as_such() {
        for samples in [vec![], vec![0.0; 32_000]] {
            let mut meter = SoundMeter::new(16_000).unwrap();
            meter.push(&samples).unwrap();
            let (sound, _) = meter.finish().unwrap();
            assert!(sound.voiced_s < 1e-9 && sound.loudness_lufs.is_none() && sound.bandwidth_hz.is_none());
            assert!(sound.signal_to_noise_db.is_none() && sound.share_near_peak.is_none());
        }
        assert!(SoundMeter::new(0).is_err());
    }
}
