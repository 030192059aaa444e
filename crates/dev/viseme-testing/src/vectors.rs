//! Reference vectors: what the public reference code of other projects answers, as numpy arrays, pictures and sounds.
//!
//! ```no_run
//! use viseme_testing::{Array, Vectors};
//!
//! let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "wav2lip_mel");
//! let mel: Array<f32> = vectors.npy("mel_reflect.npy");
//! assert_eq!(mel.shape, [80, 241]);
//! let boxes: Array<i64> = vectors.npz("box_smoothing_T5.npz").array("boxes_in");
//! assert_eq!(boxes.rows().count(), 20);
//! ```

use npyz::{Deserialize, NpyFile, Order};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use viseme_imaging::ImageU8;
use zip::ZipArchive;

/// A folder of reference vectors.
#[derive(Debug)]
pub struct Vectors {
    folder: PathBuf,
}

impl Vectors {
    /// The folder `name` of the vectors in `shared`, the folder that [`skip_without_shared!`](crate::skip_without_shared)
    /// answers.
    #[must_use]
    pub fn open(shared: &Path, name: &str) -> Self {
        let folder = shared.join("vectors").join(name);
        assert!(folder.is_dir(), "no folder {}", folder.display());
        Self { folder }
    }

    /// Where a file of the folder lies.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The array of a `.npy` file.
    #[must_use]
    pub fn npy<T: Deserialize>(&self, file: &str) -> Array<T> {
        Array::read(&self.bytes(file)[..], file)
    }

