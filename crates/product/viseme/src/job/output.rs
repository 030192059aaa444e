//! What a job writes: the encoders, the join of picture and sound, the page for people.

use super::Job;
use crate::analyse::timebase;
use crate::clip::Clip;
use crate::evidence::Evidence;
use crate::html_report::Page;
use crate::inputs::Inputs;
use crate::mask::mask_video;
use crate::offset::{OffsetMode, ResultOffset};
use crate::plan::Plan;
use crate::render::{Rendered, Sinks};
use crate::report::Report;
use crate::spec::JobSpec;
use crate::voices::OutputSound;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Result, Warning};
use viseme_media::{
    EncodeSettings, FrameSink, MuxPlan, OutputFile, OutputVideo, Ratio, SourceStreams, VideoCodec,
    VideoWriter, WrittenVideo, mux,
};

impl Job<'_> {
    /// Encoders for frames of the job that write into `folder`, and what the codec cannot keep.
    pub(super) fn sinks(&self, clip: &dyn Clip, folder: &Path) -> Result<(Sinks<'static>, Vec<Warning>)> {
        let mut video = OutputVideo::like(clip.info());
        video.timebase = timebase(clip);
        if clip.is_still() {
            let rate = Ratio::new(video.timebase.denominator(), video.timebase.numerator());
            video.average_frame_rate = rate.unwrap_or(video.average_frame_rate);
        }
        let settings = self.spec.encode.settings();
        let writer = self.writer(&folder.join("picture"), &video, &settings)?;
        let warnings = writer.warnings().to_vec();
        let mask: Option<Box<dyn FrameSink>> = if self.spec.mask_output.is_some() {
            let settings =
                EncodeSettings { codec: VideoCodec::Ffv1, lossless: true, ..EncodeSettings::default() };
            Some(Box::new(self.writer(&folder.join("mask"), &mask_video(&video), &settings)?))
        } else {
            None
        };
        Ok((Sinks { video: Box::new(writer), mask, witness: None }, warnings))
    }

    fn writer(&self, stem: &Path, video: &OutputVideo, settings: &EncodeSettings) -> Result<VideoWriter> {
        // Both keep times exactly; neither takes every codec.
        let is_mp4 = matches!(settings.codec, VideoCodec::Vp9 | VideoCodec::Av1);
        let path = stem.with_extension(if is_mp4 { "mp4" } else { "mov" });
        VideoWriter::create(&self.runner.tools, &path, video, settings, &self.spec.limits)
    }

    /// What is heard in the output; none where it is to be silent. What its container does not take is encoded from now on.
    pub(super) fn sound(&self, inputs: &Inputs, plan: &Plan) -> Result<Option<OutputSound>> {
        if !self.spec.include_sound {
            return Ok(None);
        }
        let (tools, spec, work_dir) = (&self.runner.tools, self.spec, self.work_dir.path());
        let mut sound = OutputSound::new(tools, spec, inputs, work_dir)?;
        // Sound that will be moved can be cut to its length only then.
        if spec.offset == OffsetMode::Leave {
            sound.encode(tools, (plan.duration_s(), &spec.limits), (&spec.output, work_dir))?;
        }
        Ok(Some(sound))
    }

    /// Joins picture and sound, apart by `offset`, and puts the files in place.
    pub(super) fn finish(
        &mut self,
        inputs: &Inputs,
        mut sound: Option<OutputSound>,
        (plan, rendered, offset): (&Plan, &Rendered, Option<&ResultOffset>),
        (output, mask_output): (OutputFile, Option<OutputFile>),
    ) -> Result<()> {
        let replaced_audio = inputs.source.default_audio().map(|audio| audio.stream_index);
        let source = SourceStreams { path: &self.spec.video, info: &inputs.source, replaced_audio };
        if let Some(sound) = &mut sound {
            self.warn_all(sound.finish(&self.runner.tools, &self.spec.limits)?);
        }
        let delay_s = offset.map_or(0.0, |offset| offset.sound_moved_ms / 1000.0);
        let mux_plan = MuxPlan {
            speech: sound.as_ref().map(|sound| sound.speech(delay_s)),
            source: self.keeps_clock(inputs.source.is_still).then_some(source),
            ..silent(&rendered.video, plan)
        };
        if let (Some(mask), Some(output)) = (&rendered.mask, mask_output) {
            mux(&self.runner.tools, &silent(mask, plan), output, &self.spec.limits)?;
        }
        let muxed = mux(&self.runner.tools, &mux_plan, output, &self.spec.limits);
        if let (Err(_), Some(mask)) = (&muxed, &self.spec.mask_output) {
            // A mask without its video is half a result; the error of the video is the one to tell.
            let _ = std::fs::remove_file(mask);
        }
        muxed?.warnings.into_iter().for_each(|warning| self.warn(warning));
        Ok(())
    }
}

/// Puts the page of a finished job in place.
pub(super) fn write_page(
    spec: &JobSpec,
    report: &Report,
    evidence: &Evidence,
    file: OutputFile,
) -> Result<()> {
    let speeches: Vec<&Path> = spec.speeches().map(PathBuf::as_path).collect();
    let page = Page { report, video: &spec.video, speeches: &speeches, evidence };
    std::fs::write(file.temporary_path(), page.html())
        .map_err(|source| Error::io(format_args!("write {}", file.target().display()), source))
        .and_then(|()| file.commit())
        .map_err(|error| error.with_hint("The video itself is whole; only its report could not be written."))
}

/// A file with a picture alone.
fn silent<'a>(video: &'a WrittenVideo, plan: &Plan) -> MuxPlan<'a> {
    MuxPlan {
        video,
        speech: None,
        source: None,
        duration_s: plan.duration_s(),
        is_edited_by_ai: true,
        tags: BTreeMap::new(),
    }
}
