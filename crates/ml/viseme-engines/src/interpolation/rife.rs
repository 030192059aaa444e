//! RIFE (Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022), in the form that
//! `AmusementClub/vs-mlrt` exports as `rife_v2`: the grids and the padding are in the graph.

use super::FrameInterpolator;
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_imaging::{ColourInfo, Frame, ImageF32, planes_from_rgb, rgb_planes};
use viseme_models::{InferenceSession, ModelFile, Runtime, SessionInfo, Tensor};

/// Two pictures of three channels, and the time.
const CHANNELS: usize = 7;
/// The most pixels of a picture: 1920 × 1088. What the net computes in between takes about 600 bytes for each, more than a gigabyte.
const MOST_PIXELS: u64 = 1920 * 1088;

/// The net. Cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Rife {
    session: Arc<dyn InferenceSession>,
    input: String,
    output: String,
}

impl Rife {
    /// Wraps a loaded net: `[1, 7, height, width]`, both pictures as red, green and blue on 0 to 1 and a plane with how far the way
    /// has gone, to `[1, 3, height, width]`.
    ///
    /// # Errors
    /// `InvalidInput` when the net takes something else.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let info = session.info();
        let ([input], Some(output)) = (info.inputs.as_slice(), info.outputs.first()) else {
            return Err(unsuitable(info));
        };
        if !input.takes(&[1, CHANNELS, 64, 64]) || !input.takes(&[1, CHANNELS, 96, 128]) {
            return Err(unsuitable(info));
        }
        let (input, output) = (input.name.clone(), output.name.clone());
        Ok(Self { session, input, output })
    }

    /// Loads the net.
    ///
    /// # Errors
    /// When `runtime` cannot run it; as [`new`](Self::new).
    pub fn load(runtime: &dyn Runtime, model: &ModelFile) -> Result<Self> {
        Self::new(runtime.load(model)?)
    }

    /// What the net makes, as red, green and blue on 0 to 255.
    fn run(&self, pictures: [&[ImageF32; 3]; 2], share: f32) -> Result<[ImageF32; 3]> {
        let (width, height) = (pictures[0][0].width, pictures[0][0].height);
        let mut values = Vec::with_capacity(CHANNELS * width * height);
        for plane in pictures.into_iter().flatten() {
            values.extend(plane.data.iter().map(|value| value / 255.0));
        }
        values.resize(CHANNELS * width * height, share);
        let input = Tensor::new(vec![1, CHANNELS, height, width], values)?;
        let info = self.session.info();
        let made = self.session.run(vec![(&self.input, input)], &[&self.output])?.into_iter().next();
        let made = made.filter(|made| made.shape() == [1, 3, height, width]);
        let made = info.finite(made.ok_or_else(|| unsuitable(info))?.into_floats()?)?;
        Ok([0, 1, 2].map(|channel| {
            let values = made[channel * width * height..][..width * height].iter();
            ImageF32 { width, height, data: values.map(|value| value.clamp(0.0, 1.0) * 255.0).collect() }
        }))
    }
}

impl FrameInterpolator for Rife {
    fn name(&self) -> &'static str {
        "rife"
    }

    /// None of more than 1920 × 1088 pixels.
    fn takes(&self, width: u32, height: u32) -> bool {
        u64::from(width) * u64::from(height) <= MOST_PIXELS
    }

    fn between(
        &self,
        colour: &ColourInfo,
        leaving: &Frame,
        arriving: &Frame,
        share: f32,
    ) -> Result<Vec<ImageF32>> {
        let [from, to] = [leaving, arriving].map(|frame| rgb_planes(frame, colour));
        let made = self.run([&from, &to], share)?;
        Ok(planes_from_rgb(&made, arriving.format, colour))
    }
}

