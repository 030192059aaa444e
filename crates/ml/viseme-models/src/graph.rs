//! Writes plain nets as ONNX, from the tensors of a checkpoint.
//!
//! One file per net says how its layers hang together, in the words of [`Builder`]. Weights are checked against the
//! layers, their widths taken from the tensors; batch normalisation is folded into the convolution before it. The values
//! of the weights stay in the checkpoint until [`write`] copies them, one tensor at a time.

mod builder;
mod fold;
mod gru;
mod layers;
mod lr_asd;
mod nodes;
mod rows;
mod s3fd;
mod syncnet;
mod wav2lip;
mod write;

use crate::Architecture;
use crate::checkpoint::Checkpoint;
use builder::Builder;
pub(crate) use rows::rows_from;
use std::io::Write;
use viseme_core::{Error, Result};

/// Writes the net of the checkpoint to `output`.
///
/// # Errors
/// `InvalidInput` that names the tensor which is missing, has another shape or belongs to no layer.
pub(crate) fn convert(
    architecture: Architecture,
    checkpoint: &mut Checkpoint,
    output: impl Write,
) -> Result<()> {
    let mut builder = Builder::new(checkpoint);
    match architecture {
        Architecture::Wav2Lip => wav2lip::build(&mut builder)?,
        Architecture::SyncNetLip => syncnet::build_lip(&mut builder)?,
        Architecture::SyncNetAudio => syncnet::build_audio(&mut builder)?,
        Architecture::S3fd => s3fd::build(&mut builder)?,
        Architecture::LrAsd => lr_asd::build(&mut builder)?,
    }
    let graph = builder.finish()?;
    write::write(graph, checkpoint, output)
}

fn bad(message: impl Into<String>) -> Error {
    Error::invalid_input(message)
}
