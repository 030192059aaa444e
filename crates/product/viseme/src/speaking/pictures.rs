//! The pictures of a clip at its ticks, decoded when somebody looks.

use crate::analyse::no_frame;
use crate::clip::{Clip, RangeReader, TimeRange};
use crate::ticks::Ticks;
use viseme_core::{Error, Observer, Progress, Result, Stage};
use viseme_engines::speaking::TickPictures;
use viseme_imaging::{ColourInfo, Frame};

/// A pass over the pictures.
pub(super) struct Pictures<'a> {
    clip: &'a dyn Clip,
    range: TimeRange,
    ticks: Ticks<'a>,
    observer: &'a dyn Observer,
    reader: Option<RangeReader>,
    tick: u64,
    /// The frame at hand, with its number in the range.
    frame: Option<(u64, Frame)>,
}

impl<'a> Pictures<'a> {
    /// Those of `range`. The clip is opened when the first is asked for.
    pub(super) fn new(
        clip: &'a dyn Clip,
        range: TimeRange,
        ticks: Ticks<'a>,
        observer: &'a dyn Observer,
    ) -> Self {
        Self { clip, range, ticks, observer, reader: None, tick: 0, frame: None }
    }
}

impl TickPictures for Pictures<'_> {
    fn next_tick(&mut self) -> Result<Option<(&Frame, &ColourInfo)>> {
        if self.observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        let total = self.ticks.len();
        if self.tick >= total {
            return Ok(None);
        }
        let wanted = self.ticks.source(self.tick);
        self.tick += 1;
        self.observer.progress(Progress { stage: Stage::Listen, done: self.tick, total: Some(total) });
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(RangeReader::open(self.clip, self.range)?),
        };
        while self.frame.as_ref().is_none_or(|(number, _)| *number < wanted) {
            let number = self.frame.as_ref().map_or(0, |(number, _)| number + 1);
            self.frame = Some((number, reader.next_frame()?.ok_or_else(no_frame)?.1));
        }
        Ok(self.frame.as_ref().map(|(_, frame)| (frame, &self.clip.info().colour)))
    }
}
