//! What went in, what came out, and how.

use super::Page;
use super::text::{bytes, clipped, file_name, file_names, seconds};
use crate::report::Report;
use maud::{Markup, html};
use viseme_face::Weights;

/// Models that are listed.
const MOST_MODELS: usize = 40;

/// The inputs and the output side by side.
pub(super) fn in_and_out(page: &Page<'_>) -> Markup {
    let Report { input, speech, output, .. } = page.report;
    let size = |width: u32, height: u32| format!("{width} × {height}");
    let rate = |fps: f64| format!("{} a second", (fps * 100.0).round() / 100.0);
    let frames = if output.frames_written == output.frames_planned {
        output.frames_written.to_string()
    } else {
        format!("{} of {} planned", output.frames_written, output.frames_planned)
    };
    let kind = if input.is_still { "picture" } else { "video" };
    html! {
        section {
            h2 { "In and out" }
            div.scroll tabindex="0" {
                table {
                    thead { tr { td {} th { "In: " (kind) } th { "In: speech" } th { "Out" } } }
                    tbody {
                        (row("File", &[file_name(page.video), file_names(page.speeches), file_name(&output.path)]))
                        (row("Length", &[input.duration_ms, speech.duration_ms, output.duration_ms].map(seconds)))
                        (row("Voice", &[String::new(), seconds(speech.voiced_ms), String::new()]))
                        (row("Picture", &[
                            size(input.width, input.height), String::new(), size(output.width, output.height),
                        ]))
                        (row("Frames", &[input.frames.to_string(), String::new(), frames]))
                        (row("Rate", &[rate(input.fps), String::new(), rate(output.fps)]))
                        (row("Changed", &[String::new(), String::new(), format!("{} frames", output.frames_changed)]))
                        (row("Size", &[String::new(), String::new(), bytes(output.size_bytes)]))
                    }
                }
            }
        }
    }
}

fn row(name: &str, values: &[String; 3]) -> Markup {
    html! { tr { th scope="row" { (name) } @for value in values { td { (value) } } } }
}

/// Engine, models and times.
pub(super) fn how_it_was_made(report: &Report) -> Markup {
    let options: Vec<String> =
        report.engine_options.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let engine = if options.is_empty() {
        report.engine.clone()
    } else {
        format!("{} ({})", report.engine, options.join(", "))
    };
    let weights = match report.weights {
        Weights::Default => "default",
        Weights::Clean => "of clear rights alone",
    };
    html! {
        section {
            h2 { "How it was made" }
            dl {
                dt { "Engine" } dd { (clipped(&engine)) }
                dt { "Enhancer" } dd { (clipped(report.enhancer.as_deref().unwrap_or("none"))) }
                dt { "Face detector" } dd { (clipped(&report.detector)) }
                dt { "Weights of the face nets" } dd { (weights) }
                dt { "Peak of memory" } dd { (bytes(report.peak_memory_bytes)) }
                dt { "Speed" } dd { (format!("{:.1} frames a second", report.frames_per_second)) }
            }
            (timings(report))
            (models(report))
        }
    }
}

fn timings(report: &Report) -> Markup {
    let total = report.total_ms.max(1);
    html! {
        table.timings {
            caption { "Time" }
            tbody {
                @for (stage, &ms) in &report.timings_ms {
                    tr {
                        th scope="row" { (stage.name()) }
                        td { (seconds(ms)) }
                        td { meter min="0" max=(total) value=(ms.min(total)) { (100 * ms / total) " %" } }
                    }
                }
                tr { th scope="row" { "all" } td { (seconds(report.total_ms)) } td {} }
            }
        }
    }
}

fn models(report: &Report) -> Markup {
    html! {
        @if !report.models.is_empty() {
            details {
                summary { (report.models.len()) " models" }
                div.scroll tabindex="0" {
                    table {
                        thead { tr { th { "Model" } th { "Runs on" } th { "Because" } } }
                        tbody {
                            @for model in report.models.iter().take(MOST_MODELS) {
                                tr {
                                    td { (clipped(&model.model)) }
                                    td { (model.choice.placement) }
                                    td { (clipped(&model.choice.reason)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
