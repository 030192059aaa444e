//! From what a job met to its report.

use crate::analyse::Analysis;
use crate::cache::CacheUse;
use crate::clip::Clip;
use crate::offset::ResultOffset;
use crate::people::People;
use crate::plan::{Plan, PlannedFrame};
use crate::render::Rendered;
use crate::report::{InputFacts, OutputFacts, SpeechFacts, TrackReport, TrackSummary};
use crate::speaking::{SpeakerSpans, SpeakersReport, Speaking};
use crate::voices::{Heard, Role};
use std::collections::BTreeMap;
use std::path::Path;
use viseme_core::segment::Segment;
use viseme_core::{Error, Result};
use viseme_engines::{SpeechSummary, VoiceId};
use viseme_face::segments::{FrameState, SegmentFrame, segments};
use viseme_face::{FaceSummary, Track};

/// What a finished job has met.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) analysis: &'a Analysis,
    pub(crate) cache_use: CacheUse,
    pub(crate) people: &'a People,
    pub(crate) plan: &'a Plan,
    /// Who speaks when, where the faces speak in turns.
    pub(crate) speaking: Option<(&'a Speaking, &'a SpeakerSpans)>,
    pub(crate) roles: &'a [Role],
    pub(crate) heard: &'a Heard,
    pub(crate) speech: &'a BTreeMap<VoiceId, SpeechSummary>,
    pub(crate) rendered: &'a Rendered,
    /// How far lips and sound are apart.
    pub(crate) offset: Option<&'a ResultOffset>,
}

impl Facts<'_> {
    /// Who was taken for the speaker.
    pub(crate) fn speakers(&self) -> Option<SpeakersReport> {
        let report = |(speaking, spans)| SpeakersReport::new(speaking, spans, self.people, self.analysis);
        self.speaking.map(report)
    }

    /// The speech that went in.
    pub(crate) fn speech(&self) -> SpeechFacts {
        SpeechFacts {
            duration_ms: milliseconds(self.heard.end_s),
            voiced_ms: milliseconds(self.speech.values().map(|speech| speech.voiced_s).sum()),
        }
    }

    /// The video that came out, which lies at `path`.
    ///
    /// # Errors
    /// When it is not there any more.
    pub(crate) fn output(&self, path: &Path) -> Result<OutputFacts> {
        let (info, plan) = (self.clip.info(), self.plan);
        let metadata = std::fs::metadata(path)
            .map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
        Ok(OutputFacts {
            path: path.to_owned(),
            width: info.width,
            height: info.height,
            fps: rate(plan.len(), plan.duration_s() - plan.start_s(0)),
            frames_planned: plan.len(),
            frames_written: self.rendered.video.frames,
            frames_changed: self.rendered.changed,
            duration_ms: milliseconds(plan.duration_s()),
            size_bytes: metadata.len(),
        })
    }

    /// Every face that was followed.
    pub(crate) fn tracks(&self) -> Vec<TrackReport> {
        self.analysis.tracks.tracks().iter().map(|track| self.track(track)).collect()
    }

    fn track(&self, track: &Track) -> TrackReport {
        let face = self.plan.faces().iter().find(|face| face.track == track.id);
        let segments =
            face.map(|face| self.segments(|frame| (face.state(frame), track.summary(frame.source))));
        let segments = segments.unwrap_or_default();
        TrackReport {
            number: track.id.0 + 1,
            character_id: self.people.of(track.id).map(|person| person.id.clone()).unwrap_or_default(),
            frames: track.seen().count() as u64,
            mean_bbox: track.mean_bbox(),
            chosen: face.is_some(),
            summary: face.map(|_| TrackSummary::of(&segments)),
            segments,
        }
    }

    /// The segments of a face, from what happens to it in an output frame, and what is known of it there.
    pub(crate) fn segments<'f>(
        &self,
        face: impl Fn(&PlannedFrame) -> (FrameState, Option<&'f FaceSummary>),
    ) -> Vec<Segment> {
        segments(self.plan.frames().map(|frame| {
            let (state, face) = face(&frame);
            SegmentFrame {
                start_ms: milliseconds(frame.speech_s),
                end_ms: milliseconds(self.plan.start_s(frame.output.0 + 1)),
                state,
                face,
            }
        }))
    }
}

/// The part of the video that a job or a score has looked at.
pub(crate) fn input_facts(clip: &dyn Clip, analysis: &Analysis) -> InputFacts {
    let (info, times) = (clip.info(), &analysis.times);
    let duration_s = times.seconds(times.end());
    InputFacts {
        width: info.width,
        height: info.height,
        fps: rate(times.len() as u64, duration_s),
        frames: times.len() as u64,
        duration_ms: milliseconds(duration_s),
        is_still: clip.is_still(),
    }
}

/// Seconds to milliseconds, rounded to nearest; never negative.
pub(crate) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().max(0.0) as u64
}

/// Mean frames per second.
pub(crate) fn rate(frames: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { frames as f64 / seconds } else { 0.0 }
}
