//! Hears a voice from its start to its end: its pieces, and the silence between them.

use super::{Piece, Voice};
use crate::inputs::Inputs;
use crate::lines::{Line, overlap};
use std::collections::BTreeMap;
use viseme_core::{Error, Limits, Observer, Result, Warning, WarningCode};
use viseme_media::Tools;

/// A sound may go on for so long when the next line of its speaker begins, in seconds: what files have at their ends.
const OVERRUN_S: f64 = 0.1;
/// What never gets louder than this is silence: −60 dB.
const SILENT_PEAK: f32 = 1e-3;

/// What it takes to hear.
pub(crate) struct Ear<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) inputs: &'a Inputs,
    /// Those of the job.
    pub(crate) lines: &'a [Line],
    pub(crate) limits: &'a Limits,
    /// Samples per second.
    pub(crate) rate_hz: u32,
    pub(crate) observer: &'a dyn Observer,
}

/// What was heard of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PieceHeard {
    /// Its length in seconds, 0 where the sound has ended before it begins.
    pub(crate) length_s: f64,
    /// The loudest of its samples.
    pub(crate) peak: f32,
}

/// What was heard of all voices.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Heard {
    /// When the last voice ends, in seconds of the output.
    pub(crate) end_s: f64,
    /// How long the sounds of the lines are, by their numbers in the job, in seconds.
    pub(crate) lines_s: BTreeMap<usize, f64>,
}

impl Heard {
    /// Takes in what was heard of a voice, and warns of its lines without sound.
    pub(crate) fn add(&mut self, lines: &[Line], voice: &Voice<'_>, pieces: &[PieceHeard]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (piece, heard) in voice.pieces.iter().zip(pieces) {
            self.end_s = self.end_s.max(piece.start_s + heard.length_s);
            let Some((number, line)) = piece.line.and_then(|n| Some((n, lines.get(n)?))) else { continue };
            self.lines_s.insert(number, heard.length_s);
            // A voice of one line is judged by the engine.
            if heard.peak < SILENT_PEAK && pieces.len() > 1 {
                let message = format!("{} is silent: the mouth stays closed", line.label());
                warnings.push(Warning::new(WarningCode::NoSpeech, message));
            }
        }
        warnings
    }
}

/// What comes next in a voice.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// So many samples in which nobody speaks it.
    Nothing(u64),
    /// Samples: mono, −1 to 1.
    Samples(&'a [f32]),
}

/// What takes a voice.
type Take<'a> = dyn FnMut(Said<'_>) -> Result<()> + 'a;

impl Ear<'_> {
    /// Gives `voice` to `take`, from the start of the output on. Returns what was heard of each piece.
    ///
    /// # Errors
    /// `Cancelled`; `InvalidInput` for an empty sound, and for one that goes on into the next line; whatever decoding or
    /// `take` meet.
    pub(crate) fn hear(&self, voice: &Voice<'_>, take: &mut Take<'_>) -> Result<Vec<PieceHeard>> {
        let (mut given, mut heard) = (0, Vec::new());
        for (position, piece) in voice.pieces.iter().enumerate() {
            let start = self.samples(piece.start_s);
            if given < start {
                take(Said::Nothing(start - given))?;
                given = start;
            }
            let next = voice.pieces.get(position + 1);
            let room = next.map_or(u64::MAX, |next| self.samples(next.start_s).saturating_sub(start));
            let found = self.hear_piece(piece, room, take)?;
            if let (true, Some(next)) = (found.length_s > self.seconds(room) + OVERRUN_S, next) {
                return Err(self.overlap(piece, next));
            }
            let length = self.samples(found.length_s).min(room);
            given += length;
            heard.push(PieceHeard { length_s: self.seconds(length), ..found });
        }
        Ok(heard)
    }

    /// Gives at most `room` samples of a piece, and says what there was.
    fn hear_piece(&self, piece: &Piece<'_>, room: u64, take: &mut Take<'_>) -> Result<PieceHeard> {
        let mut reader = self.inputs.hear(self.tools, piece.path, self.rate_hz, self.limits)?;
        let most = piece.end_s.map_or(u64::MAX, |end| self.samples(end - piece.start_s));
        let (mut passed, mut length, mut peak) = (0, 0, 0.0_f32);
        let from = self.samples(piece.from_s);
        while length < most
            && let Some(chunk) = reader.next_chunk()?
        {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let before = passed;
            passed += chunk.len() as u64;
            let chunk = &chunk[(from.saturating_sub(before).min(chunk.len() as u64)) as usize..];
            let chunk = &chunk[..(most - length).min(chunk.len() as u64) as usize];
            take(Said::Samples(&chunk[..room.saturating_sub(length).min(chunk.len() as u64) as usize]))?;
            length += chunk.len() as u64;
            peak = chunk.iter().fold(peak, |peak, sample| peak.max(sample.abs()));
        }
        if passed == 0 {
            return Err(Error::invalid_input(format!("the sound of {} is empty", piece.path.display())));
        }
        Ok(PieceHeard { length_s: self.seconds(length), peak })
    }

    fn overlap(&self, piece: &Piece<'_>, next: &Piece<'_>) -> Error {
        let line = |piece: &Piece<'_>| piece.line.and_then(|number| self.lines.get(number));
        match (line(piece), line(next)) {
            (Some(one), Some(other)) => overlap(one, other),
            _ => Error::internal("the speech of a job has one piece"),
        }
    }

    fn samples(&self, seconds: f64) -> u64 {
        (seconds.max(0.0) * f64::from(self.rate_hz)).round() as u64
    }

    fn seconds(&self, samples: u64) -> f64 {
        samples as f64 / f64::from(self.rate_hz)
    }
}
