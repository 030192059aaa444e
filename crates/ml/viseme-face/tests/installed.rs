//! Which of the installed models is taken.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use viseme_core::ErrorKind;
use viseme_core::observer::Silent;
use viseme_face::identity::{FaceEmbedder, native};
use viseme_face::{DetectorChoice, InstalledModels, Weights};
use viseme_models::download::Patience;
use viseme_models::store::StoreOptions;
use viseme_models::{Manifest, RtenRuntime, Store};

fn store(root: &Path) -> Store {
    let manifest = Manifest::embedded().unwrap();
    let options = StoreOptions {
        root: root.into(),
        manifest,
        mirror: None,
        allow_plain_http: false,
        patience: Patience::default(),
    };
    Store::with_options(options).unwrap()
}

#[test]
fn with_nothing_installed_auto_is_our_own_and_names_say_what_to_pull() {
    let folder = tempfile::tempdir().unwrap();
    let (store, runtime) = (store(folder.path()), RtenRuntime::default());
    let models = InstalledModels::new(&store, &runtime);
    assert!(models.detector(DetectorChoice::Native).unwrap().is_none());
    assert!(models.detector(DetectorChoice::Auto).unwrap().is_none());
    assert!(models.embedder().unwrap().is_none() && models.parser().unwrap().is_none());
    let own = native(&runtime, Weights::Default).unwrap().same_person_cosine();
    assert_eq!(models.best_embedder(Weights::Default).unwrap().same_person_cosine().to_bits(), own.to_bits());
    assert!(models.points_68().unwrap().is_none() && models.points_106().unwrap().is_none());
    assert!(models.head_pose().unwrap().is_none());
    for (choice, id) in [
        (DetectorChoice::Scrfd, "scrfd_2_5g"),
        (DetectorChoice::Yunet, "yunet"),
        (DetectorChoice::S3fd, "s3fd"),
    ] {
        let error = models.detector(choice).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelMissing);
        assert!(error.hint().unwrap().contains(&format!("viseme models pull {id}")), "{:?}", error.hint());
    }
}

#[test]
fn auto_takes_what_is_installed() {
    let shared = viseme_testing::skip_without_shared!();
    let folder = tempfile::tempdir().unwrap();
    let (store, runtime) = (store(folder.path()), RtenRuntime::default());
    let weights = shared.join("weights");
    store.import(Some("scrfd_2_5g"), &weights.join("scrfd_2.5g_bnkps.onnx"), &Silent).unwrap();
    store.import(Some("mobilefacenet"), &weights.join("MobileFaceNet_foamliu.onnx"), &Silent).unwrap();
    let models = InstalledModels::new(&store, &runtime);
    assert_eq!(models.detector(DetectorChoice::Auto).unwrap().unwrap().name(), "scrfd_2_5g");
    assert_eq!(models.detector(DetectorChoice::Scrfd).unwrap().unwrap().name(), "scrfd_2_5g");
    let installed = models.embedder().unwrap().unwrap().same_person_cosine();
    let best = models.best_embedder(Weights::Default).unwrap().same_person_cosine();
    assert_eq!(best.to_bits(), installed.to_bits());
}
