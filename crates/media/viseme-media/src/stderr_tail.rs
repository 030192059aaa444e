//! The last lines that a child wrote to its standard error, and what they say about why it failed.

use std::collections::VecDeque;
use std::fmt;
use viseme_core::ErrorKind;

/// Lines kept: a failing ffmpeg names the cause within its last few lines.
const MAX_LINES: usize = 40;
/// Longest line kept, in bytes.
const MAX_LINE_BYTES: usize = 400;

/// The last lines of a child's standard error, without the purely informative ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct StderrTail {
    lines: VecDeque<String>,
    /// How many lines ffmpeg marked as errors.
    pub(crate) error_count: usize,
}

impl StderrTail {
    /// Keeps a line unless ffmpeg marked it as information.
    pub(crate) fn push(&mut self, line: &str) {
        if line.trim().is_empty() || line.contains("[info]") {
            return;
        }
        self.error_count += usize::from(line.contains("[error]") || line.contains("[fatal]"));
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(without_queries(shortened(line)));
    }

    /// The line that best names the cause: the first error, which later ones follow from.
    pub(crate) fn summary(&self) -> String {
        let is_error = |line: &&String| line.contains("[error]") || line.contains("[fatal]");
        let line = self.lines.iter().find(is_error).or(self.lines.back());
        line.map_or_else(|| "no message".to_owned(), |line| without_prefixes(line).to_owned())
    }

    /// Whether a line contains `text`.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }

    /// The kind of failure that the operating system's own messages among the lines give away.
    pub(crate) fn failure_kind(&self) -> Option<ErrorKind> {
        [
            ("No space left on device", ErrorKind::DiskFull),
            ("Disk quota exceeded", ErrorKind::DiskFull),
            ("File too large", ErrorKind::DiskFull),
            ("Immediate exit requested", ErrorKind::TimedOut),
            ("Cannot allocate memory", ErrorKind::LimitExceeded),
            ("malloc of size", ErrorKind::LimitExceeded),
            ("failed to map segment", ErrorKind::LimitExceeded),
            ("Read-only file system", ErrorKind::OutputNotWritable),
            ("Invalid data found", ErrorKind::InvalidInput),
            ("moov atom not found", ErrorKind::InvalidInput),
        ]
        .into_iter()
        .find_map(|(text, kind)| self.contains(text).then_some(kind))
    }
}

impl fmt::Display for StderrTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

impl std::error::Error for StderrTail {}

fn shortened(line: &str) -> &str {
    let mut end = line.len().min(MAX_LINE_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].trim_end()
}

/// Cuts the query off every URL: a signed link carries its secret there.
fn without_queries(line: &str) -> String {
    line.split(' ')
        .map(|word| match (word.contains("://"), word.find('?')) {
            (true, Some(query)) => &word[..query],
            _ => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Removes "[mov @ 0x55d0] [error] " from the front.
fn without_prefixes(mut line: &str) -> &str {
    while let Some((_, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_bounded_and_names_the_first_error() {
        let mut tail = StderrTail::default();
        tail.push("[mov @ 0x1] [info] n: 0");
        for index in 0..100 {
            tail.push(&format!("[warning] {index}"));
        }
        tail.push("[mp4 @ 0x2] [error] cause");
        tail.push("[fatal] consequence");
        assert_eq!(tail.lines.len(), MAX_LINES);
        assert_eq!(tail.summary(), "cause");
        assert_eq!(tail.error_count, 2);
    }

    #[test]
    fn secrets_of_urls_are_cut() {
        let mut tail = StderrTail::default();
        tail.push("[error] https://store.example/a.mp4?signature=abc: denied");
        assert_eq!(tail.to_string(), "[error] https://store.example/a.mp4 denied");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let mut tail = StderrTail::default();
        tail.push(&"é".repeat(MAX_LINE_BYTES));
        assert!(tail.to_string().len() <= MAX_LINE_BYTES);
    }
}
