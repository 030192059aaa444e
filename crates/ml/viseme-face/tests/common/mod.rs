//! Real portraits and weights of the shared test material.

use std::path::Path;
use std::sync::Arc;
use viseme_core::Limits;
use viseme_face::framing::AnalysisImage;
use viseme_imaging::{ColourInfo, Frame};
use viseme_media::{FrameSource, ReadOptions, Tools, VideoReader, probe};
use viseme_models::{InferenceSession, ModelFile, RtenRuntime, Runtime};

/// A decoded picture.
pub(crate) struct Portrait {
    /// The name of its file.
    pub(crate) name: String,
    frame: Frame,
    colour: ColourInfo,
}

impl Portrait {
    /// What a detector looks at.
    pub(crate) fn image(&self) -> AnalysisImage<'_> {
        AnalysisImage { frame: &self.frame, colour: &self.colour }
    }
}

/// All shared portraits.
pub(crate) fn portraits(shared: &Path) -> Vec<Portrait> {
    let mut files: Vec<_> =
        std::fs::read_dir(shared.join("portraits")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| frame_of(file, 0)).collect()
}

/// A frame of a picture or video.
pub(crate) fn frame_of(file: &Path, number: u64) -> Portrait {
    let (tools, limits) = (Tools::locate().unwrap(), Limits::default());
    let video = probe(&tools, file, &limits).unwrap().video.unwrap();
    let options = ReadOptions { frame_count: Some(number + 1), ..ReadOptions::default() };
    let mut reader = VideoReader::open(&tools, file, &video, options, &limits).unwrap();
    let mut last = None;
    while let Some(frame) = reader.next_frame().unwrap() {
        last = Some(frame);
    }
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    Portrait { name, frame: last.unwrap(), colour: video.colour }
}

/// A net of the shared weights.
pub(crate) fn load(shared: &Path, name: &str) -> Arc<dyn InferenceSession> {
    let file = ModelFile::file(name, shared.join("weights").join(format!("{name}.onnx")));
    RtenRuntime::default().load(&file).unwrap()
}
