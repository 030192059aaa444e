//! `viseme offset`: how much lips and sound are apart.

use crate::arguments::OffsetArguments;
use crate::printer;
use crate::progress::{Interrupt, Terminal};
use std::process::ExitCode;
use viseme::{OffsetMeter, OffsetReport, OffsetSpec};
use viseme_core::Result;

/// Measures, writes the mended video where one is asked for, and prints what was found.
pub(crate) fn run(arguments: OffsetArguments) -> Result<ExitCode> {
    let look = arguments.look;
    let spec = OffsetSpec { score: look.of(arguments.video, None), output: arguments.output };
    let terminal = Terminal::new(Interrupt::install()?, look.quiet);
    let result = viseme::offset(&spec, &terminal);
    terminal.finish();
    let report = result?;
    if look.json {
        printer::json(&report)?;
    } else {
        printer::data(&found(&report))?;
        if let Some(moved_ms) = report.sound_moved_ms {
            printer::data(&moved(moved_ms))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn found(report: &OffsetReport) -> String {
    let side = if report.offset_ms < 0.0 { "early" } else { "late" };
    let by = match report.measured_by {
        OffsetMeter::Native => "",
        OffsetMeter::SyncNet => ", by SyncNet",
    };
    format!(
        "face {}: lips {:.0} ms {side} ({} frames{by}), correlation {:.2}",
        report.face,
        report.offset_ms.abs(),
        report.offset_frames.abs(),
        report.correlation,
    )
}

fn moved(moved_ms: f64) -> String {
    match moved_ms {
        later if later > 0.0 => format!("written with the sound {later:.0} ms later"),
        earlier if earlier < 0.0 => format!("written with the sound {:.0} ms earlier", -earlier),
        _ => "written as it was: so small an offset is not seen".to_owned(),
    }
}
