//! A Wav2Lip whose answer is plain to see.

use viseme_core::Result;
use viseme_models::{
    Device, ElementType, InferenceSession, Placement, RuntimeKind, SessionInfo, Tensor, TensorInfo,
};

/// Values of a picture of 96 × 96 pixels with three channels.
const PICTURE: usize = 3 * 96 * 96;

/// Takes what Wav2Lip takes. Its answer is the face that it was shown, the lower half in stripes eight pixels wide: black and a
/// gray that is the lighter the louder the speech is.
#[derive(Debug)]
pub struct FakeGenerator {
    info: SessionInfo,
    heard: std::sync::Mutex<Vec<f32>>,
}

impl Default for FakeGenerator {
    fn default() -> Self {
        Self::with_batch(None)
    }
}

impl FakeGenerator {
    /// One that takes so many faces at once, no more and no less; any number with `None`.
    #[must_use]
    pub fn with_batch(items: Option<usize>) -> Self {
        let tensor = |name: &str, item: [usize; 3]| TensorInfo {
            name: name.to_owned(),
            shape: std::iter::once(items).chain(item.map(Some)).collect(),
            element: ElementType::F32,
        };
        let info = SessionInfo {
            name: "fake generator".to_owned(),
            inputs: vec![tensor("source", [1, 80, 16]), tensor("target", [6, 96, 96])],
            outputs: vec![tensor("output", [3, 96, 96])],
            placement: Placement { runtime: RuntimeKind::Rten, device: Device::Cpu },
        };
        Self { info, heard: std::sync::Mutex::default() }
    }

    /// The mean level of the speech of each face so far, −4 to 4.
    #[must_use]
    pub fn heard(&self) -> Vec<f32> {
        self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl InferenceSession for FakeGenerator {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, _: &[&str]) -> Result<Vec<Tensor>> {
        let input = |name: &str| inputs.iter().find(|(given, _)| *given == name).expect(name).1.clone();
        let (speech, faces) = (input("source"), input("target"));
        let items = faces.shape()[0];
        assert!(self.info.inputs[1].takes(faces.shape()), "a batch of {items}");
        let mut made = Vec::with_capacity(items * PICTURE);
        let chunks = speech.floats()?.chunks_exact(80 * 16);
        for (chunk, channels) in chunks.zip(faces.floats()?.chunks_exact(2 * PICTURE)) {
            let loudness = chunk.iter().sum::<f32>() / chunk.len() as f32;
            self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(loudness);
            let light = 0.5 + loudness / 8.0;
            made.extend(channels[PICTURE..].iter().enumerate().map(|(at, &own)| match at % (96 * 96) {
                place if place < 48 * 96 => own,
                place => {
                    if place % 16 < 8 {
                        0.0
                    } else {
                        light
                    }
                }
            }));
        }
        Ok(vec![Tensor::new(vec![items, 3, 96, 96], made)?])
    }
}
