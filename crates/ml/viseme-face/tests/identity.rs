//! `MobileFaceNet` with its real weights on real faces: one person stays one, different people stay apart.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Portrait, frame_of, load, portraits};
use viseme_face::detect::Scrfd;
use viseme_face::identity::{Embedding, FaceEmbedder, mobilefacenet};

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
