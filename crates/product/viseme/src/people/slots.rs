//! The best few of a stream, spread over its length. Pure.

/// Most that are kept.
pub(super) const SLOTS: usize = 8;
/// Frames of a slot at first: eight of them are three seconds of film. They grow with the track.
const FIRST_WIDTH: u64 = 10;
/// How much more must be promised than was seen of a slot before another look is taken: so a slot costs few looks.
const WORTH_A_LOOK: f32 = 1.1;

/// The best of each slot of time. When there are more than [`SLOTS`], pairs of slots become one.
#[derive(Debug, Clone)]
pub(super) struct Slots<T> {
    first: u64,
    width: u64,
    kept: Vec<Slot<T>>,
}

#[derive(Debug, Clone)]
struct Slot<T> {
    number: u64,
    /// The most that was promised of what was looked at.
    promised: f32,
    score: f32,
    best: T,
}

impl<T> Slots<T> {
    /// Nothing yet. The stream begins at frame `first`.
    pub(super) fn new(first: u64) -> Self {
        Self { first, width: FIRST_WIDTH, kept: Vec::new() }
    }

    /// Whether a look at `frame` is worth it, of which this much is promised; frames come in order. Nothing of what
    /// promises nothing.
    pub(super) fn wants(&self, frame: u64, promise: f32) -> bool {
        let known = self.kept.last().filter(|slot| slot.number == self.number(frame));
        promise > known.map_or(0.0, |slot| WORTH_A_LOOK * slot.promised)
    }

    /// Takes what was seen in `frame`, if nothing in its slot has a better score.
    pub(super) fn offer(&mut self, frame: u64, promise: f32, score: f32, value: T) {
        let offered = Slot { number: self.number(frame), promised: promise, score, best: value };
        self.kept.push(offered);
        self.merge();
        while self.kept.len() > SLOTS {
            self.width *= 2;
            for slot in &mut self.kept {
                slot.number /= 2;
            }
            self.merge();
        }
    }

    /// The best of each slot, in order.
    pub(super) fn into_values(self) -> impl Iterator<Item = T> {
        self.kept.into_iter().map(|slot| slot.best)
    }

    fn number(&self, frame: u64) -> u64 {
        frame.saturating_sub(self.first) / self.width
    }

    /// Of neighbours in one slot the better stays.
    fn merge(&mut self) {
        let mut merged: Vec<Slot<T>> = Vec::with_capacity(self.kept.len());
        for slot in self.kept.drain(..) {
            match merged.last_mut() {
                Some(last) if last.number == slot.number => {
                    let promised = last.promised.max(slot.promised);
                    if slot.score > last.score {
                        *last = slot;
                    }
                    last.promised = promised;
                }
                _ => merged.push(slot),
            }
        }
        self.kept = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_track_is_looked_at_seldom_and_everywhere() {
        let mut slots = Slots::new(100);
        let mut looks = 0;
        for frame in 100..100_100 {
            // Worth the same, but for a moment here and there.
            let promise = if frame % 1000 == 7 { 0.9 } else { 0.5 };
            if slots.wants(frame, promise) {
                looks += 1;
                slots.offer(frame, promise, promise, frame);
            }
        }
        let kept: Vec<u64> = slots.into_values().collect();
        assert!((4..=SLOTS).contains(&kept.len()), "{kept:?}");
        assert!(looks < 150, "{looks} looks");
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] > 3000), "{kept:?}");
        assert!(kept.iter().all(|frame| frame % 1000 == 7 || *frame == 100), "{kept:?}");
    }

    proptest! {
        #[test]
        fn the_best_of_all_is_kept_and_never_too_many(scores in prop::collection::vec(0.0..1.0_f32, 1..400)) {
            let mut slots = Slots::new(0);
            for (frame, &score) in scores.iter().enumerate() {
                slots.offer(frame as u64, score, score, frame);
            }
            let kept: Vec<usize> = slots.into_values().collect();
            prop_assert!(!kept.is_empty() && kept.len() <= SLOTS && kept.is_sorted());
            let best = scores.iter().copied().fold(0.0, f32::max);
            prop_assert!(kept.iter().any(|&frame| scores[frame].to_bits() == best.to_bits()));
        }

        #[test]
        fn what_promises_nothing_is_not_looked_at(frame in 0..1000_u64) {
            let slots: Slots<()> = Slots::new(0);
            prop_assert!(!slots.wants(frame, 0.0) && !slots.wants(frame, f32::NAN));
        }
    }
}
