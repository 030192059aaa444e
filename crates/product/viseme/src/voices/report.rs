//! What became of each line.

use super::Role;
use crate::lines::Line;
use crate::summary::{Facts, milliseconds};
use serde::Serialize;
use std::path::PathBuf;

/// What became of a line of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineReport {
    /// Whom the job names.
    pub who: String,
    /// Who that is: the id of a character, or `face_1`, `face_2`, … None when nobody is seen who could be meant.
    pub character_id: Option<String>,
    /// What is said. None is the speech of the whole job.
    pub audio: Option<PathBuf>,
    /// When it begins, in milliseconds of the output.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// Whether the lips were moved in any frame of it.
    pub success: bool,
    /// Why not.
    pub error_message: Option<String>,
}

/// What became of the lines of a job that has met `facts`.
pub(crate) fn line_reports(lines: &[Line], facts: &Facts<'_>) -> Vec<LineReport> {
    let report = |(number, line)| {
        let role = facts.roles.iter().find(|role| role.lines.contains(&number));
        role.map(|role| line_report((number, line), role, facts))
    };
    lines.iter().enumerate().filter_map(report).collect()
}

fn line_report((number, line): (usize, &Line), role: &Role, facts: &Facts<'_>) -> LineReport {
    let plan = facts.plan;
    let span = line.span(facts.heard.lines_s.get(&number).copied().unwrap_or_default());
    let faces: Vec<_> = plan.faces().iter().filter(|face| role.tracks.contains(&face.track)).collect();
    let mut during = plan.frames().filter(|frame| span.contains(&frame.speech_s));
    let success = during.any(|frame| faces.iter().any(|face| face.state(&frame).is_moved()));
    let why = || match role.person {
        None => "not found in the video",
        Some(_) if span.start >= plan.duration_s() => "begins after the end of the output",
        Some(_) => "never fit to be synced: the segments say why",
    };
    LineReport {
        who: line.who.clone(),
        character_id: role.person.clone(),
        audio: line.audio.clone(),
        start_ms: milliseconds(span.start.min(plan.duration_s())),
        end_ms: milliseconds(span.end.min(plan.duration_s())),
        success,
        error_message: (!success).then(|| why().to_owned()),
    }
}
