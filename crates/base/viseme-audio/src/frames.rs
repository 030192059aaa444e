//! Cutting a sound that comes sample by sample into overlapping frames, in memory of one frame.

/// How a sound goes on beyond its ends, for frames that reach over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Mirrored, the outermost sample not repeated: numpy's `reflect`, the default of librosa before 0.10.
    Reflect,
    /// Silent: the default of librosa from 0.10 on.
    Zeros,
}

/// A filter that weakens low frequencies: each sample less a share of the one before it, the first unchanged.
#[derive(Debug, Clone)]
pub struct PreEmphasis<T> {
    share: T,
    before: T,
}

impl<T: realfft::FftNum> PreEmphasis<T> {
    /// A filter that takes away this share of the sample before.
    #[must_use]
    pub fn new(share: T) -> Self {
        Self { share, before: T::zero() }
    }

    /// The next sample of the output.
    #[must_use]
    pub fn filter(&mut self, sample: T) -> T {
        sample - self.share * std::mem::replace(&mut self.before, sample)
    }
}

/// Cuts samples into frames of a length, one every `hop` samples, the first at the first sample.
#[derive(Debug, Clone)]
pub struct Framer<T> {
    length: usize,
    hop: usize,
    pending: Vec<T>,
}

impl<T: Copy> Framer<T> {
    /// Frames of `length` samples, `hop` samples (at least one, at most `length`) from one to the next.
    #[must_use]
    pub fn new(length: usize, hop: usize) -> Self {
        Self { length, hop: hop.clamp(1, length), pending: Vec::with_capacity(length) }
    }

    /// Takes the next sample and hands the frame that it completes to `each`.
    pub fn push(&mut self, sample: T, each: impl FnOnce(&[T])) {
        self.pending.push(sample);
        if self.pending.len() == self.length {
            each(&self.pending);
            self.pending.drain(..self.hop);
        }
    }

    /// The samples from the start of the next frame on.
    #[must_use]
    pub fn pending(&self) -> &[T] {
        &self.pending
    }
}

/// Cuts samples into frames that are centred on every `hop`-th sample: frame k on sample `k * hop`. `n` samples make
/// `1 + n / hop` frames, none if `n` is 0.
///
/// The frames at the ends reach over them: see [`Padding`].
#[derive(Debug, Clone)]
pub struct CentredFramer<T> {
    framer: Framer<T>,
    padding: Padding,
    /// The first samples, until there are enough of them to mirror; then none.
    head: Option<Vec<T>>,
}

impl<T: realfft::FftNum> CentredFramer<T> {
    /// Frames of `length` samples (even), `hop` samples (less than half of it) from one to the next.
    #[must_use]
    pub fn new(length: usize, hop: usize, padding: Padding) -> Self {
        debug_assert!(
            length.is_multiple_of(2) && hop < length / 2,
            "the end is mirrored from what is pending"
        );
        Self { framer: Framer::new(length, hop), padding, head: Some(Vec::new()) }
    }

    /// Takes the next sample and hands every frame that it completes to `each`.
    pub fn push(&mut self, sample: T, mut each: impl FnMut(&[T])) {
        let Some(head) = &mut self.head else {
            self.framer.push(sample, each);
            return;
        };
        head.push(sample);
        if head.len() > self.framer.length / 2 {
            self.release_head(&mut each);
        }
    }

    /// Ends the sound and hands its last frames to `each`.
    pub fn finish(mut self, mut each: impl FnMut(&[T])) {
        let end = self.head.clone().unwrap_or_else(|| self.framer.pending().to_vec());
        if end.is_empty() {
            return;
        }
        if self.head.is_some() {
            self.release_head(&mut each);
        }
        for k in 1..=self.framer.length / 2 {
            self.framer.push(self.padding.beyond(&end, k), &mut each);
        }
    }

    /// Passes on what comes before the sound, and its first samples.
    fn release_head(&mut self, each: &mut impl FnMut(&[T])) {
        let head = self.head.take().unwrap_or_default();
        let backwards: Vec<T> = head.iter().rev().copied().collect();
        for k in (1..=self.framer.length / 2).rev() {
            self.framer.push(self.padding.beyond(&backwards, k), &mut *each);
        }
        for &sample in &head {
            self.framer.push(sample, &mut *each);
        }
    }
}

impl Padding {
    /// The `k`-th sample after the last one. A short sound is mirrored again and again.
    fn beyond<T: realfft::FftNum>(self, samples: &[T], k: usize) -> T {
        let last = samples.len() - 1;
        match self {
            Self::Zeros => T::zero(),
            Self::Reflect if last == 0 => samples[0],
            Self::Reflect => {
                let folded = (last + k) % (2 * last);
                samples[folded.min(2 * last - folded)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: usize, padding: Padding) -> Vec<Vec<f64>> {
        let mut framer = CentredFramer::new(6, 2, padding);
        let mut frames = Vec::new();
        for i in 1..=count {
            framer.push(i as f64, |frame| frames.push(frame.to_vec()));
        }
        framer.finish(|frame| frames.push(frame.to_vec()));
        frames
    }

    #[test]
    fn a_mirrored_sound_is_that_of_numpy() {
        // np.pad(np.arange(1, n + 1), 3, mode="reflect")
        assert_eq!(frames(1, Padding::Reflect), [[1.0; 6]]);
        let two = [2.0, 1.0, 2.0, 1.0, 2.0, 1.0];
        assert_eq!(frames(2, Padding::Reflect), [two, two]);
        let eight = frames(8, Padding::Reflect);
        assert_eq!(eight.len(), 5);
        assert_eq!(eight[0], [4.0, 3.0, 2.0, 1.0, 2.0, 3.0]);
        assert_eq!(eight[4], [6.0, 7.0, 8.0, 7.0, 6.0, 5.0]);
    }

    #[test]
    fn a_padded_sound_is_silent_beyond_its_ends() {
        assert_eq!(
            frames(3, Padding::Zeros),
            [[0.0, 0.0, 0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]]
        );
        for padding in [Padding::Zeros, Padding::Reflect] {
            assert!(frames(0, padding).is_empty());
            assert!((1..30).all(|count| frames(count, padding).len() == 1 + count / 2));
        }
    }
}
