//! `SyncNet` over one face: windows of five pictures and 200 ms of sound through its two nets, a few at a time.

use super::syncnet::{SAMPLES_PER_FRAME, SyncScore, SyncScorer, WINDOW_FRAMES};
use super::syncnet_crop::CROP_SIZE;
use std::collections::VecDeque;
use std::sync::Arc;
use viseme_audio::mfcc::COEFFICIENTS;
use viseme_audio::{Mfcc, MfccFrame};
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_models::{InferenceSession, ModelFile, Runtime, Tensor};

/// Windows that go through the nets at a time: 24 MB of pictures.
const BATCH: usize = 8;

/// Frames of coefficients of a window, and from one window to the next.
const WINDOW_COEFFICIENTS: usize = 20;
const COEFFICIENTS_PER_FRAME: usize = 4;

/// The two nets. Cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct SyncNet {
    lip: Arc<dyn InferenceSession>,
    audio: Arc<dyn InferenceSession>,
}

impl SyncNet {
    /// Wraps loaded nets: `lip` `[n, 3, 5, 224, 224]` (blue, green, red; 0 to 255) to `embedding`, and `mfcc`
    /// `[n, 1, 13, 20]` to `embedding`.
    #[must_use]
    pub fn new(lip: Arc<dyn InferenceSession>, audio: Arc<dyn InferenceSession>) -> Self {
        Self { lip, audio }
    }

    /// Loads the nets.
    ///
    /// # Errors
    /// When `runtime` cannot run them.
    pub fn load(runtime: &dyn Runtime, lip: &ModelFile, audio: &ModelFile) -> Result<Self> {
        Ok(Self::new(runtime.load(lip)?, runtime.load(audio)?))
    }
}

/// One face on its way through the nets, 25 frames a second. It holds the pictures of one batch of windows, and 124 bytes
/// for each frame.
#[derive(Debug)]
pub struct SyncNetTrack {
    nets: SyncNet,
    pictures: VecDeque<ImageU8<3>>,
    mfcc: Mfcc,
    coefficients: VecDeque<MfccFrame>,
    /// Whether the sound has ended: then there are no more windows.
    is_over: bool,
    batch: Batch,
    scorer: Option<SyncScorer>,
}

/// Windows that wait for the nets.
#[derive(Debug, Default)]
struct Batch {
    windows: usize,
    lips: Vec<f32>,
    speech: Vec<f32>,
}

impl SyncNetTrack {
    /// Starts a face.
    #[must_use]
    pub fn new(nets: SyncNet) -> Self {
        Self {
            nets,
            pictures: VecDeque::new(),
            mfcc: Mfcc::new(),
            coefficients: VecDeque::new(),
            is_over: false,
            batch: Batch::default(),
            scorer: None,
        }
    }

    /// Takes the picture of the next frame, made by [`syncnet_picture`](super::syncnet_picture::syncnet_picture), and the
    /// 640 samples that sound while it is shown (mono, 16 kHz, −1 to 1); fewer where the sound ends.
    ///
    /// # Errors
    /// When a net fails.
    pub fn push(&mut self, picture: ImageU8<3>, samples: &[f32]) -> Result<()> {
        if self.is_over {
            return Ok(());
        }
        self.is_over = samples.len() < SAMPLES_PER_FRAME as usize;
        // The reference reads 16-bit samples.
        let quantised: Vec<f32> =
            samples.iter().map(|v| (v * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0).collect();
        let mut frames = Vec::new();
        self.mfcc.push(&quantised, &mut frames);
        self.coefficients.extend(frames);
        self.pictures.push_back(picture);
        // One picture more than a window has: the reference leaves out the last window that would fit.
        if !self.is_over && self.pictures.len() > WINDOW_FRAMES {
            self.add_window();
            if self.batch.windows == BATCH {
                self.run()?;
            }
        }
        Ok(())
    }

    /// Ends the face. None when it was shorter than a window.
    ///
    /// # Errors
    /// When a net fails.
    pub fn finish(mut self) -> Result<Option<SyncScore>> {
        if self.batch.windows > 0 {
            self.run()?;
        }
        self.scorer.map(SyncScorer::finish).transpose()
    }

    /// Moves the first window to the batch.
    fn add_window(&mut self) {
        for channel in 0..3 {
            for picture in self.pictures.iter().take(WINDOW_FRAMES) {
                self.batch.lips.extend(picture.pixels().iter().map(|pixel| f32::from(pixel[channel])));
            }
        }
        for coefficient in 0..COEFFICIENTS {
            let window = self.coefficients.iter().take(WINDOW_COEFFICIENTS);
            self.batch.speech.extend(window.map(|frame| frame[coefficient] as f32));
        }
        self.batch.windows += 1;
        self.pictures.pop_front();
        self.coefficients.drain(..COEFFICIENTS_PER_FRAME.min(self.coefficients.len()));
    }

    fn run(&mut self) -> Result<()> {
        let Batch { windows, lips, speech } = std::mem::take(&mut self.batch);
        let side = CROP_SIZE as usize;
        let lips = Tensor::new(vec![windows, 3, WINDOW_FRAMES, side, side], lips)?;
        let speech = Tensor::new(vec![windows, 1, COEFFICIENTS, WINDOW_COEFFICIENTS], speech)?;
        let lips = embeddings(self.nets.lip.as_ref(), "lip", lips)?;
        let speech = embeddings(self.nets.audio.as_ref(), "mfcc", speech)?;
        let width = lips.len() / windows;
        if width == 0 || lips.len() != width * windows || speech.len() != lips.len() {
            return Err(Error::internal("the sync nets gave embeddings of another number or width"));
        }
        let scorer = self.scorer.get_or_insert_with(|| SyncScorer::new(width));
        for (lips, speech) in lips.chunks_exact(width).zip(speech.chunks_exact(width)) {
            scorer.push(lips, speech)?;
        }
        Ok(())
    }
}

fn embeddings(net: &dyn InferenceSession, input: &str, values: Tensor) -> Result<Vec<f32>> {
    let outputs = net.run(vec![(input, values)], &["embedding"])?;
    let [embedding] = <[Tensor; 1]>::try_from(outputs)
        .map_err(|_| Error::internal("a sync net gave another number of outputs than asked for"))?;
    embedding.into_floats()
}
