use super::*;
use proptest::prelude::*;

/// A face that points `degrees` round a circle: two faces are alike by the cosine of the angle between them.
fn picture(degrees: f32) -> Embedding {
    let (sin, cos) = degrees.to_radians().sin_cos();
    Embedding::new(vec![cos, sin]).unwrap()
}

fn track(frames: Range<u64>, degrees: f32) -> Appearance {
    Appearance { frames, face: MeanEmbedding::new(&[picture(degrees)]) }
}

const LEAST: f32 = 0.5; // 60 degrees

use PersonId::{Character, Unknown};

#[test]
fn the_product_of_means_is_the_mean_of_the_products() {
    let (a, b) = ([picture(0.0), picture(40.0), picture(90.0)], [picture(10.0), picture(-50.0)]);
    let pairs: f32 = a.iter().flat_map(|a| b.iter().map(|b| a.cosine(b))).sum();
    let (all, others) = (MeanEmbedding::new(&a).unwrap(), MeanEmbedding::new(&b).unwrap());
    assert!((all.cosine(&others) - pairs / 6.0).abs() < 1e-6);
    let [first, rest @ ..] = &a;
    let joined =
        MeanEmbedding::new(std::slice::from_ref(first)).unwrap().joined(&MeanEmbedding::new(rest).unwrap());
    assert!((joined.cosine(&others) - all.cosine(&others)).abs() < 1e-6);
    assert!(MeanEmbedding::new(&[]).is_none());
}

#[test]
fn nobody_named_means_numbers_in_order_of_appearance() {
    let tracks = [track(0..10, 0.0), track(0..10, 120.0), track(10..20, 118.0), track(12..30, 5.0)];
    assert_eq!(identify(&tracks, &[], LEAST), [Unknown(1), Unknown(2), Unknown(2), Unknown(1)]);
    assert_eq!(identify(&[], &[vec![picture(0.0)]], LEAST), []);
}

#[test]
fn the_whole_is_matched_best_not_the_first() {
    // The first track is more like alice than like bob, but the second can only be alice.
    let tracks = [track(0..10, 28.0), track(0..10, -30.0)];
    let characters = [vec![picture(0.0)], vec![picture(60.0)]];
    assert_eq!(identify(&tracks, &characters, LEAST), [Character(1), Character(0)]);
    // On their own both are alice.
    let apart = [track(0..10, 28.0), track(10..20, -30.0)];
    assert_eq!(identify(&apart, &characters, LEAST), [Character(0), Character(0)]);
}

#[test]
fn several_pictures_show_several_looks() {
    let tracks = [track(0..10, 5.0), track(10..20, 95.0), track(20..30, 180.0)];
    let alice = [vec![picture(0.0), picture(90.0)]];
    assert_eq!(identify(&tracks, &alice, LEAST), [Character(0), Character(0), Unknown(1)]);
}

#[test]
fn a_face_unlike_the_pictures_is_known_by_the_others_of_its_video() {
    let tracks = [track(0..10, 50.0), track(20..30, 80.0), track(20..30, 200.0)];
    let alice = [vec![picture(0.0)]];
    assert_eq!(identify(&tracks, &alice, LEAST), [Character(0), Character(0), Unknown(1)]);
}

#[test]
fn who_shares_a_frame_is_somebody_else_however_alike() {
    let tracks = [track(0..10, 0.0), track(9..20, 0.0), track(20..30, 0.0)];
    let people = identify(&tracks, &[], LEAST);
    assert_ne!(people[0], people[1]);
    let people = identify(&tracks, &[vec![picture(0.0)]], LEAST);
    assert_eq!(people.iter().filter(|person| **person == Character(0)).count(), 2);
}

#[test]
fn a_track_without_a_face_is_its_own_person() {
    let unseen = Appearance { frames: 10..20, face: None };
    let tracks = [track(0..10, 0.0), unseen.clone(), unseen];
    assert_eq!(identify(&tracks, &[], -1.0), [Unknown(1), Unknown(2), Unknown(3)]);
}

