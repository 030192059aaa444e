//! Who speaks what: lines of a job, each with a speaker, a time and, where it is not the speech of the whole job, a sound.

use crate::people::Character;
use crate::speakers::Speakers;
use crate::spec::{check_is_file, check_range};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::PathBuf;
use viseme_core::{Error, ErrorKind, Result};

/// All sounds of a job are open at a time while they are mixed.
const MOST_LINES: usize = 256;

/// Somebody speaks something at some time. Times are those of the output, which are those of the video from the start of
/// its range.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// Whose lips move: the id of a character, or `face_1`, `face_2`, … With a [`bbox`](Self::bbox) any name, also none.
    pub who: String,
    /// Who is meant by where the face is: `[x, y, width, height]` in pixels of the source while the line lasts. A character
    /// of that name who is seen comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f32; 4]>,
    /// What is said: a sound file, or a video whose sound is used. It begins at the start of the line. None is the speech
    /// of the job, at the speech's own times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<PathBuf>,
    /// When it begins, in seconds. None is the start of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_s: Option<f64>,
    /// When it ends, in seconds: longer sound is cut off there, and up to there the lips are closed after a shorter one. None
    /// is the end of its own sound where the line has that and a start, otherwise the end of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
}

impl Line {
    /// The line for people: whose it is, and when it begins.
    pub(crate) fn label(&self) -> String {
        let who = match self.bbox {
            Some(bbox) if self.who.is_empty() => format!("the face at {bbox:?}"),
            _ => format!("'{}'", self.who),
        };
        let at = self.start_s.map(|start| format!(" at {start} s")).unwrap_or_default();
        format!("the line of {who}{at}")
    }

    /// When the line begins, in seconds.
    pub(crate) fn begin_s(&self) -> f64 {
        self.start_s.unwrap_or(0.0)
    }

    /// When the face speaks, in seconds, if the line's own sound lasts `sound_s`.
    pub(crate) fn span(&self, sound_s: f64) -> Range<f64> {
        let end_s = match (&self.audio, self.start_s) {
            (Some(_), Some(start_s)) => start_s + sound_s,
            _ => f64::INFINITY,
        };
        self.begin_s()..self.end_s.unwrap_or(end_s)
    }

    /// Checks that its sound is there.
    ///
    /// # Errors
    /// `NotFound` or `InvalidInput`, with the line.
    pub(crate) fn check_sound(&self) -> Result<()> {
        let check = |audio: &PathBuf| check_is_file(audio).map_err(|error| self.named(&error));
        self.audio.as_ref().map_or(Ok(()), check)
    }

    /// An error that says which line it is about.
    fn named(&self, error: &Error) -> Error {
        let named = Error::new(error.kind(), format!("{}: {error}", self.label()));
        if let Some(hint) = error.hint() { named.with_hint(hint) } else { named }
    }

    fn check(&self, characters: &[Character]) -> Result<()> {
        check_range(self.start_s, self.end_s)?;
        match self.bbox {
            None => Speakers::Named(self.who.clone()).validate(characters),
            Some([x, y, width, height])
                if width > 0.0 && height > 0.0 && [x, y, width, height].iter().all(|v| v.is_finite()) =>
            {
                Ok(())
            }
            Some(bbox) => Err(Error::invalid_input(format!("the box {bbox:?} is empty"))
                .with_hint("A box is [x, y, width, height] in pixels.")),
        }
    }
}

/// Checks everything about lines that can be checked before their sounds are heard. `has_audio` says whether the job has a
/// speech of its own.
///
/// # Errors
/// `InvalidInput`, with the line that is wrong; `LimitExceeded` for too many lines.
pub(crate) fn check_lines(lines: &[Line], has_audio: bool, characters: &[Character]) -> Result<()> {
    if lines.len() > MOST_LINES {
        let message = format!("{} lines are more than the {MOST_LINES} of a job", lines.len());
        return Err(Error::new(ErrorKind::LimitExceeded, message)
            .with_hint("Cut the video into parts, or lay the lines of a person into one file."));
    }
    for line in lines {
        line.check(characters).map_err(|error| line.named(&error))?;
        if line.audio.is_none() && !has_audio {
            return Err(Error::invalid_input(format!("{} says nothing", line.label()))
                .with_hint("Give the line a sound of its own, or the job an AUDIO that it speaks."));
        }
    }
    let named = |line: &&Line| line.bbox.is_none();
    for (position, line) in lines.iter().enumerate() {
        let same: Vec<&Line> =
            lines[..position].iter().filter(named).filter(|other| other.who == line.who).collect();
        if line.bbox.is_none() {
            same.into_iter().try_for_each(|other| check_apart(other, line))?;
        }
    }
    Ok(())
}

