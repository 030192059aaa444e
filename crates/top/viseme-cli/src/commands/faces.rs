//! `viseme faces`: what the tracker sees, one JSON line per frame.

use crate::arguments::FacesArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;
use viseme::FacesSpec;
use viseme_core::{Error, Result};

/// Follows the faces and prints them.
pub(crate) fn run(arguments: FacesArguments) -> Result<ExitCode> {
    let spec = FacesSpec {
        video: arguments.video,
        start_s: arguments.start,
        end_s: arguments.end,
        preview: arguments.preview,
        landmarks: arguments.landmarks,
        weights: arguments.weights.into(),
        detector: arguments.detector,
        limits: arguments.limits.limits(),
    };
    let terminal = Terminal::new(Interrupt::install()?, arguments.quiet);
    let mut output = BufWriter::new(stdout());
    let result = viseme::faces(&spec, &mut output, &terminal);
    terminal.finish();
    let summary = result?;
    output.flush().map_err(|source| Error::io("write to standard output", source))?;
    if !arguments.quiet {
        printer::say(&format!(
            "{} frames, {} with a face, {} faces",
            summary.frames, summary.frames_with_face, summary.faces
        ));
    }
    Ok(ExitCode::SUCCESS)
}
