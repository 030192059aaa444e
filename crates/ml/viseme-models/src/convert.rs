//! Turns the original PyTorch checkpoint of a plain net into an ONNX file.

use crate::checkpoint::Checkpoint;
use crate::graph;
use std::io::{self, BufWriter};
use std::path::Path;
use tempfile::NamedTempFile;
use viseme_core::{Error, Result};

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
    /// LR-ASD, which tells who speaks (`finetuning_TalkSet.model`, `pretrain_AVA.model`).
    LrAsd,
}

/// Reads the checkpoint at `source` and writes the net as one ONNX file at `target`, whole or not at all.
///
/// The names and shapes of inputs and outputs are those of the modules in `graph`. One tensor is in memory at a time.
///
/// # Errors
///
/// `InvalidInput` when `source` is no such checkpoint, cut off or hostile; an error of the file system otherwise.
pub fn convert(architecture: Architecture, source: &Path, target: &Path) -> Result<()> {
    let mut temporary = temporary_beside(target).map_err(|error| writing(target, error))?;
    let converted = Checkpoint::open(source).and_then(|mut checkpoint| {
        graph::convert(architecture, &mut checkpoint, BufWriter::new(temporary.as_file_mut()))
    });
    converted.map_err(|error| about(architecture, source, error))?;
    temporary.as_file().sync_all().map_err(|error| writing(target, error))?;
    temporary.persist(target).map_err(|error| writing(target, error.error))?;
    Ok(())
}

fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".viseme-").suffix(".onnx");
    // Not private like other temporary files: what the user's mask leaves of 666, like any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn writing(target: &Path, source: io::Error) -> Error {
    Error::io(format!("write {}", target.display()), source)
}

/// Says which file an error is about, and which file is wanted.
fn about(architecture: Architecture, source: &Path, error: Error) -> Error {
    let hint = match architecture {
        Architecture::Wav2Lip => "the generator's wav2lip.pth or wav2lip_gan.pth of Wav2Lip can be read",
        Architecture::SyncNetLip | Architecture::SyncNetAudio => "syncnet_v2.model of SyncNet can be read",
        Architecture::S3fd => "s3fd-619a316812.pth of face-alignment can be read",
        Architecture::LrAsd => "finetuning_TalkSet.model and pretrain_AVA.model of LR-ASD can be read",
    };
    let message = format!("cannot convert {}: {error}", source.display());
    Error::new(error.kind(), message).with_hint(hint).with_source(error)
}
