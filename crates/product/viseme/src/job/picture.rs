//! How the frames of a job become a file: copied as they are, encoded in one go, or in chunks that are kept.

use super::{Job, Seen};
use crate::clip::Clip;
use crate::evidence::{Evidence, Witness};
use crate::plan::Plan;
use crate::render::{Rendered, Renderer, Sinks};
use crate::resume::{Chunks, basis};
use crate::untouched::copied_picture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Result, Stage};
use viseme_engines::{EngineJob, Enhancement, ExpectedMouth, VoiceId};
use viseme_face::Track;

impl<'a> Job<'a> {
    /// Makes the picture, and keeps of it what the page for people shows.
    pub(super) fn render(
        &mut self,
        seen: &Seen<'_>,
        plan: &Plan,
        expected: Option<BTreeMap<VoiceId, ExpectedMouth>>,
        engine: &dyn EngineJob,
    ) -> Result<(Rendered, Evidence)> {
        let enhancer = self.runner.enhancer.as_ref();
        let enhancement = enhancer.map(|e| Enhancement::new(Arc::clone(e), self.spec.enhance.options()));
        let interpolator = self.interpolator.clone();
        let renderer = Renderer {
            clip: seen.clip,
            analysis: seen.analysis,
            plan,
            at_once: self.runner.engine.info().at_once,
            interpolator: interpolator.as_ref().map(|found| found.net.as_ref()),
            enhancement: enhancement.as_ref(),
            enhancing: Mutex::default(),
            observer: self.observer,
        };
        let witness = expected.map(|expected| self.witness(plan, seen, expected));
        let mut rendered = self.picture(&renderer, engine, witness.as_ref())?;
        let shown = std::mem::take(&mut rendered.seen);
        if enhancement.is_some() {
            let spent = renderer.enhancing.into_inner().unwrap_or_else(PoisonError::into_inner);
            self.timings.insert(Stage::Enhance, spent.as_millis() as u64);
        }
        Ok((rendered, witness.map(|witness| witness.evidence(shown)).unwrap_or_default()))
    }

    /// Makes the picture of the output, as a file in the work folder.
    fn picture(
        &mut self,
        renderer: &Renderer<'_>,
        engine: &dyn EngineJob,
        witness: Option<&Witness<'_>>,
    ) -> Result<Rendered> {
        let Renderer { clip, plan, .. } = *renderer;
        let tools = &self.runner.tools;
        if let Some(untouched) = copied_picture(tools, self.spec, clip, plan, self.work_dir.path())? {
            return Ok(untouched);
        }
        if let Some(chunks) = self.chunks(clip, plan)? {
            let whole = chunks.complete(self.observer, &mut |frames, folder| {
                let (sinks, warnings) = self.sinks(clip, folder)?;
                Ok((renderer.render(engine, frames, Sinks { witness, ..sinks })?, warnings))
            })?;
            let (rendered, warnings) = whole.join(tools, &self.spec.limits, self.work_dir.path())?;
            self.warn_all(warnings);
            return Ok(rendered);
        }
        let (sinks, warnings) = self.sinks(clip, self.work_dir.path())?;
        self.warn_all(warnings);
        renderer.render(engine, 0..plan.len(), Sinks { witness, ..sinks })
    }

    /// The chunks of the output, where they are kept.
    fn chunks<'p>(&self, clip: &dyn Clip, plan: &'p Plan) -> Result<Option<Chunks<'p>>> {
        let Some((folder, frames)) = self.kept else { return Ok(None) };
        // Without knowing what they depend on there is nothing to go on from.
        let interpolator = self.interpolator.as_ref();
        let basis = basis(self.runner, self.spec, clip, interpolator, self.observer)?;
        basis.map(|basis| Chunks::new(folder, &basis, plan, frames)).transpose()
    }

    /// What keeps a little of the picture, for its page and its offset.
    fn witness<'s>(
        &self,
        plan: &'s Plan,
        seen: &Seen<'s>,
        expected: BTreeMap<VoiceId, ExpectedMouth>,
    ) -> Witness<'s>
    where
        'a: 's,
    {
        let Seen { clip, analysis, people } = *seen;
        let name = |track: &Track| Some((track.id, people.of(track.id)?.id.clone()));
        let names = analysis.tracks.tracks().iter().filter_map(name).collect();
        let looks = (&self.runner.nets, &clip.info().colour);
        Witness::new(plan, &analysis.tracks, names, expected, looks)
    }
}
