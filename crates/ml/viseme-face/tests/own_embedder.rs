//! Our own embedder on rendered heads: through our runtime against ONNX Runtime (`training/face/vectors.py`), and whether it
//! tells them apart. Real faces: `identity.rs`.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::path::PathBuf;
use viseme_face::Weights;
use viseme_face::identity::{Embedding, EmbeddingNet, FaceEmbedder, native};
use viseme_imaging::ImageU8;
use viseme_models::RtenRuntime;

const SIDE: usize = 112;

fn embedder(weights: Weights) -> EmbeddingNet {
    native(&RtenRuntime::default(), weights).unwrap()
}

fn vectors(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

/// The rendered heads, and what the file says of them.
fn heads() -> (Vec<ImageU8<3>>, Value) {
    let bytes = std::fs::read(vectors("identity_input.u8")).unwrap();
    let picture = |pixels: &[[u8; 3]]| ImageU8::new(SIDE, SIDE, pixels.to_vec()).unwrap();
    let pixels = bytes.as_chunks::<3>().0;
    let known = serde_json::from_slice(&std::fs::read(vectors("identity.json")).unwrap()).unwrap();
    (pixels.chunks(SIDE * SIDE).map(picture).collect(), known)
}

#[test]
fn both_nets_agree_with_the_reference() {
    let (heads, known) = heads();
    for (weights, name) in [(Weights::Default, "default"), (Weights::Clean, "clean")] {
        let net = embedder(weights);
        for (head, wanted) in heads.iter().zip(known[name].as_array().unwrap()) {
            let found = net.embed(head).unwrap();
            let wanted = wanted.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32);
            assert_eq!(found.values().len(), wanted.len());
            let worst = found.values().iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{name}: {worst} apart");
        }
    }
}

#[test]
fn rendered_heads_are_told_apart() {
    let (heads, known) = heads();
    let people: Vec<i64> =
        known["person"].as_array().unwrap().iter().map(|person| person.as_i64().unwrap()).collect();
    for weights in [Weights::Default, Weights::Clean] {
        let net = embedder(weights);
        let seen: Vec<Embedding> = heads.iter().map(|head| net.embed(head).unwrap()).collect();
        for (i, a) in seen.iter().enumerate() {
            let likest = (0..seen.len())
                .filter(|&k| k != i)
                .max_by(|&k, &l| a.cosine(&seen[k]).total_cmp(&a.cosine(&seen[l])));
            assert_eq!(people[likest.unwrap()], people[i], "{weights:?}: head {i} is likest head {likest:?}");
        }
    }
}

#[test]
fn a_head_in_another_light_stays_who_it_is() {
    let (heads, _) = heads();
    let net = embedder(Weights::Default);
    let same_person = net.same_person_cosine();
    for head in &heads {
        let face = net.embed(head).unwrap();
        let changes: [fn([u8; 3]) -> [u8; 3]; 3] = [
            |[r, g, b]| [r.saturating_add(r / 6), g, b - b / 6],
            |pixel| pixel.map(|v| v - v / 4),
            |pixel| pixel.map(|v| v.saturating_add(20)),
        ];
        for change in changes {
            let other = net.embed(&head.map(change)).unwrap();
            assert!(face.cosine(&other) > same_person, "{}", face.cosine(&other));
        }
    }
}

#[test]
fn a_crop_of_another_size_is_an_error() {
    let crop = ImageU8::new(96, 96, vec![[90, 80, 70]; 96 * 96]).unwrap();
    assert!(embedder(Weights::Default).embed(&crop).is_err());
}