fn unsuitable(info: &SessionInfo) -> Error {
    Error::invalid_input(format!("the model {} does not make pictures between two", info.name))
        .with_hint("`viseme models verify` checks installed models.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::frame;
    use viseme_core::ErrorKind;
    use viseme_core::Pts;
    use viseme_imaging::{ChromaSampling, ColourMatrix, ColourRange, PixelFormat, Plane};
    use viseme_models::RtenRuntime;
    use viseme_testing::FakeSession;
    use viseme_testing::fake_interpolator::DISSOLVE;

    fn colour() -> ColourInfo {
        ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709)
    }

    /// A session that answers every picture with `answer` of its size.
    fn session(answer: impl Fn(usize, usize) -> Result<Tensor> + Send + Sync + 'static) -> Rife {
        let session = FakeSession::new(move |input| answer(input.shape()[2], input.shape()[3]));
        Rife::new(Arc::new(session)).unwrap()
    }

    /// The frame with all samples nearer to the middle, so that each is a colour of red, green and blue.
    fn pale(frame: &Frame) -> Frame {
        let format = frame.format;
        let middle = f32::from(format.max_value() / 2 + 1);
        let pale = |plane: &Plane| {
            let (width, height) = (plane.width as usize, plane.height as usize);
            let value = |x, y| middle + 0.25 * (plane.value(x as i64, y as i64) - middle);
            Plane::rounded(&ImageF32::from_fn(width, height, value), format)
        };
        Frame { planes: frame.planes.iter().map(pale).collect(), ..frame.clone() }
    }

    #[test]
    fn a_net_that_dissolves_gives_the_mean_of_both_pictures() {
        let rife = Rife::load(&RtenRuntime::default(), &ModelFile::embedded("dissolve", DISSOLVE)).unwrap();
        for chroma in
            [ChromaSampling::Gbr, ChromaSampling::Yuv444, ChromaSampling::Yuv420, ChromaSampling::Gray]
        {
            for bit_depth in [8, 10] {
                let format = PixelFormat { chroma, bit_depth, alpha: false };
                let [leaving, arriving] = [0, 9].map(|seed| pale(&frame(format, 50, 34, seed)));
                let made = rife.between(&colour(), &leaving, &arriving, 0.25).unwrap();
                assert_eq!(made.len(), format.plane_count());
                for (index, plane) in made.iter().enumerate() {
                    let (width, height) = format.plane_size(index, 50, 34);
                    assert_eq!((plane.width, plane.height), (width as usize, height as usize));
                    let value = |plane: &Plane, x, y| plane.value(x, y);
                    for (x, y) in [(3, 2), (7, 9), (11, 13)] {
                        let [from, to] = [&leaving, &arriving].map(|frame| value(&frame.planes[index], x, y));
                        let error = (plane.at(x, y) - (from + (to - from) * 0.25)).abs();
                        // Chroma between its samples is a line, which the way there and back bends a little.
                        assert!(
                            error <= 0.01 * f32::from(format.max_value()),
                            "{error} in {index} of {format:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn both_pictures_and_the_time_go_in_on_their_scales() {
        let format = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: false };
        let flat = |value: u8| Frame::from_bytes(Pts(0), format, 4, 2, &[value; 24]).unwrap();
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let saw = Arc::clone(&seen);
        let session = FakeSession::new(move |input| {
            assert_eq!(input.shape(), [1, 7, 2, 4]);
            saw.lock().unwrap().extend(input.floats()?.iter().step_by(8).copied());
            Tensor::new(vec![1, 3, 2, 4], vec![2.0_f32; 24])
        });
        let colour = ColourInfo::new(ColourRange::Full, ColourMatrix::Rgb);
        let rife = Rife::new(Arc::new(session)).unwrap();
        let made = rife.between(&colour, &flat(51), &flat(255), 0.3).unwrap();
        assert_eq!(*seen.lock().unwrap(), [0.2, 0.2, 0.2, 1.0, 1.0, 1.0, 0.3]);
        assert!(made[0].data.iter().all(|value| (value - 255.0).abs() < 1e-3), "clamped");
    }

    #[test]
    fn answers_that_are_no_pictures_are_errors() {
        let format = PixelFormat::YUV420P;
        let (leaving, arriving) = (frame(format, 32, 16, 0), frame(format, 32, 16, 1));
        let small = session(|height, width| {
            Tensor::new(vec![1, 3, height / 2, width], vec![0.5; 3 * height / 2 * width])
        });
        let broken = session(|height, width| {
            Tensor::new(vec![1, 3, height, width], vec![f32::NAN; 3 * height * width])
        });
        for (rife, kind) in [(small, ErrorKind::InvalidInput), (broken, ErrorKind::Internal)] {
            let error = rife.between(&colour(), &leaving, &arriving, 0.5).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
    }

    #[test]
    fn nets_of_another_kind_and_pictures_too_large_are_refused() {
        let others = [viseme_testing::fake_enhancer::RESTORER, viseme_testing::runtimes::NEIGHBOURS];
        for onnx in others {
            let error = Rife::load(&RtenRuntime::default(), &ModelFile::embedded("other", onnx)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        let rife = session(|_, _| Tensor::new(vec![0], Vec::<f32>::new()));
        assert!(rife.takes(1920, 1080) && rife.takes(1088, 1920) && !rife.takes(3840, 2160));
    }
}
