//! `viseme faces`: what the tracker sees, one JSON line per frame.

use crate::arguments::FacesArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;
use viseme::{FacesSpec, FacesSummary};
use viseme_core::{Error, Result};

/// Follows the faces and prints them.
pub(crate) fn run(arguments: FacesArguments) -> Result<ExitCode> {
    let spec = FacesSpec {
        start_s: arguments.start,
        end_s: arguments.end,
        characters: arguments.characters.characters(),
        similarity: arguments.characters.similarity,
        preview: arguments.preview,
        contact_sheet: arguments.contact_sheet,
        smoothing: arguments.smoothing,
        landmarks: arguments.landmarks,
        speaking: arguments.speaking,
        weights: arguments.weights.into(),
        detector: arguments.detector,
        runtime: arguments.compute.request(),
        limits: arguments.limits.limits(),
        ..FacesSpec::new(arguments.video)
    };
    let terminal = Terminal::new(Interrupt::install()?, arguments.quiet);
    let mut output = BufWriter::new(stdout());
    let result = viseme::faces(&spec, &mut output, &terminal);
    terminal.finish();
    let summary = result?;
    output.flush().map_err(|source| Error::io("write to standard output", source))?;
    if !arguments.quiet {
        printer::say(&told(&summary));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line: how much was seen, and who, with the colours of the preview.
fn told(summary: &FacesSummary) -> String {
    let FacesSummary { frames, frames_with_face, faces, .. } = summary;
    let people: Vec<String> =
        summary.character_colors.iter().map(|(id, colour)| format!("{id} {colour}")).collect();
    let people = if people.is_empty() { String::new() } else { format!(": {}", people.join(", ")) };
    format!("{frames} frames, {frames_with_face} with a face, {faces} people{people}")
}
