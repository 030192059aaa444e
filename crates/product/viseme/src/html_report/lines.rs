//! Who speaks what, as a table.

use super::text::{clipped, clock, file_name};
use crate::report::Report;
use crate::voices::LineReport;
use maud::{Markup, html};

/// Lines that are written out.
const MOST_ROWS: usize = 100;

/// The lines of a job, where it has any.
pub(super) fn section(report: &Report) -> Markup {
    let lines = &report.lines;
    html! {
        @if !lines.is_empty() {
            section {
                h2 { "Lines" }
                div.scroll tabindex="0" {
                    table {
                        thead { tr { th { "From" } th { "To" } th { "Who" } th { "Says" } th { "Result" } } }
                        tbody { @for line in lines.iter().take(MOST_ROWS) { (row(line)) } }
                    }
                }
                @if lines.len() > MOST_ROWS { p.note { "And " (lines.len() - MOST_ROWS) " more." } }
            }
        }
    }
}

fn row(line: &LineReport) -> Markup {
    let who = line.character_id.as_deref().unwrap_or(&line.who);
    let says = line.audio.as_deref().map_or("the speech of the job".to_owned(), file_name);
    html! {
        tr {
            td { (clock(line.start_ms)) }
            td { (clock(line.end_ms)) }
            td { (clipped(who)) }
            td { (says) }
            td { (clipped(line.error_message.as_deref().unwrap_or("spoken"))) }
        }
    }
}
