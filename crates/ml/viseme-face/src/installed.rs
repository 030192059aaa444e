//! The public models that are installed on this machine, the best for each purpose.
//!
//! A model that is not for commercial use is here only when its licence was accepted: the store sees to that.

use crate::Weights;
use crate::detect::{DetectorChoice, FaceDetector, S3fd, Scrfd, YuNet};
use crate::identity::{FaceEmbedder, arcface, mobilefacenet, native, sface};
use crate::landmarks::{Fan, HeadPoseModel, InsightFace68, InsightFace106, SchemeModel};
use crate::parse::{BiSeNet, FaceParser};
use std::sync::Arc;
use viseme_core::{ErrorKind, Result};
use viseme_models::{InferenceSession, ModelFile, Runtime, Store};

/// Wraps a loaded net as what it does.
type Open<M> = fn(Arc<dyn InferenceSession>) -> Result<Arc<M>>;

/// A model of the store: its name, the part that is used, and what it is wrapped as.
#[derive(Debug)]
struct Candidate<M: ?Sized> {
    id: &'static str,
    part: &'static str,
    open: Open<M>,
}

impl<M: ?Sized> Candidate<M> {
    const fn new(id: &'static str, part: &'static str, open: Open<M>) -> Self {
        Self { id, part, open }
    }
}

/// SCRFD, the more exact first.
const SCRFD: [Candidate<dyn FaceDetector>; 2] = [
    Candidate::new("det_10g", "detector", |net| Ok(Arc::new(Scrfd::new(net)?))),
    Candidate::new("scrfd_2_5g", "detector", |net| Ok(Arc::new(Scrfd::new(net)?))),
];
const YUNET: [Candidate<dyn FaceDetector>; 1] =
    [Candidate::new("yunet", "detector", |net| Ok(Arc::new(YuNet::new(net)?)))];
const S3FD: [Candidate<dyn FaceDetector>; 1] =
    [Candidate::new("s3fd", "detector", |net| Ok(Arc::new(S3fd::new(net)?)))];
const EMBEDDERS: [Candidate<dyn FaceEmbedder>; 3] = [
    Candidate::new("w600k_r50", "embedder", |net| Ok(Arc::new(arcface(net)?))),
    Candidate::new("sface", "embedder", |net| Ok(Arc::new(sface(net)?))),
    Candidate::new("mobilefacenet", "embedder", |net| Ok(Arc::new(mobilefacenet(net)?))),
];
const POINTS_68: [Candidate<dyn SchemeModel>; 2] = [
    Candidate::new("2dfan4", "landmarks", |net| Ok(Arc::new(Fan::new(net)?))),
    Candidate::new("1k3d68", "landmarks", |net| Ok(Arc::new(InsightFace68::new(net)?))),
];
const POINTS_106: [Candidate<dyn SchemeModel>; 1] =
    [Candidate::new("2d106det", "landmarks", |net| Ok(Arc::new(InsightFace106::new(net)?)))];
const HEAD_POSES: [Candidate<dyn HeadPoseModel>; 1] =
    [Candidate::new("1k3d68", "landmarks", |net| Ok(Arc::new(InsightFace68::new(net)?)))];
const PARSERS: [Candidate<dyn FaceParser>; 1] =
    [Candidate::new("bisenet", "parser", |net| Ok(Arc::new(BiSeNet::new(net)?)))];

/// Opens installed models.
#[derive(Debug, Clone, Copy)]
pub struct InstalledModels<'a> {
    store: &'a Store,
    runtime: &'a dyn Runtime,
}

impl<'a> InstalledModels<'a> {
    /// The models in `store`, to be run by `runtime`.
    #[must_use]
    pub fn new(store: &'a Store, runtime: &'a dyn Runtime) -> Self {
        Self { store, runtime }
    }

    /// The detector that `choice` names; `None` for our own. [`Auto`](DetectorChoice::Auto) takes SCRFD before
    /// `YuNet`, our own where neither is installed, and never S3FD, which is slow.
    ///
    /// # Errors
    /// `ModelMissing`, with the command that mends it, when a model was named that is not installed; whatever loading
    /// it meets.
    pub fn detector(&self, choice: DetectorChoice) -> Result<Option<Arc<dyn FaceDetector>>> {
        match choice {
            DetectorChoice::Native => Ok(None),
            DetectorChoice::Scrfd => self.first(&SCRFD).map(Some),
            DetectorChoice::Yunet => self.first(&YUNET).map(Some),
            DetectorChoice::S3fd => self.first(&S3FD).map(Some),
            DetectorChoice::Auto => self.any(SCRFD.iter().chain(&YUNET)),
        }
    }

    /// The best embedder that is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn embedder(&self) -> Result<Option<Arc<dyn FaceEmbedder>>> {
        self.any(&EMBEDDERS)
    }

    /// The embedder to tell people apart with: the best that is installed, our own with `weights` where none is.
    ///
    /// Take one for a whole job: embeddings of two embedders are not comparable.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn best_embedder(&self, weights: Weights) -> Result<Arc<dyn FaceEmbedder>> {
        match self.embedder()? {
            Some(installed) => Ok(installed),
            None => Ok(Arc::new(native(self.runtime, weights)?)),
        }
    }

    /// The best model for 68 points that is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn points_68(&self) -> Result<Option<Arc<dyn SchemeModel>>> {
        self.any(&POINTS_68)
    }

    /// The best model for 106 points that is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn points_106(&self) -> Result<Option<Arc<dyn SchemeModel>>> {
        self.any(&POINTS_106)
    }

    /// The best model for head pose that is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn head_pose(&self) -> Result<Option<Arc<dyn HeadPoseModel>>> {
        self.any(&HEAD_POSES)
    }

    /// The best face parser that is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn parser(&self) -> Result<Option<Arc<dyn FaceParser>>> {
        self.any(&PARSERS)
    }

    /// The first candidate that is installed.
    fn any<'c, M: ?Sized + 'c>(
        &self,
        candidates: impl IntoIterator<Item = &'c Candidate<M>>,
    ) -> Result<Option<Arc<M>>> {
        for candidate in candidates {
            match self.open(candidate) {
                Err(error) if error.kind() == ErrorKind::ModelMissing => {}
                opened => return opened.map(Some),
            }
        }
        Ok(None)
    }

    /// The first candidate that is installed; where none is, the error of the last, which is the smallest.
    fn first<M: ?Sized>(&self, candidates: &[Candidate<M>]) -> Result<Arc<M>> {
        if let Some(found) = self.any(candidates)? {
            return Ok(found);
        }
        match candidates.last() {
            Some(last) => self.open(last),
            None => Err(viseme_core::Error::internal("no model to choose from")),
        }
    }

    fn open<M: ?Sized>(&self, candidate: &Candidate<M>) -> Result<Arc<M>> {
        let installed = self.store.model(candidate.id)?;
        let file = ModelFile::file(candidate.id, &installed.graph(candidate.part)?.path);
        (candidate.open)(self.runtime.load(&file)?)
    }
}
