//! How far the voice is above what is heard in its pauses.

/// Blocks this close to voice are not taken for noise: words begin and end softly.
const MARGIN: usize = 5;

/// Fewer blocks than this are no pause to listen in …
const LEAST_PAUSE: usize = 20;

/// … then this share of all blocks is taken for noise, the quietest.
const QUIETEST: f64 = 0.02;

/// Digital silence in the pauses: more is not told apart.
const MOST_DB: f64 = 80.0;

/// The mean power of the voice over the median power of the pauses, in decibels, at most 80.
///
/// `powers` are those of blocks of one length, `voice` says in which of them there is voice. None without voice.
#[must_use]
pub fn signal_to_noise_db(powers: &[f32], voice: &[bool]) -> Option<f64> {
    let blocks = powers.len().min(voice.len());
    let voiced: Vec<f64> = (0..blocks).filter(|&i| voice[i]).map(|i| f64::from(powers[i])).collect();
    let signal = voiced.iter().sum::<f64>() / voiced.len() as f64;
    if voiced.is_empty() || signal <= 0.0 {
        return None;
    }
    let is_pause =
        |i: &usize| !voice[i.saturating_sub(MARGIN)..(i + MARGIN + 1).min(blocks)].iter().any(|&voice| voice);
    let mut pauses: Vec<f32> = (0..blocks).filter(is_pause).map(|i| powers[i]).collect();
    let share = if pauses.len() < LEAST_PAUSE {
        pauses = powers[..blocks].to_vec();
        QUIETEST
    } else {
        0.5
    };
    pauses.sort_unstable_by(f32::total_cmp);
    let noise = f64::from(*pauses.get((pauses.len() as f64 * share) as usize)?);
    Some((10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10()).min(MOST_DB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_compared_with_voice() {
        let voice: Vec<bool> = (0..200).map(|i| (50..150).contains(&i)).collect();
        let powers: Vec<f32> = voice.iter().map(|&voice| if voice { 1e-2 } else { 1e-5 }).collect();
        assert!((signal_to_noise_db(&powers, &voice).unwrap() - 30.0).abs() < 1e-4);
        assert_eq!(signal_to_noise_db(&[0.0; 200].map(|_: f32| 0.5), &[false; 200]), None);
        let without_pause = signal_to_noise_db(&powers[40..110], &voice[50..120]).unwrap();
        assert!((without_pause - 29.3).abs() < 0.5, "{without_pause}");
        let gated: Vec<f32> = voice.iter().map(|&voice| if voice { 1e-2 } else { 0.0 }).collect();
        assert!((signal_to_noise_db(&gated, &voice).unwrap() - MOST_DB).abs() < 1e-9);
    }
}
