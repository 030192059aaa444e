//! Checkpoints that torch wrote, and ones that nobody should have.

mod hostile;

use super::Checkpoint;
use std::fs;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Result};

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn open_bytes(bytes: &[u8]) -> Result<Checkpoint> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Checkpoint::open(file.path())
}

fn values(checkpoint: &mut Checkpoint, name: &str) -> Result<Vec<f32>> {
    let tensor = checkpoint.get(name).unwrap().clone();
    checkpoint.read(&tensor)
}

/// Opens, and reads every tensor.
fn read_all(bytes: &[u8]) -> Result<()> {
    let mut checkpoint = open_bytes(bytes)?;
    let names: Vec<String> = checkpoint.names().map(str::to_owned).collect();
    names.iter().try_for_each(|name| values(&mut checkpoint, name).map(drop))
}

fn refusal(bytes: &[u8]) -> Error {
    open_bytes(bytes).unwrap_err()
}

#[test]
fn odd_tensors_are_read_as_torch_reads_them() {
    for form in ["odd.pth", "odd_legacy.pth"] {
        let mut checkpoint = Checkpoint::open(&vector(form)).unwrap();
        let mut read = |name: &str| values(&mut checkpoint, name).unwrap();
        let base: Vec<f32> = (0..24_u8).map(f32::from).collect();
        for name in ["plain", "half", "double", "bfloat"] {
            assert_eq!(read(name), base, "{name} of {form}");
        }
        let transposed: Vec<f32> = (0..24).map(|i| base[i % 4 * 6 + i / 4]).collect();
        assert_eq!(read("transposed"), transposed);
        assert_eq!(read("window"), [8.0, 9.0, 10.0, 14.0, 15.0, 16.0]);
        assert_eq!(read("steps"), (0..12_u8).map(|i| f32::from(2 * i)).collect::<Vec<_>>());
        assert_eq!(read("scalar"), [3.5]);
        assert_eq!(read("empty"), [0.0; 0]);
        assert!(values(&mut checkpoint, "integers").unwrap_err().to_string().contains("integers"));
    }
}

#[test]
fn both_forms_of_a_net_hold_the_same() {
    let [mut new, mut old, mut script] = ["s3fd.pth", "s3fd_legacy.pth", "s3fd_script.pt"]
        .map(|name| Checkpoint::open(&vector(name)).unwrap());
    let names: Vec<String> = new.names().map(str::to_owned).collect();
    assert_eq!(names.len(), 65);
    for name in &names {
        let expected = values(&mut new, name).unwrap();
        assert_eq!(values(&mut old, name).unwrap(), expected);
        assert_eq!(values(&mut script, name).unwrap(), expected);
    }
}

#[test]
fn what_is_no_checkpoint_is_called_by_its_name() {
    for (bytes, said) in [
        (&b""[..], "empty"),
        (b"<!DOCTYPE html><html>Google Drive - Virus scan warning", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"The quick brown fox", "neither"),
        (b"PK\x03\x04 and then nothing", "zip"),
    ] {
        let error = refusal(bytes);
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.kind(), viseme_core::ErrorKind::InvalidInput);
    }
}

#[test]
fn every_cut_is_found() {
    for form in ["odd.pth", "odd_legacy.pth"] {
        let whole = fs::read(vector(form)).unwrap();
        for length in (0..whole.len()).step_by(7) {
            // The end of a zip archive is its directory, that of the legacy form a tensor nobody can read.
            let is_integers = length + 24 > whole.len();
            assert!(is_integers || read_all(&whole[..length]).is_err(), "{form} cut to {length} bytes");
        }
    }
}
