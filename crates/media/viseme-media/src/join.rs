//! Joins the parts of a picture that were encoded one by one, packet by packet: nothing is encoded again, no time is changed.

use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{Tools, WrittenVideo};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use viseme_core::{Error, Limits, Pts, Result, Timebase};

/// A part of a picture: a file of its own, as [`VideoWriter`](crate::VideoWriter) makes it. Its frames carry the times that
/// they have in the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturePart {
    /// The file.
    pub path: PathBuf,
    /// The time of its first frame, in ticks of the whole.
    pub start: Pts,
    /// How many frames it has.
    pub frames: u64,
}

/// Joins `parts` in the file `output`, whose container is theirs.
///
/// All have to come from writers with the same settings and the same `timebase`. The result is read back: it has to hold the
/// frames at `times`, in ticks of `timebase`, and no others.
///
/// # Errors
/// When a part cannot be read or the result cannot be written; `Internal` when that holds anything but those frames.
pub fn join_pictures(
    tools: &Tools,
    parts: &[PicturePart],
    (timebase, times): (Timebase, impl Iterator<Item = Pts>),
    output: &Path,
    limits: &Limits,
) -> Result<WrittenVideo> {
    let list = output.with_extension("ffconcat");
    std::fs::write(&list, playlist(parts, timebase)?)
        .map_err(|source| Error::io(format_args!("write {}", list.display()), source))?;
    let arguments = arguments(&list, timebase, output)?;
    let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
    child.wait(&format!("join {}", output.display()))?;
    check_times(tools, parts, (timebase, times), output, limits)?;
    WrittenVideo::read_back(tools, output, limits, child.peak_memory_bytes())
}

/// The parts as ffmpeg's concat demuxer takes them: <https://ffmpeg.org/ffmpeg-formats.html#concat-1>.
///
/// It moves every part to the end of the part before: by the sum of the durations, less its own start. Where both are as they
/// are said here, that is by nothing at all, and the times are those of the files in whatever ticks.
fn playlist(parts: &[PicturePart], timebase: Timebase) -> Result<Vec<u8>> {
    // Rounded up, so that a seek to the start finds the first frame.
    let microseconds = |pts: Pts| {
        let (numerator, denominator) = (i128::from(timebase.numerator()), i128::from(timebase.denominator()));
        (i128::from(pts.0) * numerator * 1_000_000 + denominator - 1) / denominator
    };
    let starts: Vec<i128> = parts
        .iter()
        .enumerate()
        .map(|(nth, part)| if nth == 0 { 0 } else { microseconds(part.start) })
        .collect();
    let mut list = b"ffconcat version 1.0\n".to_vec();
    for (nth, part) in parts.iter().enumerate() {
        let path = std::path::absolute(&part.path)
            .map_err(|source| Error::io(format_args!("find {}", part.path.display()), source))?;
        list.extend(b"file ");
        list.extend(quoted(&file_url(&path)));
        list.extend(format!("\ninpoint {}us\n", starts[nth]).into_bytes());
        if let Some(next) = starts.get(nth + 1) {
            list.extend(format!("duration {}us\n", next - starts[nth]).into_bytes());
        }
    }
    Ok(list)
}

/// A word between quotes, in which nothing but the quote itself has a meaning.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word.as_encoded_bytes() {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

fn arguments(list: &Path, timebase: Timebase, output: &Path) -> Result<Vec<OsString>> {
    let scale = timebase.denominator().to_string();
    let mut arguments = preamble("warning");
    arguments.extend(strings(&["-copyts", "-protocol_whitelist", "file", "-format_whitelist", "concat,mov"]));
    // The packets stay as they are: all parts have the same parameter sets.
    arguments.extend(strings(&["-f", "concat", "-safe", "0", "-auto_convert", "0", "-i"]));
    arguments.push(file_url(list));
    arguments.extend(strings(&["-map", "0:0", "-c", "copy", "-map_metadata", "-1"]));
    arguments.extend(strings(&["-video_track_timescale", &scale, "-movie_timescale", &scale]));
    arguments.extend(strings(&["-fflags", "+bitexact", "-f", Container::of(output)?.muxer(), "-y"]));
    arguments.push(file_url(output));
    Ok(arguments)
}

/// Reads the times of the packets back. Packets come in the order of decoding: within a part they are sorted.
fn check_times(
    tools: &Tools,
    parts: &[PicturePart],
    (timebase, mut times): (Timebase, impl Iterator<Item = Pts>),
    path: &Path,
    limits: &Limits,
) -> Result<()> {
    let mut arguments = strings(&["-hide_banner", "-loglevel", "level+error", "-of", "csv=p=0"]);
    arguments.extend(strings(&["-select_streams", "v:0", "-show_entries", "packet=pts"]));
    arguments.extend(Input::open(path)?.arguments());
    let mut child = Running::spawn(&tools.ffprobe, &arguments, Wiring::Stdout, limits)?;
    let mut found = BufReader::new(child.take_stdout()?).lines().filter_map(|line| match line {
        Ok(line) => {
            line.split(',').next().filter(|pts| !pts.is_empty()).map(|pts| Ok(pts.parse::<i64>().ok()))
        }
        Err(source) => Some(Err(Error::io("read from a child process", source))),
    });
    let mut frames = 0;
    for part in parts {
        let mut ticks = found.by_ref().take(part.frames as usize).collect::<Result<Vec<_>>>()?;
        ticks.sort_unstable();
        // A file counts in whole parts of a second, whatever the ticks.
        let planned = times.by_ref().take(part.frames as usize);
        let planned: Vec<_> = planned.map(|pts| Some(pts.0 * i64::from(timebase.numerator()))).collect();
        if ticks != planned {
            return Err(Error::internal(format!(
                "the frames from {frames} on are not where they were planned"
            )));
        }
        frames += part.frames;
    }
    if found.next().is_some() || times.next().is_some() {
        return Err(Error::internal(format!("{} does not hold the {frames} planned frames", path.display())));
    }
    drop(found);
    child.wait(&format!("check {}", path.display()))
}
