//! The net: 0.2 s of speech and a face of 96 × 96 pixels in, the face that speaks out.

use super::chunks::{CHUNK_COLUMNS, MelChunk};
use std::sync::Arc;
use viseme_audio::wav2lip_mel::BANDS;
use viseme_core::{Error, ErrorKind, Result};
use viseme_imaging::ImageF32;
use viseme_models::{InferenceSession, SessionInfo, Tensor, TensorInfo};

/// Pixels of a side of the pictures that the net sees and makes (`inference.py`, `args.img_size`).
pub const SIDE: usize = 96;

/// The first row of the net's picture that is ever taken in our own profile; the net need not make those above
/// ([`ModelFile::with_first_row`](viseme_models::ModelFile::with_first_row)). The mask of the mouth begins with row 46 at
/// the earliest in nine real clips (medians 48 to 54), and what is blurred for it reaches five rows further.
pub const FIRST_ROW: usize = 40;

/// Pixels of a channel.
const PIXELS: usize = SIDE * SIDE;

/// Most faces of one run on a processor: more are hardly faster (49 ms a face one by one on two cores, 47 by eights, ONNX
/// Runtime) and cost 20 MB each.
const MOST_FACES: usize = 1;
/// … and on a graphics card, which one face does not fill.
const MOST_FACES_OF_CARD: usize = 16;

/// A picture of [`SIDE`] × [`SIDE`] pixels: planes blue, green and red on 0 to 1, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct NetFace(Vec<f32>);

impl NetFace {
    /// A face of three planes red, green and blue on 0 to 255, one after the other.
    ///
    /// # Errors
    /// `Internal` when there are not as many values as three planes have.
    pub fn from_rgb(planes: &[f32]) -> Result<Self> {
        if planes.len() != 3 * PIXELS {
            return Err(Error::internal(format!("a face of {} values for Wav2Lip", planes.len())));
        }
        let planes = planes.chunks_exact(PIXELS).rev();
        Ok(Self(planes.flatten().map(|value| value / 255.0).collect()))
    }

    /// The planes blue, green and red, one after the other.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The planes red, green and blue on 0 to 255.
    #[must_use]
    pub fn to_rgb(&self) -> [ImageF32; 3] {
        let plane = |channel: usize| ImageF32 {
            width: SIDE,
            height: SIDE,
            data: self.0[channel * PIXELS..][..PIXELS].iter().map(|value| value * 255.0).collect(),
        };
        [plane(2), plane(1), plane(0)]
    }

    /// This face with other rows from `first` on, of each plane one after the other.
    fn below(&self, first: usize, rows: &[f32]) -> Self {
        let mut face = self.clone();
        for (plane, rows) in face.0.chunks_exact_mut(PIXELS).zip(rows.chunks_exact((SIDE - first) * SIDE)) {
            plane[first * SIDE..].copy_from_slice(rows);
        }
        face
    }

    /// The six channels that the net takes: the face with its lower half black, then the face (`inference.py`, `datagen`).
    #[must_use]
    pub fn masked_and_whole(&self) -> Vec<f32> {
        let mut channels = Vec::with_capacity(2 * self.0.len());
        for plane in self.0.chunks_exact(PIXELS) {
            channels.extend_from_slice(&plane[..PIXELS / 2]);
            channels.resize(channels.len() + PIXELS / 2, 0.0);
        }
        channels.extend_from_slice(&self.0);
        channels
    }
}

/// The net in a session: `audio` `[N, 1, 80, 16]` and `face` `[N, 6, 96, 96]` in, `[N, 3, 96, 96]` out, blue, green, red on
/// 0 to 1; or only the rows from [`FIRST_ROW`] on.
#[derive(Debug, Clone)]
pub struct Generator {
    session: Arc<dyn InferenceSession>,
    audio: String,
    face: String,
    output: String,
    most_faces: usize,
}

impl Generator {
    /// Wraps a loaded net, whatever its tensors are called.
    ///
    /// # Errors
    /// `InvalidInput` when its inputs are not those of a Wav2Lip of 96 pixels.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let info = session.info();
        let (audio, face) = inputs(info)?;
        let output = info.outputs.first().ok_or_else(|| not_wav2lip(info))?;
        let [audio, face, output] = [&audio.name, &face.name, &output.name].map(String::clone);
        let most_faces = most_faces(info)?;
        Ok(Self { session, audio, face, output, most_faces })
    }

    /// How many faces to give to [`speak`](Self::speak) at once.
    #[must_use]
    pub fn most_faces(&self) -> usize {
        self.most_faces
    }

    /// The faces, speaking: one for each, in order. Rows that the net leaves out stay as it was shown them. One run, so no more than
    /// [`most_faces`](Self::most_faces).
    ///
    /// # Errors
    /// When the session fails, or its output has another shape than it should.
    pub fn speak(&self, faces: &[(&NetFace, MelChunk)]) -> Result<Vec<NetFace>> {
        let count = faces.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let audio = faces.iter().flat_map(|(_, chunk)| chunk.iter().flatten().copied()).collect::<Vec<f32>>();
        let audio = Tensor::new(vec![count, 1, BANDS, CHUNK_COLUMNS], audio)?;
        let pictures = faces.iter().flat_map(|(face, _)| face.masked_and_whole()).collect::<Vec<f32>>();
        let pictures = Tensor::new(vec![count, 6, SIDE, SIDE], pictures)?;
        let outputs =
            self.session.run(vec![(&self.audio, audio), (&self.face, pictures)], &[&self.output])?;
        let made = outputs.into_iter().next().ok_or_else(|| not_wav2lip(self.session.info()))?;
        let first = [0, FIRST_ROW].into_iter().find(|first| made.shape() == [count, 3, SIDE - first, SIDE]);
        let first = first.ok_or_else(|| not_wav2lip(self.session.info()))?;
        let made = made.into_floats()?;
        let made = made.chunks_exact(3 * (SIDE - first) * SIDE);
        Ok(faces.iter().zip(made).map(|((seen, _), made)| seen.below(first, made)).collect())
    }
}

