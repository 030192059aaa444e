//! The report of a job as a page for people: one file that asks nobody for anything and runs nothing.
//!
//! All text goes through the escaping of [`maud`]; names of files and warnings may hold anything. The page is bounded
//! whatever the job: at most [`MOST_FACES`] faces are drawn, the rest is counted.

mod axis;
mod faces;
mod facts;
mod frames;
mod lines;
mod sync_curve;
mod text;
mod timeline;

use crate::evidence::Evidence;
use crate::report::Report;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::Path;
use text::{clipped, file_name, file_names, seconds};

const STYLE: &str = include_str!("style.css");

/// What the browser may do with the page: show it, with the style and the pictures that are in it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Faces with a timeline of their own.
const MOST_FACES: usize = 6;

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// What the job did.
    pub(crate) report: &'a Report,
    /// The video that went in.
    pub(crate) video: &'a Path,
    /// The speech that went in: that of the job first, then those of its lines.
    pub(crate) speeches: &'a [&'a Path],
    /// What was kept of the picture.
    pub(crate) evidence: &'a Evidence,
}

impl Page<'_> {
    /// The whole file.
    pub(crate) fn html(&self) -> String {
        let name = file_name(&self.report.output.path);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    title { (name) " · Viseme report" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (timeline::patterns())
                    header {
                        h1 { (name) }
                        p.lead { (self.in_one_sentence()) }
                    }
                    main {
                        (self.warnings())
                        (lines::section(self.report))
                        (faces::section(self.report, &self.evidence.curves))
                        (frames::section(&self.evidence.pairs))
                        (facts::in_and_out(self))
                        (facts::how_it_was_made(self.report))
                    }
                    (footer())
                }
            }
        };
        page.into_string()
    }

    fn in_one_sentence(&self) -> String {
        let output = &self.report.output;
        let (video, audio) = (file_name(self.video), file_names(self.speeches));
        if output.frames_changed == 0 {
            return format!(
                "No lips were moved: the picture of {video} is as it was, with the sound of {audio}."
            );
        }
        format!(
            "The lips in {video} follow {audio} in {} of {} frames, over {}.",
            output.frames_changed,
            output.frames_written,
            seconds(output.duration_ms),
        )
    }

    fn warnings(&self) -> Markup {
        /// More warnings than this are counted.
        const MOST: usize = 50;
        let warnings = &self.report.warnings;
        html! {
            section {
                h2 { "Warnings" }
                @if warnings.is_empty() {
                    p { "None: everything went as asked for." }
                } @else {
                    ul.warnings {
                        @for warning in warnings.iter().take(MOST) { li { (clipped(&warning.message)) } }
                    }
                    @if warnings.len() > MOST { p.note { "And " (warnings.len() - MOST) " more." } }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer {
            p { "The picture of this video was edited by AI: lips were moved to match another speech." }
            p { "Made by Viseme " (env!("CARGO_PKG_VERSION")) "." }
        }
    }
}

#[cfg(test)]
mod tests;
