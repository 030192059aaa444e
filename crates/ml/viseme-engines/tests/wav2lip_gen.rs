//! Wav2Lip from a frame to a frame: `vectors/wav2lip_gen`, made with random weights of a quarter of the width.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::sync::Arc;
use viseme_core::Pts;
use viseme_core::geometry::PixelRect;
use viseme_engines::wav2lip::chunks::{CHUNK_COLUMNS, MelChunk};
use viseme_engines::wav2lip::network::{Generator, NetFace};
use viseme_engines::wav2lip::plain::{PlainCrop, truncated};
use viseme_imaging::{
    ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, ImageU8, PixelFormat, composite, rgb_image,
};
use viseme_models::{Architecture, ModelFile, RtenRuntime, Runtime, convert};
use viseme_testing::compare::{max_error, max_step};
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "wav2lip_gen";
/// The frames of which there are pictures.
const PICTURED: [usize; 2] = [0, 5];

/// Planes of red, green and blue, so that no conversion comes between.
const FORMAT: PixelFormat = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: false };
const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Full, ColourMatrix::Rgb);

/// What the reference was given and what it answered.
struct Reference {
    vectors: Vectors,
    mel: Array<f32>,
    face6: Array<f32>,
    pred: Array<f32>,
    boxes: Array<i64>,
}

impl Reference {
    fn open(shared: &std::path::Path) -> Self {
        let vectors = Vectors::open(shared, FOLDER);
        let mut io = vectors.npz("io.npz");
        let [mel, face6, pred] = ["mel", "face6", "pred"].map(|name| io.array(name));
        Self { mel, face6, pred, boxes: io.array("boxes_y1y2x1x2"), vectors }
    }

    fn frame(&self, index: usize, what: &str) -> Frame {
        let image: ImageU8<3> = self.vectors.png(&format!("frame{index}_{what}.png"));
        let bytes: Vec<u8> =
            [1, 2, 0].iter().flat_map(|&c| image.pixels().iter().map(move |pixel| pixel[c])).collect();
        Frame::from_bytes(Pts(0), FORMAT, image.width() as u32, image.height() as u32, &bytes).unwrap()
    }

    fn crop(&self, index: usize) -> PlainCrop {
        let edges = self.boxes.rows().nth(index).unwrap();
        let [top, bottom, left, right] = [0, 1, 2, 3].map(|edge| u32::try_from(edges[edge]).unwrap());
        let face = PixelRect { x: left, y: top, width: right - left, height: bottom - top };
        PlainCrop::new(&self.frame(index, "in"), &COLOUR, face).unwrap()
    }

    /// The face as the vectors have it: channels blue, green, red.
    fn face(&self, index: usize) -> NetFace {
        net_face(&self.face6.rows().nth(index).unwrap()[3 * 96 * 96..])
    }

    fn chunk(&self, index: usize) -> MelChunk {
        let values = self.mel.rows().nth(index).unwrap();
        std::array::from_fn(|band| std::array::from_fn(|column| values[band * CHUNK_COLUMNS + column]))
    }

    fn spoken(&self, index: usize) -> NetFace {
        net_face(self.pred.rows().nth(index).unwrap())
    }
}

/// A face of planes blue, green and red on 0 to 1.
fn net_face(planes: &[f32]) -> NetFace {
    let rgb: Vec<f32> = planes.chunks_exact(96 * 96).rev().flatten().map(|value| value * 255.0).collect();
    NetFace::from_rgb(&rgb).unwrap()
}

fn generator(model: &ModelFile) -> Generator {
    Generator::new(RtenRuntime::default().load(model).unwrap()).unwrap()
}

/// Prints what was found, for the table in docs/CONFORMANCE.md.
#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn check(what: &str, error: impl Into<f64>, tolerance: f64) {
    let error = error.into();
    println!("{what}: {error:e}");
    assert!(error <= tolerance, "{what} differs by {error}");
}

#[test]
fn faces_are_cut_out_as_in_the_reference() {
    let reference = Reference::open(&skip_without_shared!());
    for index in PICTURED {
        let crop = reference.crop(index);
        let expected: ImageU8<3> = reference.vectors.png(&format!("face{index}_96.png"));
        check("the crop", max_step(&crop.picture().unwrap(), &expected), 0.0);
        let channels = crop.net_face().unwrap().masked_and_whole();
        let expected = reference.face6.rows().nth(index).unwrap().to_vec();
        check("six channels", max_error(&channels, &expected), 1e-7);
    }
}

#[test]
fn the_net_answers_as_in_the_reference() {
    let reference = Reference::open(&skip_without_shared!());
    let onnx = ModelFile::file("quarter", reference.vectors.path("wav2lip_w4.onnx"));
    let folder = tempfile::tempdir().unwrap();
    let converted = folder.path().join("converted.onnx");
    convert(Architecture::Wav2Lip, &reference.vectors.path("wav2lip_w4.pth"), &converted).unwrap();
    let faces: Vec<NetFace> = (0..6).map(|index| reference.face(index)).collect();
    let asked: Vec<_> = faces.iter().enumerate().map(|(i, face)| (face, reference.chunk(i))).collect();
    for (what, model) in [("the export", onnx), ("our conversion", ModelFile::file("ours", converted))] {
        let spoken = generator(&model).speak(&asked).unwrap();
        let values = spoken.iter().flat_map(|face| face.values().to_vec()).collect::<Vec<_>>();
        check(what, max_error(&values, &reference.pred.values), 1e-4);
    }
}

#[test]
fn answers_are_cut_off_and_pasted_as_in_the_reference() {
    let reference = Reference::open(&skip_without_shared!());
    let net = generator(&ModelFile::file("quarter", reference.vectors.path("wav2lip_w4.onnx")));
    for index in PICTURED {
        let expected: ImageU8<3> = reference.vectors.png(&format!("pred{index}_96.png"));
        check(
            "the answer in 8 bits",
            max_step(&truncated(&reference.spoken(index)).unwrap(), &expected),
            0.0,
        );

        let (crop, source) = (reference.crop(index), reference.frame(index, "in"));
        let output = rgb_image(&reference.frame(index, "out"), &COLOUR).unwrap();
        let step = |patch| {
            let mut made = source.clone();
            composite(&mut made, &patch).unwrap();
            max_step(&rgb_image(&made, &COLOUR).unwrap(), &output)
        };
        let pasted = crop.paste(&reference.spoken(index), &source, &COLOUR).unwrap();
        check("the frame", step(pasted), 0.0);

        // The whole way: a value of the net that is off by 1e-5 may be cut off to the next whole number.
        let seen = crop.net_face().unwrap();
        let spoken = net.speak(&[(&seen, reference.chunk(index))]).unwrap();
        check("the whole way", step(crop.paste(&spoken[0], &source, &COLOUR).unwrap()), 1.0);
    }
}

#[test]
fn another_model_is_refused() {
    let other = RtenRuntime::default()
        .load(&ModelFile::embedded("neighbours", viseme_testing::runtimes::NEIGHBOURS))
        .unwrap();
    let error = Generator::new(Arc::clone(&other)).unwrap_err();
    assert!(error.to_string().contains("neighbours is not a Wav2Lip"), "{error}");
}