/// Checks two lines of one person, as far as their times are known without their sounds.
///
/// # Errors
/// `InvalidInput` when they overlap.
pub(crate) fn check_apart(one: &Line, other: &Line) -> Result<()> {
    let (a, b) = (one.span(0.0), other.span(0.0));
    let is_apart = a.start < b.start && a.end <= b.start || b.start < a.start && b.end <= a.start;
    if is_apart { Ok(()) } else { Err(overlap(one, other)) }
}

/// The error for two lines of one person at a time.
pub(crate) fn overlap(one: &Line, other: &Line) -> Error {
    let message = format!("{} and {} overlap", one.label(), other.label());
    Error::invalid_input(message)
        .with_hint("One person says one thing at a time: give each line a start, and the first an end.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(who: &str, audio: bool, start_s: Option<f64>, end_s: Option<f64>) -> Line {
        let audio = audio.then(|| PathBuf::from("a.wav"));
        Line { who: who.to_owned(), bbox: None, audio, start_s, end_s }
    }

    #[test]
    fn a_line_lasts_as_long_as_its_times_or_its_sound_say() {
        let span = |audio, start, end| line("a", audio, start, end).span(1.5);
        assert_eq!(span(true, None, None), 0.0..f64::INFINITY);
        assert_eq!(span(true, Some(2.0), None), 2.0..3.5);
        assert_eq!(span(true, Some(2.0), Some(9.0)), 2.0..9.0);
        assert_eq!(span(true, None, Some(1.0)), 0.0..1.0);
        assert_eq!(span(false, Some(2.0), None), 2.0..f64::INFINITY);
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_its_line() {
        let characters = [Character::new("bob", ["b.png".into()])];
        let check = |lines: &[Line]| check_lines(lines, true, &characters);
        check(&[line("bob", true, None, Some(2.0)), line("bob", false, Some(2.0), None)]).unwrap();
        check(&[line("bob", true, Some(3.0), None), line("bob", true, Some(1.0), None)]).unwrap();
        check(&[line("bob", true, None, None), line("face_2", true, None, None)]).unwrap();
        let boxed = Line { bbox: Some([1.0, 2.0, 3.0, 4.0]), ..line("anybody", true, None, None) };
        check(&[boxed.clone(), boxed]).unwrap();
        let bad = |start, end| line("bob", true, start, end);
        for (lines, expected) in [
            (vec![line("eve", true, None, None)], "line of 'eve': there is no character 'eve'"),
            (vec![bad(Some(3.0), Some(2.0))], "line of 'bob' at 3 s: the range ends at 2 s"),
            (vec![bad(Some(-1.0), None)], "start of the range"),
            (vec![Line { bbox: Some([0.0; 4]), ..bad(None, None) }], "is empty"),
            (
                vec![bad(Some(1.0), Some(3.0)), bad(Some(2.0), None)],
                "'bob' at 1 s and the line of 'bob' at 2 s",
            ),
            (vec![bad(Some(2.0), None), bad(Some(2.0), None)], "overlap"),
            (vec![bad(None, None), bad(Some(20.0), None)], "overlap"),
            (vec![bad(Some(20.0), None), line("bob", false, Some(1.0), None)], "overlap"),
        ] {
            let error = check(&lines).unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        let error = check_lines(&[line("bob", false, None, None)], false, &characters).unwrap_err();
        assert!(error.to_string().contains("says nothing"), "{error}");
        let many = vec![line("bob", true, None, None); MOST_LINES + 1];
        assert_eq!(check(&many).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
