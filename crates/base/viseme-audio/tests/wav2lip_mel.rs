//! The mel spectrogram of Wav2Lip and its parts against librosa: `vectors/wav2lip_mel`.

use proptest::prelude::*;
use viseme_audio::filter_bank::FilterBank;
use viseme_audio::frames::{CentredFramer, PreEmphasis};
use viseme_audio::stft::{Stft, periodic_hann};
use viseme_audio::{MelColumn, Padding, Resampler, Wav2LipMel, wav2lip_mel};
use viseme_testing::compare::max_error;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "wav2lip_mel";

fn samples(vectors: &Vectors) -> Vec<f32> {
    let samples: Array<i16> = vectors.npy("samples_i16.npy");
    samples.values.iter().map(|&sample| f32::from(sample) / 32_768.0).collect()
}

fn columns_of<'a>(padding: Padding, pieces: impl IntoIterator<Item = &'a [f32]>) -> Vec<MelColumn> {
    let (mut mel, mut columns) = (Wav2LipMel::new(padding), Vec::new());
    pieces.into_iter().for_each(|piece| mel.push(piece, &mut columns));
    mel.finish(&mut columns);
    columns
}

/// The largest difference to a spectrogram of numpy, whose rows are bands.
fn difference(columns: &[MelColumn], expected: &Array<f32>) -> f64 {
    assert_eq!(expected.shape, [wav2lip_mel::BANDS, columns.len()]);
    let rows = (0..wav2lip_mel::BANDS).flat_map(|band| columns.iter().map(move |column| column[band]));
    max_error(&rows.collect::<Vec<f32>>(), &expected.values)
}

#[test]
fn both_paddings_are_those_of_librosa() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let samples = samples(&vectors);
    for (padding, file) in [(Padding::Reflect, "mel_reflect.npy"), (Padding::Zeros, "mel_constant.npy")] {
        let largest = difference(&columns_of(padding, [&samples[..]]), &vectors.npy(file));
        // The README grants 1e-3 to a computation in single precision; this one is in double.
        assert!(largest < 1e-5, "{file}: {largest:e}");
    }
}

#[test]
fn silence_is_the_lowest_level() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let columns = columns_of(Padding::Reflect, [&vec![0.0; 8000][..]]);
    let largest = difference(&columns, &vectors.npy("mel_silence_8000.npy"));
    assert!(largest == 0.0, "{largest:e}");
}

#[test]
fn the_recording_is_the_samples() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let samples: Array<i16> = vectors.npy("samples_i16.npy");
    assert_eq!(vectors.wav("eng_3s_16k.wav"), (16_000, samples.values));
}

#[test]
fn every_step_is_that_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let mut emphasis = PreEmphasis::new(0.97);
    let emphasised: Vec<f64> =
        samples(&vectors).iter().map(|&sample| emphasis.filter(f64::from(sample))).collect();
    let expected: Array<f64> = vectors.npy("preemph_first1600_f64.npy");
    let largest = max_error(&emphasised[..1600], &expected.values);
    assert!(largest < 1e-15, "pre-emphasis: {largest:e}");

    let window: Array<f64> = vectors.npy("hann800_periodic.npy");
    let largest = max_error(&periodic_hann(800), &window.values);
    assert!(largest < 1e-14, "window: {largest:e}");

    let expected: Array<f64> = vectors.npy("stft_mag_reflect_frames0_20.npy");
    let mut stft = Stft::new(periodic_hann(800), 800);
    let mut framer = CentredFramer::new(800, 200, Padding::Reflect);
    let mut frames: Vec<Vec<f64>> = Vec::new();
    for &sample in &emphasised[..6_000] {
        framer
            .push(sample, |frame| frames.push(stft.power(frame).iter().map(|power| power.sqrt()).collect()));
    }
    assert_eq!(expected.shape, [401, 20]);
    let magnitudes = (0..401).flat_map(|bin| frames[..20].iter().map(move |frame| frame[bin]));
    let largest = max_error(&magnitudes.collect::<Vec<f64>>(), &expected.values);
    assert!(largest < 1e-12, "magnitudes: {largest:e}");

    let expected: Array<f32> = vectors.npy("mel_basis_80x401.npy");
    let bank: FilterBank<f64> = wav2lip_mel::filters();
    let places = (0..80).flat_map(|band| (0..401).map(move |bin| (band, bin)));
    let weights: Vec<f64> = places.map(|(band, bin)| bank.weight(band, bin)).collect();
    let largest = max_error(&weights, &expected.values);
    assert!(largest < 1e-8, "filters: {largest:e}");
}

/// Energy below 7 kHz of a sound of 16 kHz.
fn energy(sound: &[f32]) -> f64 {
    let sound: Vec<f64> = sound.iter().map(|&sample| f64::from(sample)).collect();
    Stft::new(vec![1.0; sound.len()], sound.len()).power(&sound)[..sound.len() * 7 / 16].iter().sum()
}

#[test]
fn resampling_is_that_of_soxr_below_7_khz() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let (rate_hz, sound) = vectors.wav("sun_2s_44k1.wav");
    let sound: Vec<f32> = sound.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    let mut output = Vec::new();
    let mut resampler = Resampler::new(rate_hz, 16_000).unwrap();
    resampler.push(&sound, &mut output).unwrap();
    resampler.finish(&mut output).unwrap();
    let expected: Array<f32> = vectors.npy("sun_2s_resampled_16k_soxrhq_f32.npy");
    assert_eq!(output.len(), expected.values.len());
    let error: Vec<f32> = output.iter().zip(&expected.values).map(|(a, b)| a - b).collect();
    let decibels = 10.0 * (energy(&expected.values) / energy(&error)).log10();
    assert!(decibels > 60.0, "{decibels} dB");
}

proptest! {
    #[test]
    fn pieces_do_not_matter(count in 0_usize..3000, cuts in prop::collection::vec(0_usize..3000, 0..12)) {
        let sound: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() * (i as f32 * 0.011).cos()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(count)).collect();
        cuts.sort_unstable();
        cuts.push(count);
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let pieces: Vec<&[f32]> = starts.zip(&cuts).map(|(start, &end)| &sound[start..end]).collect();
        for padding in [Padding::Reflect, Padding::Zeros] {
            let columns = columns_of(padding, pieces.iter().copied());
            prop_assert_eq!(columns.len(), if count == 0 { 0 } else { 1 + count / 200 });
            prop_assert_eq!(columns, columns_of(padding, [&sound[..]]));
        }
    }
}
