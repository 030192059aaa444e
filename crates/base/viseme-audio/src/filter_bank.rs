//! Banks of triangular filters, evenly spaced on a scale of pitch as people hear it.

use realfft::FftNum;

/// A scale of pitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MelScale {
    /// 2595 log₁₀(1 + f/700): that of HTK and of `python_speech_features`.
    Htk,
    /// Linear up to 1000 Hz, logarithmic above: that of Slaney's Auditory Toolbox, the default of librosa.
    Slaney,
}

// Slaney's scale, as in librosa's `hz_to_mel`: hertz per mel below the break, the break, and 27 steps to 6.4 times it.
const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
const SLANEY_BREAK_HZ: f64 = 1000.0;
const SLANEY_BREAK_MEL: f64 = SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL;
const SLANEY_STEPS: f64 = 27.0;
const SLANEY_STEPS_RATIO: f64 = 6.4;

impl MelScale {
    /// The place of a frequency on the scale.
    #[must_use]
    pub fn mel(self, hz: f64) -> f64 {
        match self {
            Self::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
            Self::Slaney if hz < SLANEY_BREAK_HZ => hz / SLANEY_HZ_PER_MEL,
            Self::Slaney => {
                SLANEY_BREAK_MEL + (hz / SLANEY_BREAK_HZ).ln() * SLANEY_STEPS / SLANEY_STEPS_RATIO.ln()
            }
        }
    }

    /// The frequency at a place of the scale.
    #[must_use]
    pub fn hz(self, mel: f64) -> f64 {
        match self {
            Self::Htk => 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0),
            Self::Slaney if mel < SLANEY_BREAK_MEL => mel * SLANEY_HZ_PER_MEL,
            Self::Slaney => {
                let steps = (mel - SLANEY_BREAK_MEL) / SLANEY_STEPS;
                SLANEY_BREAK_HZ * (steps * SLANEY_STEPS_RATIO.ln()).exp()
            }
        }
    }

    /// The corners of `bands` triangles that each reach from the peak of the one below to that of the one above: `bands + 2`
    /// frequencies in Hz, evenly spaced on the scale from `low_hz` to `high_hz`.
    fn corners(self, bands: usize, (low_hz, high_hz): (f64, f64)) -> Vec<f64> {
        let (low, high) = (self.mel(low_hz), self.mel(high_hz));
        (0..bands + 2).map(|i| self.hz(low + (high - low) * i as f64 / (bands + 1) as f64)).collect()
    }
}

/// Triangular filters over the bins of a spectrum.
#[derive(Debug, Clone)]
pub struct FilterBank<T> {
    filters: Vec<Filter<T>>,
}

/// The bins that a filter covers and their weights.
#[derive(Debug, Clone)]
struct Filter<T> {
    first_bin: usize,
    weights: Vec<T>,
}

impl<T: FftNum> FilterBank<T> {
    /// Filters of peak 1 between two frequencies in Hz, for bins that are `bin_hz` apart.
    #[must_use]
    pub fn of_equal_height(scale: MelScale, bands: usize, range_hz: (f64, f64), bin_hz: f64) -> Self {
        Self::triangles(&scale.corners(bands, range_hz), bin_hz, |_| 1.0)
    }

    /// Filters of equal area (2 over their width in Hz at the peak) between two frequencies in Hz, for bins that are `bin_hz`
    /// apart: `librosa.filters.mel` with its default norm `slaney`.
    #[must_use]
    pub fn of_equal_area(scale: MelScale, bands: usize, range_hz: (f64, f64), bin_hz: f64) -> Self {
        Self::triangles(&scale.corners(bands, range_hz), bin_hz, |width_hz| 2.0 / width_hz)
    }

    /// Filters of peak 1 over all frequencies whose corners are moved to bins:
    /// `python_speech_features.get_filterbanks(bands, length, rate_hz)` for a transform over `length` samples.
    #[must_use]
    pub fn with_corners_on_bins(bands: usize, length: usize, rate_hz: f64) -> Self {
        let corners = MelScale::Htk.corners(bands, (0.0, rate_hz / 2.0));
        let bins: Vec<f64> = corners.iter().map(|hz| ((length + 1) as f64 * hz / rate_hz).floor()).collect();
        Self::triangles(&bins, 1.0, |_| 1.0)
    }

    fn triangles(corners: &[f64], bin_width: f64, peak: impl Fn(f64) -> f64) -> Self {
        let filter = |corners: &[f64]| {
            let (left, centre, right) = (corners[0], corners[1], corners[2]);
            let first_bin = (left / bin_width).ceil() as usize;
            let last_bin = (right / bin_width).floor() as usize;
            let weight = |bin: usize| {
                let f = bin as f64 * bin_width;
                let height = ((f - left) / (centre - left)).min((right - f) / (right - centre)).max(0.0);
                T::from_f64(height * peak(right - left)).unwrap_or_else(T::zero)
            };
            Filter { first_bin, weights: (first_bin..=last_bin).map(weight).collect() }
        };
        Self { filters: corners.windows(3).map(filter).collect() }
    }

    /// What each filter lets through of a spectrum, low to high.
    ///
    /// The spectrum reaches to the highest frequency of the filters.
    pub fn apply(&self, spectrum: &[T]) -> impl Iterator<Item = T> {
        self.filters.iter().map(|Filter { first_bin, weights }| {
            let bins = spectrum[*first_bin..].iter().zip(weights);
            bins.fold(T::zero(), |sum, (&bin, &weight)| sum + bin * weight)
        })
    }

    /// The weight of a bin in a band.
    #[must_use]
    pub fn weight(&self, band: usize, bin: usize) -> T {
        let Filter { first_bin, weights } = &self.filters[band];
        let inside = bin.checked_sub(*first_bin).and_then(|i| weights.get(i));
        inside.copied().unwrap_or_else(T::zero)
    }
}
