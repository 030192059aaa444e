//! Resampling, spectra, mel features, voice activity and loudness.