    /// The arrays of a `.npz` file.
    #[must_use]
    pub fn npz(&self, file: &str) -> Archive {
        let opened = File::open(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let zip = ZipArchive::new(opened).unwrap_or_else(|error| panic!("{file}: {error}"));
        Archive { zip, file: file.to_owned() }
    }

    /// The sample rate in Hz and the samples of a mono `.wav` file of 16 bits.
    #[must_use]
    pub fn wav(&self, file: &str) -> (u32, Vec<i16>) {
        let mut reader =
            hound::WavReader::open(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(reader.spec().channels, 1, "{file} is not mono");
        let samples = reader.samples().map(|sample| sample.expect("a sample of 16 bits")).collect();
        (reader.spec().sample_rate, samples)
    }

    /// The picture of a `.png` file of 8 bits with `C` channels: 1 for gray, 3 for red, green, blue.
    #[must_use]
    pub fn png<const C: usize>(&self, file: &str) -> ImageU8<C> {
        let failed = |error: &dyn std::fmt::Display| -> ! { panic!("{file}: {error}") };
        let bytes = std::io::Cursor::new(self.bytes(file));
        let mut reader = png::Decoder::new(bytes).read_info().unwrap_or_else(|error| failed(&error));
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size that fits the memory")];
        let info = reader.next_frame(&mut pixels).unwrap_or_else(|error| failed(&error));
        assert_eq!((info.color_type.samples(), info.bit_depth), (C, png::BitDepth::Eight), "{file}");
        ImageU8::from_bytes(info.width as usize, info.height as usize, &pixels)
            .unwrap_or_else(|error| failed(&error))
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

/// The arrays of a `.npz` file.
#[derive(Debug)]
pub struct Archive {
    zip: ZipArchive<File>,
    file: String,
}

impl Archive {
    /// The names of the arrays, in the order of the file.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names =
            self.zip.file_names().map(|name| name.unwrap_or_else(|error| panic!("{}: {error}", self.file)));
        names.map(|name| name.trim_end_matches(".npy").to_owned()).collect()
    }

    /// The array of a name. Its elements must be those of `T`: nothing is converted.
    #[must_use]
    pub fn array<T: Deserialize>(&mut self, name: &str) -> Array<T> {
        let what = format!("{name} of {}", self.file);
        let entry =
            self.zip.by_name(&format!("{name}.npy")).unwrap_or_else(|error| panic!("{what}: {error}"));
        Array::read(entry, &what)
    }

    /// The only element of an array of a name.
    #[must_use]
    pub fn scalar<T: Deserialize>(&mut self, name: &str) -> T {
        let Ok([value]) = <[T; 1]>::try_from(self.array(name).values) else {
            panic!("{name} of {} is more than one value", self.file)
        };
        value
    }
}

/// An array as numpy stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<T> {
    /// Its length along each axis; empty for a single value.
    pub shape: Vec<usize>,
    /// Its elements, the last axis fastest.
    pub values: Vec<T>,
}

impl<T> Array<T> {
    /// Its rows along the first axis, each with the elements of all other axes.
    ///
    /// The array has at least one axis and no axis of length 0 but the first.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.values.chunks_exact(self.shape[1..].iter().product())
    }
}

impl<T: Deserialize> Array<T> {
    fn read(source: impl Read, what: &str) -> Self {
        let npy = NpyFile::new(source).unwrap_or_else(|error| panic!("{what}: {error}"));
        let shape: Vec<usize> = npy.shape().iter().map(|&length| length as usize).collect();
        let order = npy.order();
        let values = npy.into_vec().unwrap_or_else(|error| panic!("{what}: {error}"));
        let values = if order == Order::Fortran { last_axis_fastest(&shape, values) } else { values };
        Self { shape, values }
    }
}

/// The elements of an array whose first axis is fastest, the last axis fastest.
fn last_axis_fastest<T>(shape: &[usize], values: Vec<T>) -> Vec<T> {
    let mut keyed: Vec<(usize, T)> = values
        .into_iter()
        .enumerate()
        .map(|(mut rest, value)| {
            let mut stride = shape.iter().product::<usize>();
            let place = shape.iter().fold(0, |place, &length| {
                stride /= length;
                let along = rest % length;
                rest /= length;
                place + along * stride
            });
            (place, value)
        })
        .collect();
    keyed.sort_unstable_by_key(|&(place, _)| place);
    keyed.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_have_the_shape_and_the_type_that_numpy_gave_them() {
        let shared = crate::skip_without_shared!();
        let vectors = Vectors::open(&shared, "wav2lip_mel");
        let mel: Array<f32> = vectors.npy("mel_reflect.npy");
        assert_eq!((mel.shape.as_slice(), mel.rows().count()), (&[80, 241][..], 80));
        let mut boxes = vectors.npz("box_smoothing_T5.npz");
        assert_eq!(boxes.names(), ["boxes_in", "boxes_out", "boxes_in_f", "boxes_out_f"]);
        assert_eq!(boxes.array::<i64>("boxes_in").shape, [20, 4]);
        let (rate_hz, samples) = vectors.wav("eng_3s_16k.wav");
        assert_eq!((rate_hz, samples), (16_000, vectors.npy("samples_i16.npy").values));

        let mut deflated = Vectors::open(&shared, "scrfd").npz("monalisa.npz");
        assert!(deflated.scalar::<f64>("det_scale") > 0.0);
        let names: Array<String> = deflated.array("raw_names");
        assert_eq!(names.values.len(), 9);
    }

    #[test]
    fn columns_become_rows() {
        // np.arange(6).reshape(2, 3, order="F") and the same with an axis more.
        assert_eq!(last_axis_fastest(&[2, 3], vec![0, 1, 2, 3, 4, 5]), [0, 2, 4, 1, 3, 5]);
        assert_eq!(last_axis_fastest(&[2, 1, 3], vec![0, 1, 2, 3, 4, 5]), [0, 2, 4, 1, 3, 5]);
        assert_eq!(last_axis_fastest(&[], vec![7]), [7]);
    }

    #[test]
    #[should_panic(expected = "boxes_in of box_smoothing_T5.npz")]
    fn another_type_is_refused() {
        let Some(shared) = crate::shared_dir() else { panic!("boxes_in of box_smoothing_T5.npz") };
        let _: Array<f32> =
            Vectors::open(&shared, "wav2lip_mel").npz("box_smoothing_T5.npz").array("boxes_in");
    }
}
