//! The mouths of the source, kept in a file: memory must not grow with the length of the video.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, Pts, Result};
use viseme_imaging::{Frame, PixelFormat, Plane, Samples};

/// Where a crop lies in the file and where it was cut from the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredCrop {
    offset: u64,
    /// The part of the source frame, its edges on chroma samples or on the edge of the frame.
    pub(super) region: PixelRect,
}

/// A file of crops in the frames' own samples.
#[derive(Debug)]
pub(super) struct CropFile {
    path: PathBuf,
    format: PixelFormat,
    file: Mutex<File>,
    end: u64,
}

impl CropFile {
    /// Starts an empty file at `path`. Alpha is not kept.
    pub(super) fn create(path: &Path, format: PixelFormat) -> Result<Self> {
        let format = PixelFormat { alpha: false, ..format };
        Ok(Self { path: path.to_owned(), format, file: Mutex::new(create(path)?), end: 0 })
    }

    /// Opens what [`copy_to`](Self::copy_to) left at `path`: to be read, and never written.
    ///
    /// # Errors
    /// When it cannot be read, or does not reach to the end of each of `crops`.
    pub(super) fn open(
        path: &Path,
        format: PixelFormat,
        mut crops: impl Iterator<Item = StoredCrop>,
    ) -> Result<Self> {
        let format = PixelFormat { alpha: false, ..format };
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (end, file) =
            opened.map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
        let is_there = |crop: StoredCrop| {
            let bytes = format.frame_bytes(crop.region.width, crop.region.height) as u64;
            crop.offset.checked_add(bytes).is_some_and(|crop_end| crop_end <= end)
        };
        if !crops.all(is_there) {
            return Err(Error::invalid_input(format!("{} is cut off", path.display())));
        }
        Ok(Self { path: path.to_owned(), format, file: Mutex::new(file), end })
    }

    /// Copies the file to `path`.
    pub(super) fn copy_to(&self, path: &Path) -> Result<()> {
        std::fs::copy(&self.path, path)
            .map(|_| ())
            .map_err(|source| Error::io(format_args!("write {}", path.display()), source))
    }

    /// Adds the part `region` of `frame`.
    pub(super) fn append(&mut self, frame: &Frame, region: PixelRect) -> Result<StoredCrop> {
        let mut bytes = Vec::with_capacity(self.format.frame_bytes(region.width, region.height));
        for plane in 0..self.format.plane_count() {
            append_part(&frame.planes[plane], self.format.plane_region(plane, region), &mut bytes);
        }
        self.append_bytes(&bytes, region)
    }

    fn append_bytes(&mut self, bytes: &[u8], region: PixelRect) -> Result<StoredCrop> {
        let crop = StoredCrop { offset: self.end, region };
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.end))
            .and_then(|_| file.write_all(bytes))
            .map_err(|source| Error::io(format_args!("write {}", self.path.display()), source))?;
        self.end += bytes.len() as u64;
        Ok(crop)
    }

    /// Reads a crop back as a small frame of its own.
    pub(super) fn read(&self, crop: StoredCrop) -> Result<Frame> {
        let PixelRect { width, height, .. } = crop.region;
        Frame::from_bytes(Pts(0), self.format, width, height, &self.read_bytes(crop)?)
    }

    fn read_bytes(&self, crop: StoredCrop) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.format.frame_bytes(crop.region.width, crop.region.height)];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(crop.offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| Error::io(format_args!("read {}", self.path.display()), source))?;
        Ok(bytes)
    }

    /// Bytes that the file takes.
    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.end
    }

    /// Writes the file anew with only the crops in `kept`, which are told their new places.
    pub(super) fn compact<'a>(&mut self, kept: impl Iterator<Item = &'a mut StoredCrop>) -> Result<()> {
        let fresh_path = self.path.with_extension("fresh");
        let mut fresh = Self {
            path: fresh_path,
            format: self.format,
            file: Mutex::new(create(&self.path.with_extension("fresh"))?),
            end: 0,
        };
        for crop in kept {
            *crop = fresh.append_bytes(&self.read_bytes(*crop)?, crop.region)?;
        }
        std::fs::rename(&fresh.path, &self.path)
            .map_err(|source| Error::io(format_args!("replace {}", self.path.display()), source))?;
        fresh.path.clone_from(&self.path);
        *self = fresh;
        Ok(())
    }
}

fn create(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|source| Error::io(format_args!("create {}", path.display()), source))
}

fn append_part(plane: &Plane, part: PixelRect, bytes: &mut Vec<u8>) {
    for y in part.y..part.bottom() {
        let start = y as usize * plane.width as usize + part.x as usize;
        let row = start..start + part.width as usize;
        match &plane.samples {
            Samples::U8(samples) => bytes.extend_from_slice(&samples[row]),
            Samples::U16(samples) => bytes.extend(samples[row].iter().flat_map(|v| v.to_le_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_imaging::ChromaSampling;

    fn frame(format: PixelFormat, seed: usize) -> Frame {
        let bytes: Vec<u8> = (0..format.frame_bytes(33, 21))
            .map(|i| ((i * 7 + seed * 13) % 251) as u8 & if i % 2 == 1 { 3 } else { 255 })
            .collect();
        Frame::from_bytes(Pts(0), format, 33, 21, &bytes).unwrap()
    }

    #[test]
    fn crops_of_an_odd_ten_bit_frame_survive_compaction() {
        let format = PixelFormat { chroma: ChromaSampling::Yuv420, bit_depth: 10, alpha: true };
        let folder = tempfile::tempdir().unwrap();
        let mut file = CropFile::create(&folder.path().join("crops"), format).unwrap();
        let region = PixelRect { x: 8, y: 4, width: 25, height: 17 };
        let mut crops: Vec<StoredCrop> =
            (0..4).map(|i| file.append(&frame(format, i), region).unwrap()).collect();
        let before = file.len();
        file.compact(crops.iter_mut().skip(2)).unwrap();
        assert_eq!(file.len() * 2, before);
        let crop = file.read(crops[3]).unwrap();
        let whole = frame(format, 3);
        for plane in 0..3 {
            let part = format.plane_region(plane, region);
            for y in 0..part.height {
                for x in 0..part.width {
                    let (x, y) = (i64::from(x), i64::from(y));
                    let original = whole.planes[plane].value(x + i64::from(part.x), y + i64::from(part.y));
                    assert_eq!(crop.planes[plane].value(x, y).to_bits(), original.to_bits());
                }
            }
        }
    }
}
