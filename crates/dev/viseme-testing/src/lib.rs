//! Fakes, golden media and image comparison for the tests of the other crates.
//!
//! Everything here panics when it fails: it is for tests alone, where a panic is a failed test.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a panic here is a failed test"
)]

pub mod clips;
pub mod compare;
pub mod fake_embedder;
pub mod fake_engine;
pub mod fake_enhancer;
pub mod fake_faces;
pub mod fake_generator;
pub mod fake_interpolator;
pub mod fake_media;
pub mod hostile_server;
pub mod observers;
pub mod runtimes;
mod shared;
pub mod two_people;
pub mod vectors;

pub use clips::TestClip;
pub use fake_embedder::FakeEmbedder;
pub use fake_engine::{FakeEngine, FakePatch};
pub use fake_enhancer::FakeEnhancer;
pub use fake_faces::FakeFace;
pub use fake_generator::FakeGenerator;
pub use fake_interpolator::FakeInterpolator;
pub use fake_media::{FakeSink, FakeSource};
pub use hostile_server::{Answer, HostileServer};
pub use runtimes::FakeSession;
pub use shared::{shared_dir, skipped};
pub use vectors::{Archive, Array, Vectors};
