//! Dense tensors, the currency between our code and a runtime.

use half::f16;
use std::fmt;
use viseme_core::{Error, Result};

/// The type of a tensor's values, as a model declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ElementType {
    /// 16-bit floats. Our tensors hold them as 32-bit floats; a session converts at its border.
    F16,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// 8-bit integers without sign.
    U8,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// Anything else: a session that asks for it cannot be run by us.
    Other,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Other => "another type",
        })
    }
}

/// The values of a tensor in row-major order (last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after the type of its values")]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    U8(Vec<u8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

/// Runs the same expression on whatever vector the values are in.
macro_rules! each {
    ($values:expr, $vector:ident => $what:expr) => {
        match $values {
            Values::F32($vector) => $what,
            Values::F64($vector) => $what,
            Values::U8($vector) => $what,
            Values::I32($vector) => $what,
            Values::I64($vector) => $what,
        }
    };
}

macro_rules! values_from {
    ($($variant:ident: $type:ty),*) => {$(
        impl From<Vec<$type>> for Values {
            fn from(values: Vec<$type>) -> Self {
                Self::$variant(values)
            }
        }
    )*};
}
values_from!(F32: f32, F64: f64, U8: u8, I32: i32, I64: i64);

impl Values {
    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn element(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
            Self::U8(_) => ElementType::U8,
            Self::I32(_) => ElementType::I32,
            Self::I64(_) => ElementType::I64,
        }
    }

    /// The values from `start`, `count` of them.
    fn part(&self, start: usize, count: usize) -> Self {
        each!(self, values => values[start..start + count].to_vec().into())
    }
}

/// A dense tensor in row-major order (last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Values,
}

impl Tensor {
    /// Makes a tensor of `values`, of which there must be as many as `shape` says.
    ///
    /// # Errors
    /// When the number of values does not match.
    pub fn new(shape: Vec<usize>, values: impl Into<Values>) -> Result<Self> {
        let values = values.into();
        let count = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
        if count == Some(values.len()) {
            Ok(Self { shape, values })
        } else {
            Err(Error::internal(format!("{} values for a tensor of shape {shape:?}", values.len())))
        }
    }

    /// Extent of each dimension.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of the values.
    #[must_use]
    pub fn element(&self) -> ElementType {
        self.values.element()
    }

    /// The values in row-major order.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The values, without copying them.
    #[must_use]
    pub fn into_values(self) -> Values {
        self.values
    }

    /// The values of a tensor of 32-bit floats.
    ///
    /// # Errors
    /// `Internal` when they are of another type.
    pub fn floats(&self) -> Result<&[f32]> {
        match &self.values {
            Values::F32(values) => Ok(values),
            other => Err(not_floats(other)),
        }
    }

    /// The values of a tensor of 32-bit floats, without copying them.
    ///
    /// # Errors
    /// `Internal` when they are of another type.
    pub fn into_floats(self) -> Result<Vec<f32>> {
        match self.values {
            Values::F32(values) => Ok(values),
            other => Err(not_floats(&other)),
        }
    }

    /// The same numbers as another type of the same family: floats stay floats (`F16` rounds to what 16 bits can
    /// hold and stays in 32), integers stay integers.
    ///
    /// # Errors
    /// `Internal` between the families, and for an integer that the other type cannot hold.
    pub fn cast(self, to: ElementType) -> Result<Self> {
        let Self { shape, values } = self;
        let from = values.element();
        let failed = || Error::internal(format!("a tensor of {from} where the model wants {to}"));
        let values = match (values, to) {
            (values, to) if values.element() == to => values,
            (Values::F32(v), ElementType::F16) => {
                Values::F32(v.into_iter().map(|x| f16::from_f32(x).to_f32()).collect())
            }
            (Values::F32(v), ElementType::F64) => Values::F64(v.into_iter().map(f64::from).collect()),
            (Values::F64(v), ElementType::F32 | ElementType::F16) => {
                return Self { shape, values: Values::F32(v.into_iter().map(|x| x as f32).collect()) }
                    .cast(to);
            }
            (Values::F32(_) | Values::F64(_), _) => return Err(failed()),
            (integers, ElementType::I64) => Values::I64(integers_as(integers).ok_or_else(failed)?),
            (integers, ElementType::I32) => Values::I32(integers_as(integers).ok_or_else(failed)?),
            (integers, ElementType::U8) => Values::U8(integers_as(integers).ok_or_else(failed)?),
            _ => return Err(failed()),
        };
        Ok(Self { shape, values })
    }