fn any_track() -> impl Strategy<Value = Appearance> {
    (0..60_u64, 1..30_u64, prop::option::of(prop::collection::vec(0.0..360.0_f32, 1..4))).prop_map(
        |(start, length, degrees)| {
            let pictures: Vec<_> = degrees.into_iter().flatten().map(picture).collect();
            Appearance { frames: start..start + length, face: MeanEmbedding::new(&pictures) }
        },
    )
}

fn any_scene() -> impl Strategy<Value = (Vec<Appearance>, Vec<Vec<Embedding>>, f32)> {
    let characters =
        prop::collection::vec(prop::collection::vec((0.0..360.0_f32).prop_map(picture), 1..3), 0..3);
    (prop::collection::vec(any_track(), 0..9), characters, -1.0..1.0_f32)
}

/// What a matching is worth: see [`match_characters`].
fn worth(tracks: &[Appearance], characters: &[Vec<Embedding>], least: f32, matched: &[Option<usize>]) -> f32 {
    let gain = |(track, character): (&Appearance, &Option<usize>)| {
        let (Some(face), Some(character)) = (&track.face, character) else { return 0.0 };
        let best = characters[*character].iter().map(|p| face.cosine_to(p)).fold(-1.0, f32::max);
        if best < least { f32::NEG_INFINITY } else { (best - least) * face.pictures() }
    };
    tracks.iter().zip(matched).map(gain).sum()
}

fn share_a_frame(a: &Appearance, b: &Appearance) -> bool {
    a.frames.start < b.frames.end && b.frames.start < a.frames.end
}

/// Whether no two tracks that share a frame have the same name.
fn is_possible<T: PartialEq>(tracks: &[Appearance], names: &[Option<T>]) -> bool {
    (0..tracks.len()).all(|i| {
        (0..i).all(|j| names[i].is_none() || names[i] != names[j] || !share_a_frame(&tracks[i], &tracks[j]))
    })
}

proptest! {
    #[test]
    fn nobody_is_in_two_places_at_a_time((tracks, characters, least) in any_scene()) {
        let people: Vec<_> = identify(&tracks, &characters, least).into_iter().map(Some).collect();
        prop_assert_eq!(people.len(), tracks.len());
        prop_assert!(is_possible(&tracks, &people));
    }

    #[test]
    fn numbers_have_no_gap_and_follow_the_order_of_appearance((tracks, characters, least) in any_scene()) {
        let people = identify(&tracks, &characters, least);
        let mut first: std::collections::BTreeMap<u32, u64> = std::collections::BTreeMap::new();
        for (track, person) in tracks.iter().zip(&people) {
            if let Unknown(number) = *person {
                let start = first.entry(number).or_insert(track.frames.start);
                *start = (*start).min(track.frames.start);
            }
        }
        prop_assert!(first.keys().copied().eq(1..=first.len() as u32));
        prop_assert!(first.values().is_sorted());
    }

    #[test]
    fn no_matching_is_worth_more((tracks, characters, least) in any_scene(), other in prop::collection::vec(prop::option::of(0..3_usize), 9)) {
        let found = match_characters(&tracks, &characters, least);
        prop_assert!(is_possible(&tracks, &found));
        let other: Vec<_> = other.into_iter().take(tracks.len()).map(|c| c.filter(|&c| c < characters.len())).collect();
        if is_possible(&tracks, &other) {
            let slack = 0.002 * 30.0; // what a match is given for being one
            prop_assert!(worth(&tracks, &characters, least, &found) + slack >= worth(&tracks, &characters, least, &other));
        }
    }

    #[test]
    fn a_person_of_several_tracks_is_alike_enough((tracks, _, least) in any_scene()) {
        let people = identify(&tracks, &[], least);
        for person in &people {
            let of_person = tracks.iter().zip(&people).filter(|(_, other)| *other == person);
            let faces: Vec<_> = of_person.filter_map(|(track, _)| track.face.as_ref()).collect();
            if let [first, second] = faces.as_slice() {
                prop_assert!(first.cosine(second) >= least - 1e-5);
            }
        }
    }
}
