//! Turns the original PyTorch checkpoint of a plain convolutional net into an ONNX file.

use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};

/// The nets whose original checkpoints we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// The generator of Wav2Lip, 96 pixels, with or without GAN training (`wav2lip.pth`, `wav2lip_gan.pth`).
    Wav2Lip,
    /// The picture branch of SyncNet v2 in colour (`syncnet_v2.model`).
    SyncNetLip,
    /// The sound branch of SyncNet v2, from the same file.
    SyncNetAudio,
    /// The face detector S3FD (`s3fd-619a316812.pth`).
    S3fd,
}

/// Reads the checkpoint at `source` and writes the net as one ONNX file at `target`, whole or not at all.
///
/// # Errors
///
/// `InvalidInput` when `source` is no such checkpoint, cut off or hostile; an error of the file system otherwise.
pub fn convert(architecture: Architecture, source: &Path, target: &Path) -> Result<()> {
    let _ = (source, target);
    Err(Error::new(ErrorKind::Unsupported, format!("checkpoints of {architecture:?} cannot be read yet")))
}
