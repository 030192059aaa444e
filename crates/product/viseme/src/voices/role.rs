//! Who has lines, and which voice they speak them with.

use super::whom::speaker;
use super::{Piece, Voice};
use crate::job::Seen;
use crate::lines::{Line, check_apart};
use crate::spec::JobSpec;
use std::collections::BTreeMap;
use std::ops::Range;
use viseme_core::{Result, Warning, WarningCode};
use viseme_engines::VoiceId;
use viseme_face::TrackId;

/// Somebody who has lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Role {
    /// The name of the person. None when nobody is seen whom the lines could mean.
    pub(crate) person: Option<String>,
    /// Where the person is seen.
    pub(crate) tracks: Vec<TrackId>,
    /// What the lines are spoken with: the speech of the job where they have no sound of their own.
    pub(crate) voice: VoiceId,
    /// The lines by their numbers in the job, in order of time.
    pub(crate) lines: Vec<usize>,
}

/// Who has lines in a job, in order of their first ones, with warnings about lines that nobody is seen for. `lead_s` is when
/// the first frame is shown, in seconds of the output.
///
/// # Errors
/// `InvalidInput` for a name that nobody in the video has, and for two lines of one person at a time.
pub(crate) fn roles(spec: &JobSpec, seen: &Seen<'_>, lead_s: f64) -> Result<(Vec<Role>, Vec<Warning>)> {
    let (mut roles, mut warnings): (Vec<Role>, _) = (Vec::new(), Vec::new());
    for (number, line) in spec.say.iter().enumerate() {
        let person = speaker(line, seen, lead_s)?;
        if person.is_none() && line.bbox.is_some() {
            let message = format!("nobody was found for {}", line.label());
            warnings.push(Warning::new(WarningCode::CharacterNotFound, message));
        }
        let name = person.map(|person| person.id.clone());
        let is_same = |role: &&mut Role| {
            role.person == name && (name.is_some() || spec.say[role.lines[0]].who == line.who)
        };
        match roles.iter_mut().find(is_same) {
            Some(role) => role.lines.push(number),
            None => roles.push(Role {
                person: name,
                tracks: person.map(|person| person.tracks.clone()).unwrap_or_default(),
                voice: VoiceId::MAIN,
                lines: vec![number],
            }),
        }
    }
    let mut next = VoiceId::MAIN.0;
    for role in &mut roles {
        role.lines.sort_by(|&a, &b| spec.say[a].begin_s().total_cmp(&spec.say[b].begin_s()));
        for pair in role.lines.windows(2).filter(|_| role.person.is_some()) {
            check_apart(&spec.say[pair[0]], &spec.say[pair[1]])?;
        }
        if role.lines.iter().any(|&line| spec.say[line].audio.is_some()) {
            next += 1;
            role.voice = VoiceId(next);
        }
    }
    Ok((roles, warnings))
}

impl Role {
    /// The voice that the lines make together; none where it is the speech of the job.
    pub(crate) fn own_voice<'a>(&self, spec: &'a JobSpec) -> Option<Voice<'a>> {
        let piece = |&number: &usize| {
            let line = &spec.say[number];
            let (line_number, start_s, end_s) = (Some(number), line.begin_s(), line.end_s);
            let own = line.audio.as_deref().map(|path| (path, 0.0));
            let (path, from_s) = own.or_else(|| Some((spec.audio.as_deref()?, start_s)))?;
            Some(Piece { path, line: line_number, start_s, from_s, end_s })
        };
        let pieces = self.lines.iter().filter_map(piece).collect();
        (self.voice != VoiceId::MAIN).then_some(Voice { id: self.voice, pieces })
    }

    /// When the person speaks, in seconds of the output. `lengths_s` says how long the sounds of the lines were.
    pub(crate) fn spans(&self, lines: &[Line], lengths_s: &BTreeMap<usize, f64>) -> Vec<Range<f64>> {
        let length_s = |line: &usize| lengths_s.get(line).copied().unwrap_or_default();
        self.lines.iter().map(|line| lines[*line].span(length_s(line))).collect()
    }
}
