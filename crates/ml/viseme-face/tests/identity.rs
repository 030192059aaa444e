//! Embedders on real faces: `MobileFaceNet` with its real weights, and our own.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Portrait, frame_of, load, portraits};
use std::path::Path;
use viseme_core::FrameIndex;
use viseme_face::alignment::five_points;
use viseme_face::detect::Scrfd;
use viseme_face::identity::{Embedding, FaceEmbedder, mobilefacenet, native};
use viseme_face::{FaceNets, Tracker, TrackerOptions, Weights};
use viseme_models::RtenRuntime;

/// The embeddings of the faces of a picture.
fn embeddings(picture: &Portrait, scrfd: &Scrfd, net: &dyn FaceEmbedder) -> Vec<Embedding> {
    let image = viseme_imaging::rgb_image(picture.image().frame, picture.image().colour).unwrap();
    let faces = scrfd.detect_in(&image).unwrap();
    faces.iter().map(|face| net.embed_face(&image, &face.points.unwrap()).unwrap()).collect()
}

#[test]
fn one_person_stays_one_and_different_people_stay_apart() {
    let shared = viseme_testing::skip_without_shared!();
    let scrfd = Scrfd::new(load(&shared, "scrfd_2.5g_bnkps")).unwrap();
    let net = mobilefacenet(load(&shared, "MobileFaceNet_foamliu")).unwrap();
    let mut people: Vec<(String, Embedding)> = Vec::new();
    for clip in ["may_5s_512.mp4", "grid_pwij3p.mpg", "vr_1_700.mp4", "vox_05124_256.mp4"] {
        let file = shared.join("media").join(clip);
        let [early, late] =
            [2, 60].map(|number| embeddings(&frame_of(&file, number), &scrfd, &net).swap_remove(0));
        assert!(early.cosine(&late) >= net.same_person_cosine(), "{clip}: {}", early.cosine(&late));
        people.push((clip.to_owned(), early));
    }
    for portrait in portraits(&shared).iter().filter(|p| p.name.starts_with("generated")) {
        people.push((portrait.name.clone(), embeddings(portrait, &scrfd, &net).swap_remove(0)));
    }
    for (i, (name, a)) in people.iter().enumerate() {
        for (other, b) in &people[..i] {
            assert!(a.cosine(b) < net.same_person_cosine(), "{name} and {other}: {}", a.cosine(b));
        }
    }
}

/// The embedding of the face of a frame, found and aligned as the product does.
fn face_of(file: &Path, number: u64, nets: &FaceNets, net: &dyn FaceEmbedder) -> Embedding {
    let picture = frame_of(file, number);
    let image = picture.image();
    let options = TrackerOptions { is_still: true, ..TrackerOptions::default() };
    let faces =
        Tracker::new(nets.clone(), options).observe(image.frame, image.colour, FrameIndex(0)).unwrap();
    let rgb = viseme_imaging::rgb_image(image.frame, image.colour).unwrap();
    net.embed_face(&rgb, &five_points(&faces[0].1)).unwrap()
}

#[test]
fn each_of_two_people_is_nearer_their_own_reference() {
    let shared = viseme_testing::skip_without_shared!();
    let nets = FaceNets::embedded(&RtenRuntime::default(), Weights::Default).unwrap();
    let net = native(&RtenRuntime::default(), Weights::Default).unwrap();
    let clips = ["may_5s_512.mp4", "grid_pwij3p.mpg", "vr_1_700.mp4", "grid_brbk7n.mpg", "st_aoc_512.mp4"];
    let seen = clips.map(|clip| {
        let file = shared.join("media").join(clip);
        [2, 60].map(|number| face_of(&file, number, &nets, &net))
    });
    for (clip, [early, late]) in clips.iter().zip(&seen) {
        let own = early.cosine(late);
        for (other, [reference, _]) in clips.iter().zip(&seen).filter(|(other, _)| *other != clip) {
            assert!(late.cosine(reference) < own, "{clip} looks like {other}: {}", late.cosine(reference));
        }
    }
}
