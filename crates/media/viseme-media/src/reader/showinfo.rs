//! The times of the frames, which raw video does not carry: the `showinfo` filter prints a line for each frame, in the
//! order in which the frames then leave the child.

use crate::process::LineListener;
use crossbeam_channel::{Receiver, bounded};

/// Far more than the frames that can be between the filter and the pipe, so that the listener never waits.
const CAPACITY: usize = 4096;

/// A listener to the child's standard error, and the times it hears; `None` for a frame without one.
pub(super) fn listener() -> (LineListener, Receiver<Option<i64>>) {
    let (sender, receiver) = bounded(CAPACITY);
    let listener = Box::new(move |line: &str| {
        let Some(pts) = pts_of(line) else { return line.starts_with("[Parsed_showinfo") };
        // Fails only when nobody reads the frames any more.
        let _ = sender.send(pts);
        true
    });
    (listener, receiver)
}

/// The time in a line such as `[Parsed_showinfo_1 @ 0x55] [info] n:   0 pts:  512 pts_time:0.04 …`.
fn pts_of(line: &str) -> Option<Option<i64>> {
    let rest = line.strip_prefix("[Parsed_showinfo")?;
    let (_, rest) = rest.split_once(" n:")?;
    let (number, rest) = rest.split_once("pts:")?;
    number.trim().parse::<u64>().ok()?;
    let pts = rest.split_whitespace().next()?;
    if pts == "NOPTS" { Some(None) } else { pts.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_frames_are_told_from_others() {
        let line = "[Parsed_showinfo_3 @ 0x5581] [info] n:  12 pts: -6144 pts_time:-0.48 duration:512 fmt:yuv420p";
        assert_eq!(pts_of(line), Some(Some(-6144)));
        assert_eq!(pts_of("[Parsed_showinfo_3 @ 0x5581] [info] n: 0 pts: NOPTS pts_time:NOPTS"), Some(None));
        assert_eq!(pts_of("[Parsed_showinfo_3 @ 0x5581] [info] config in time_base: 1/12800"), None);
        // A title tag of a hostile file is printed with an indent.
        assert_eq!(pts_of("    title : [Parsed_showinfo_3 @ 0x1] [info] n: 0 pts: 7 pts_time:0"), None);
    }
}