/// Most faces of one run: one where the model has that in its shape, as facefusion's export.
///
/// # Errors
/// `InvalidInput` when its inputs are not those of a Wav2Lip of 96 pixels.
pub fn most_faces(info: &SessionInfo) -> Result<usize> {
    let (_, face) = inputs(info)?;
    let most = if info.placement.device.is_processor() { MOST_FACES } else { MOST_FACES_OF_CARD };
    Ok(face.shape.first().copied().flatten().map_or(most, |fixed| fixed.clamp(1, most)))
}

/// The inputs for speech and face, which every export names differently: told by their shapes.
fn inputs(info: &SessionInfo) -> Result<(&TensorInfo, &TensorInfo)> {
    let input = |item: [usize; 3]| {
        let is_it =
            |input: &&TensorInfo| matches!(input.shape.as_slice(), [_, own @ ..] if *own == item.map(Some));
        info.inputs.iter().find(is_it).ok_or_else(|| not_wav2lip(info))
    };
    Ok((input([1, BANDS, CHUNK_COLUMNS])?, input([6, SIDE, SIDE])?))
}

fn not_wav2lip(info: &SessionInfo) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the model {} is not a Wav2Lip of {SIDE} pixels", info.name))
        .with_hint("`viseme models verify` checks installed models.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_net_sees_the_upper_half_and_the_whole_in_blue_green_and_red() {
        let planes: Vec<f32> =
            [10.0_f32, 20.0, 30.0].iter().flat_map(|&value| std::iter::repeat_n(value, PIXELS)).collect();
        let face = NetFace::from_rgb(&planes).unwrap();
        let channels = face.masked_and_whole();
        assert_eq!(channels.len(), 6 * PIXELS);
        for (channel, value) in [(0, 30.0), (1, 20.0), (2, 10.0), (3, 30.0), (4, 20.0), (5, 10.0)] {
            let plane = &channels[channel * PIXELS..][..PIXELS];
            let lower = if channel < 3 { 0.0 } else { value / 255.0 };
            assert!((plane[PIXELS / 2 - 1] - value / 255.0_f32).abs() < 1e-7, "{channel}");
            assert!((plane[PIXELS / 2] - lower).abs() < 1e-7, "{channel}");
        }
        assert!((face.to_rgb()[0].at(3, 90) - 10.0).abs() < 1e-5);
        assert!(NetFace::from_rgb(&planes[1..]).is_err());
    }

    /// A net that answers with so many rows of white.
    #[derive(Debug)]
    struct White(SessionInfo, usize);

    impl InferenceSession for White {
        fn info(&self) -> &SessionInfo {
            &self.0
        }

        fn run(&self, _: Vec<(&str, Tensor)>, _: &[&str]) -> Result<Vec<Tensor>> {
            Ok(vec![Tensor::new(vec![1, 3, self.1, SIDE], vec![1.0_f32; 3 * self.1 * SIDE])?])
        }
    }

    #[test]
    fn rows_that_the_net_leaves_out_stay_as_they_were_seen() {
        let generator = |rows| {
            let info = viseme_testing::FakeGenerator::default().info().clone();
            Generator::new(Arc::new(White(info, rows))).unwrap()
        };
        let face = NetFace::from_rgb(&vec![51.0; 3 * PIXELS]).unwrap();
        let chunk = [[0.0; CHUNK_COLUMNS]; BANDS];
        for first in [0, FIRST_ROW] {
            let made = generator(SIDE - first).speak(&[(&face, chunk)]).unwrap();
            for plane in made[0].values().chunks_exact(PIXELS) {
                let (above, below) = plane.split_at(first * SIDE);
                assert!(above.iter().all(|value| (value - 0.2).abs() < 1e-6));
                assert!(below.iter().all(|value| (value - 1.0).abs() < 1e-6));
            }
        }
        let error = generator(SIDE / 2).speak(&[(&face, chunk)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
