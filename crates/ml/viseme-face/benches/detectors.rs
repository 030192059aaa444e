//! How long each detector takes for a real portrait, with `rten`. Skips without the shared test material.

use criterion::{Criterion, criterion_group, criterion_main};
use std::path::Path;
use std::sync::Arc;
use viseme_core::{Limits, Result};
use viseme_face::detect::{Scrfd, YuNet};
use viseme_face::framing::AnalysisImage;
use viseme_face::{FaceDetector, FaceNets, Weights};
use viseme_media::{FrameSource, ReadOptions, Tools, VideoReader, probe};
use viseme_models::{InferenceSession, ModelFile, RtenRuntime, Runtime};

fn benchmark(criterion: &mut Criterion) {
    let Some(shared) = viseme_testing::shared_dir() else {
        return viseme_testing::skipped("no folder with real portraits; set VISEME_SHARED");
    };
    if let Err(error) = measure(criterion, &shared) {
        viseme_testing::skipped(&error.to_string());
    }
}

fn measure(criterion: &mut Criterion, shared: &Path) -> Result<()> {
    let (tools, limits) = (Tools::locate()?, Limits::default());
    let file = shared.join("portraits/face_bbt1.jpg");
    let Some(video) = probe(&tools, &file, &limits)?.video else { return Ok(()) };
    let mut reader = VideoReader::open(&tools, &file, &video, ReadOptions::default(), &limits)?;
    let Some(frame) = reader.next_frame()? else { return Ok(()) };
    let image = AnalysisImage { frame: &frame, colour: &video.colour };
    let runtime = RtenRuntime::default();
    let load = |name: &str| -> Result<Arc<dyn InferenceSession>> {
        runtime.load(&ModelFile::file(name, shared.join("weights").join(format!("{name}.onnx"))))
    };
    let detectors: [Arc<dyn FaceDetector>; 3] = [
        FaceNets::embedded(&runtime, Weights::Default)?.detector,
        Arc::new(Scrfd::new(load("scrfd_2.5g_bnkps")?)?),
        Arc::new(YuNet::new(load("yunet_n_dynamic")?)?),
    ];
    for detector in detectors {
        criterion.bench_function(detector.name(), |b| b.iter(|| detector.detect(image)));
    }
    Ok(())
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
