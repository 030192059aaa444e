//! Storages, and tensors as windows onto them.

use super::{Region, bad, read_failed};
use half::{bf16, f16};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;
use viseme_core::Result;

/// The most values of a tensor, and of the span that it is picked from: 128 MiB of floats. The largest of the nets
/// that we read has 5 million.
const MAX_VALUES: u64 = 1 << 25;

/// How the values of a storage are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    F16,
    Bf16,
    F32,
    F64,
    /// Integers of this many bytes, such as the count of batches. Nobody reads them.
    Integer(u8),
}

impl ElementType {
    /// The element type of a class of the module `torch`.
    pub(super) fn of_storage(name: &str) -> Option<Self> {
        Some(match name {
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "LongStorage" => Self::Integer(8),
            "IntStorage" => Self::Integer(4),
            "ShortStorage" => Self::Integer(2),
            "CharStorage" | "ByteStorage" | "BoolStorage" => Self::Integer(1),
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Integer(bytes) => bytes.into(),
        }
    }

    fn to_floats(self, bytes: &[u8]) -> Result<Vec<f32>> {
        Ok(match self {
            Self::F16 => convert(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => convert(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::F32 => convert(bytes, f32::from_le_bytes),
            Self::F64 => convert(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::Integer(_) => return Err(bad("a tensor holds integers where floats belong")),
        })
    }
}

fn convert<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)).collect()
}

/// A run of values in the file, known by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: Rc<str>,
    pub(super) element: ElementType,
    /// How many values the whole storage has, which a view (see `offset`) shows a part of.
    pub(super) elements: u64,
    /// Where a view onto the storage begins, in values.
    pub(super) offset: u64,
}

/// A tensor: its shape, and where its values lie in its storage.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(super) storage: Rc<Storage>,
    /// First value, in values from the start of the storage (or the view).
    pub(super) offset: u64,
    pub(crate) shape: Vec<u64>,
    /// Steps in values from one index to the next, for each dimension.
    pub(super) strides: Vec<u64>,
}

impl Tensor {
    /// How many values it has; `None` when there are more than we read.
    pub(crate) fn values(&self) -> Option<usize> {
        let product = self.shape.iter().try_fold(1_u64, |product, &extent| product.checked_mul(extent))?;
        usize::try_from(product).ok().filter(|_| product <= MAX_VALUES)
    }

    pub(super) fn read(&self, file: &mut File, region: Region) -> Result<Vec<f32>> {
        let values =
            self.values().ok_or_else(|| bad(format!("a tensor of shape {:?} is too large", self.shape)))?;
        if values == 0 {
            return Ok(Vec::new());
        }
        let (start, span) = self.span().ok_or_else(|| bad("a tensor reaches outside its storage"))?;
        let (element, bytes) = (self.storage.element, self.storage.element.bytes());
        let is_inside = self.storage.elements.checked_mul(bytes).is_some_and(|all| all <= region.bytes);
        if !is_inside {
            return Err(bad(format!("storage {} is shorter than its tensors", self.storage.key)));
        }
        file.seek(SeekFrom::Start(region.start + start * bytes)).map_err(read_failed)?;
        // Grows with what is there: a length alone makes nobody allocate.
        let mut raw = Vec::new();
        file.take(span * bytes).read_to_end(&mut raw).map_err(read_failed)?;
        if raw.len() as u64 != span * bytes {
            return Err(bad("it is cut off"));
        }
        let found = self.gather(element.to_floats(&raw)?, values);
        if found.iter().all(|value| value.is_finite()) {
            Ok(found)
        } else {
            Err(bad("a tensor holds values that are no numbers"))
        }
    }

    /// First value in the storage, and how many there are from it to the last; `None` when the tensor is not inside.
    fn span(&self) -> Option<(u64, u64)> {
        let steps = self.shape.iter().zip(&self.strides);
        let last = steps
            .map(|(&extent, &stride)| extent.checked_sub(1)?.checked_mul(stride))
            .try_fold(0_u64, |sum, step| sum.checked_add(step?))?;
        let start = self.storage.offset.checked_add(self.offset)?;
        let end = start.checked_add(last)?.checked_add(1)?;
        (end <= self.storage.elements && last < MAX_VALUES).then_some((start, last + 1))
    }

    /// The values in row-major order out of the span that they lie in.
    fn gather(&self, span: Vec<f32>, values: usize) -> Vec<f32> {
        let mut contiguous = 1;
        let is_contiguous = self.shape.iter().zip(&self.strides).rev().all(|(&extent, &stride)| {
            let is_next = extent == 1 || stride == contiguous;
            contiguous *= extent;
            is_next
        });
        if is_contiguous {
            return span;
        }
        let index = |mut flat: u64| {
            let mut position = 0;
            for (&extent, &stride) in self.shape.iter().zip(&self.strides).rev() {
                position += flat % extent * stride;
                flat /= extent;
            }
            position as usize
        };
        (0..values as u64).map(|flat| span[index(flat)]).collect()
    }
}
