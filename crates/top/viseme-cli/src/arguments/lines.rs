//! Who speaks what.

use super::times::parse_span;
use std::path::PathBuf;
use viseme::Line;

/// Reads `alice=alice.wav`, `bob@3.2s-7s=bob.mp3`, or `bob@3.2s-7s`, who speaks the speech of the job then.
pub(super) fn parse_line(text: &str) -> Result<Line, String> {
    let bad = || format!("'{text}' is not WHO[@TIME[-TIME]][=FILE]: write bob@3.2s-7s=bob.mp3");
    let (who, audio) = match text.split_once('=') {
        Some((_, "")) => return Err(bad()),
        Some((who, file)) => (who, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let (who, (start_s, end_s)) = match who.rsplit_once('@') {
        Some((who, span)) => (who, parse_span(span)?),
        None => (who, (None, None)),
    };
    if who.is_empty() {
        return Err(bad());
    }
    Ok(Line { who: who.to_owned(), audio, start_s, end_s, ..Line::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_speaker_and_may_have_a_time_and_a_file() {
        let read = |text: &str| {
            let Line { who, audio, start_s, end_s, .. } = parse_line(text).unwrap();
            (who, audio.map(|path| path.display().to_string()).unwrap_or_default(), start_s, end_s)
        };
        let line = |who: &str, audio: &str, start, end| (who.to_owned(), audio.to_owned(), start, end);
        assert_eq!(read("alice=alice.wav"), line("alice", "alice.wav", None, None));
        assert_eq!(read("bob@3.2s-7s=bob.mp3"), line("bob", "bob.mp3", Some(3.2), Some(7.0)));
        assert_eq!(read("face_1@1:02.5=take=2@x.wav"), line("face_1", "take=2@x.wav", Some(62.5), None));
        assert_eq!(read("bob@-7s"), line("bob", "", None, Some(7.0)));
        assert_eq!(read("bob"), line("bob", "", None, None));
    }

    #[test]
    fn what_is_no_line_says_what_one_looks_like() {
        for bad in ["", "=a.wav", "alice=", "@3s=a.wav", "bob@=a.wav", "bob@x=a.wav", "bob@3s-y=a.wav"] {
            let error = parse_line(bad).unwrap_err();
            assert!(error.contains("3.2s") || error.contains("not a time"), "{bad}: {error}");
        }
    }
}
