//! What raw video does not carry: the `showinfo` filter prints a line for each frame, in the order in which the frames
//! then leave the child.

use crate::process::LineListener;
use crossbeam_channel::{Receiver, bounded};

/// Far more than the frames that can be between the filter and the pipe, so that the listener never waits.
const CAPACITY: usize = 4096;

/// What is said of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameLine {
    /// Its time in the stream's time base; `None` when it has none.
    pub(super) pts: Option<i64>,
    /// Whether it was coded without reference to other frames.
    pub(super) is_intra: bool,
}

/// A listener to the child's standard error, and what it hears.
pub(super) fn listener() -> (LineListener, Receiver<FrameLine>) {
    let (sender, receiver) = bounded(CAPACITY);
    let listener = Box::new(move |line: &str| {
        let Some(frame) = parsed(line) else { return line.starts_with("[Parsed_showinfo") };
        // Fails only when nobody reads the frames any more.
        let _ = sender.send(frame);
        true
    });
    (listener, receiver)
}

/// Reads a line such as `[Parsed_showinfo_1 @ 0x55] [info] n:   0 pts:  512 pts_time:0.04 … iskey:1 type:I`.
fn parsed(line: &str) -> Option<FrameLine> {
    let rest = line.strip_prefix("[Parsed_showinfo")?;
    let (_, rest) = rest.split_once(" n:")?;
    let (number, rest) = rest.split_once("pts:")?;
    number.trim().parse::<u64>().ok()?;
    let pts = rest.split_whitespace().next()?;
    let pts = if pts == "NOPTS" { None } else { Some(pts.parse().ok()?) };
    Some(FrameLine { pts, is_intra: rest.contains(" type:I") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_frames_are_told_from_others() {
        let line = "[Parsed_showinfo_3 @ 0x5581] [info] n:  12 pts: -6144 pts_time:-0.48 fmt:yuv420p iskey:1 type:I ";
        assert_eq!(parsed(line), Some(FrameLine { pts: Some(-6144), is_intra: true }));
        let line = "[Parsed_showinfo_3 @ 0x5581] [info] n: 0 pts: NOPTS pts_time:NOPTS iskey:0 type:P";
        assert_eq!(parsed(line), Some(FrameLine { pts: None, is_intra: false }));
        assert_eq!(parsed("[Parsed_showinfo_3 @ 0x5581] [info] config in time_base: 1/12800"), None);
        // A title tag of a hostile file is printed with an indent.
        assert_eq!(parsed("    title : [Parsed_showinfo_3 @ 0x1] [info] n: 0 pts: 7 pts_time:0"), None);
    }
}
