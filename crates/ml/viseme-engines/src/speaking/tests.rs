//! What every sense of the speaker has to keep.

use super::*;
use std::sync::Arc;
use viseme_core::Pts;
use viseme_imaging::{ChromaSampling, ColourMatrix, ColourRange, PixelFormat};
use viseme_models::{ModelFile, RtenRuntime, Runtime};

/// Pictures of grey noise, of which the sense must not need more than there are.
struct Pictures {
    frame: Frame,
    colour: ColourInfo,
    left: usize,
}

impl Pictures {
    fn new(left: usize) -> Self {
        let format = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: false };
        let bytes: Vec<u8> =
            (0..3 * 160 * 120_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let frame = Frame::from_bytes(Pts(0), format, 160, 120, &bytes).unwrap();
        let colour = ColourInfo::new(ColourRange::Full, ColourMatrix::Rgb);
        Self { frame, colour, left }
    }
}

impl TickPictures for Pictures {
    fn next_tick(&mut self) -> Result<Option<(&Frame, &ColourInfo)>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        Ok(Some((&self.frame, &self.colour)))
    }
}

fn asked(tick: usize) -> f32 {
    let t = tick as f32;
    0.5 + 0.3 * (t * 0.71).sin() + 0.2 * (t * 1.37).sin()
}

fn sound(ticks: usize) -> SceneSound {
    let mut listener = CoefficientListener::default();
    let samples: Vec<f32> = (0..ticks * SAMPLES_PER_TICK)
        .map(|i| asked(i / SAMPLES_PER_TICK) * (i as f32 * 0.13).sin())
        .collect();
    samples.chunks(1000).for_each(|part| listener.hear(part));
    SceneSound {
        mouth: ExpectedMouth::new((0..ticks * 4).map(|i| asked(i / 4)).collect(), ticks as f64 / 25.0),
        voice: vec![true; ticks * 4],
        coefficients: listener.finish(),
    }
}

fn face(first: usize, openings: impl IntoIterator<Item = f32>, x: f32) -> SceneFace {
    let bbox = Rect { x, y: 30.0, width: 50.0, height: 60.0 };
    SceneFace { first, seen: openings.into_iter().map(|opening| SeenFace { opening, bbox }).collect() }
}

/// All senses that there are. The net is one of few channels made from seeded weights.
fn senses() -> Vec<Box<dyn SpeakerSense>> {
    let checkpoint =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../viseme-models/tests/vectors/lr_asd.pth");
    let folder = tempfile::tempdir().unwrap();
    let onnx = folder.path().join("lr_asd.onnx");
    viseme_models::convert(viseme_models::Architecture::LrAsd, &checkpoint, &onnx).unwrap();
    let session: Arc<_> = RtenRuntime::default().load(&ModelFile::file("lr_asd", &onnx)).unwrap();
    vec![Box::new(NativeSense), Box::new(LrAsd::new(session))]
}

#[test]
fn every_sense_answers_for_every_tick_of_every_face() {
    let ticks = 60;
    let faces = [
        face(0, (0..ticks).map(|tick| 0.2 * asked(tick)), 20.0),
        face(7, (0..41).map(|_| 0.02), 90.0),
        face(59, [0.1], 60.0),
    ];
    // A sound that ends before the faces, and one that has nothing at all.
    for sound in [sound(ticks), sound(30), sound(0)] {
        let scene = Scene { faces: &faces, sound: &sound };
        for sense in senses() {
            let scores = sense.sense(&scene, &mut Pictures::new(ticks)).unwrap();
            let lengths: Vec<usize> = scores.iter().map(Vec::len).collect();
            assert_eq!(lengths, [60, 41, 1], "{}", sense.name());
            assert!(scores.iter().flatten().all(|score| score.is_finite()), "{}", sense.name());
            assert_eq!(scores, sense.sense(&scene, &mut Pictures::new(ticks)).unwrap(), "{}", sense.name());
        }
    }
    let sound = sound(ticks);
    for sense in senses() {
        let scene = Scene { faces: &faces, sound: &sound };
        // A video whose end cannot be decoded, and one without faces.
        assert_eq!(sense.sense(&scene, &mut Pictures::new(10)).unwrap().len(), 3, "{}", sense.name());
        let scene = Scene { faces: &[], sound: &sound };
        assert!(sense.sense(&scene, &mut Pictures::new(ticks)).unwrap().is_empty(), "{}", sense.name());
    }
}

#[test]
fn of_two_faces_the_native_sense_finds_the_one_that_moves_with_the_sound() {
    let ticks = 150;
    let sound = sound(ticks);
    let other = |tick: usize| 0.2 * (0.5 + 0.5 * (tick as f32 * 0.53).cos());
    let speaks =
        |tick: usize, first: bool| if (tick < 75) == first { 0.2 * asked(tick) } else { other(tick) };
    let faces = [
        face(0, (0..ticks).map(|tick| speaks(tick, true)), 20.0),
        face(0, (0..ticks).map(|tick| speaks(tick, false)), 90.0),
    ];
    let scores = NativeSense.sense(&Scene { faces: &faces, sound: &sound }, &mut Pictures::new(0)).unwrap();
    let rows: Vec<Vec<Option<f32>>> =
        scores.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
    let found = turns::speaker_turns(&rows, &vec![true; ticks]);
    assert_eq!(found.iter().map(|turn| turn.person).collect::<Vec<_>>(), [0, 1]);
    assert!(found[0].ticks.end.abs_diff(75) <= 5, "{found:?}");
}
