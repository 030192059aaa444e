//! Numbers and names in words.

use std::path::Path;

/// Longest text from outside that is shown, in letters.
const MOST_LETTERS: usize = 300;

/// The text, cut where it is too long to be read.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The name of a file without its folders, which are nobody's business.
pub(super) fn file_name(path: &Path) -> String {
    clipped(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

/// The names of a few files, each once, and how many more there are.
pub(super) fn file_names(paths: &[&Path]) -> String {
    /// Names that are told.
    const MOST: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for name in paths.iter().map(|path| file_name(path)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let told = names.join(", ");
    if more > 0 { format!("{told} and {more} more") } else { told }
}

/// A moment: `0:03.2`, `1:02:03.4`.
pub(super) fn clock(ms: u64) -> String {
    let tenths = (ms + 50) / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{tenth}")
    } else {
        format!("{minutes}:{seconds:02}.{tenth}")
    }
}

/// A length: `3.2 s`; from two minutes on as [`clock`].
pub(super) fn seconds(ms: u64) -> String {
    if ms < 120_000 { format!("{:.1} s", ms as f64 / 1000.0) } else { clock(ms) }
}

/// A size: `1.4 MB`.
pub(super) fn bytes(bytes: u64) -> String {
    let (value, unit) = match bytes {
        0..1_000_000 => (bytes as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (bytes as f64 / 1e6, "MB"),
        _ => (bytes as f64 / 1e9, "GB"),
    };
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            ["0:03.2", "0:59.0", "1:00.0", "1:02:03.4"],
            [3_240, 58_960, 59_960, 3_723_400].map(clock)
        );
        assert_eq!([seconds(3_240), seconds(120_000)], ["3.2 s", "2:00.0"]);
        assert_eq!([bytes(900), bytes(1_400_000), bytes(2_000_000_000)], ["0.9 kB", "1.4 MB", "2.0 GB"]);
        assert_eq!(clipped(&"ä".repeat(400)).chars().count(), 301);
        assert_eq!(file_name(Path::new("/home/someone/a.mp4")), "a.mp4");
        let paths = ["x/a.wav", "b.wav", "a.wav", "c", "d", "e"].map(Path::new);
        assert_eq!(file_names(&paths[..3]), "a.wav, b.wav");
        assert_eq!(file_names(&paths), "a.wav, b.wav, c, d and 1 more");
    }
}