    /// `count` items from `start` along the first dimension.
    ///
    /// # Errors
    /// `Internal` when there are not as many.
    pub fn items(&self, start: usize, count: usize) -> Result<Self> {
        let (Some((&extent, rest)), Some(end)) = (self.shape.split_first(), start.checked_add(count)) else {
            return Err(Error::internal("a tensor without dimensions has no items"));
        };
        if end > extent {
            return Err(Error::internal(format!("items {start}..{end} of {extent}")));
        }
        let size: usize = rest.iter().product();
        let shape = std::iter::once(count).chain(rest.iter().copied()).collect();
        Ok(Self { shape, values: self.values.part(start * size, count * size) })
    }

    /// Joins tensors along the first dimension.
    ///
    /// # Errors
    /// `Internal` when there is none, or when they differ in another dimension or in their type.
    pub fn concatenate(tensors: Vec<Self>) -> Result<Self> {
        let mut tensors = tensors.into_iter();
        let Some(mut joined) = tensors.next() else { return Err(Error::internal("no tensors to join")) };
        for tensor in tensors {
            if !joined.is_stackable_on(&tensor) {
                return Err(Error::internal(format!(
                    "tensors of shapes {:?} and {:?} cannot be joined",
                    joined.shape, tensor.shape
                )));
            }
            joined.shape[0] += tensor.shape[0];
            match (&mut joined.values, tensor.values) {
                (Values::F32(all), Values::F32(more)) => all.extend(more),
                (Values::F64(all), Values::F64(more)) => all.extend(more),
                (Values::U8(all), Values::U8(more)) => all.extend(more),
                (Values::I32(all), Values::I32(more)) => all.extend(more),
                (Values::I64(all), Values::I64(more)) => all.extend(more),
                _ => return Err(Error::internal("tensors of different types cannot be joined")),
            }
        }
        Ok(joined)
    }

    /// Whether both have the same type and the same extents but for the first.
    #[must_use]
    pub fn is_stackable_on(&self, other: &Self) -> bool {
        self.element() == other.element()
            && matches!((self.shape.split_first(), other.shape.split_first()),
                (Some((_, a)), Some((_, b))) if a == b)
    }
}

fn not_floats(values: &Values) -> Error {
    Error::internal(format!("a tensor of {} where 32-bit floats are expected", values.element()))
}

/// Integers as another type; `None` when one does not fit.
fn integers_as<T: TryFrom<i64>>(values: Values) -> Option<Vec<T>> {
    let to = |value: i64| T::try_from(value).ok();
    match values {
        Values::I64(v) => v.into_iter().map(to).collect(),
        Values::I32(v) => v.into_iter().map(|value| to(value.into())).collect(),
        Values::U8(v) => v.into_iter().map(|value| to(value.into())).collect(),
        Values::F32(_) | Values::F64(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(shape: &[usize]) -> Tensor {
        let count = shape.iter().product::<usize>();
        Tensor::new(shape.to_vec(), (0..count).map(|i| i as f32).collect::<Vec<f32>>()).unwrap()
    }

    #[test]
    fn items_and_concatenate_undo_each_other() {
        let whole = counting(&[5, 2, 3]);
        let parts = vec![whole.items(0, 2).unwrap(), whole.items(2, 0).unwrap(), whole.items(2, 3).unwrap()];
        assert_eq!(parts[0].shape(), [2, 2, 3]);
        assert_eq!(Tensor::concatenate(parts).unwrap(), whole);
        assert!(whole.items(4, 2).is_err());
        assert!(whole.items(1, usize::MAX).is_err());
        assert!(Tensor::concatenate(vec![counting(&[1, 2]), counting(&[1, 3])]).is_err());
    }

    #[test]
    fn casts_stay_in_their_family() {
        let floats = Tensor::new(vec![2], vec![0.1_f32, 1e6]).unwrap();
        assert_eq!(floats.clone().cast(ElementType::F64).unwrap().cast(ElementType::F32).unwrap(), floats);
        let halves = floats.clone().cast(ElementType::F16).unwrap();
        assert_eq!(halves.floats().unwrap(), [0.099_975_586, f32::INFINITY]);
        assert!(floats.cast(ElementType::I64).is_err());
        let integers = Tensor::new(vec![2], vec![3_i64, 300]).unwrap();
        assert!(integers.clone().cast(ElementType::U8).is_err(), "300 does not fit");
        assert_eq!(integers.cast(ElementType::I32).unwrap().values(), &Values::I32(vec![3, 300]));
    }

    #[test]
    fn the_shape_must_fit() {
        assert!(Tensor::new(vec![2, 2], vec![0_u8; 3]).is_err());
        assert!(Tensor::new(vec![usize::MAX, 2], vec![0_u8; 3]).is_err());
        assert!(Tensor::new(vec![], vec![1.0_f64]).is_ok());
    }
}
