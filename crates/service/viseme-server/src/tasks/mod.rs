//! What jobs are to do, in the words in which the store keeps it.

mod batch;
mod faces;
mod lipsync;
mod score;
mod source;

pub(crate) use batch::BatchTask;
pub(crate) use faces::{FacesTask, TrackingTask};
pub(crate) use lipsync::{FaceTask, LipsyncOptions, LipsyncTask, check_unit};
pub(crate) use score::ScoreTask;
pub(crate) use source::{CharacterTask, Source};

use serde::{Deserialize, Deserializer};

/// Reads null as what a field is when it is not there: clients send either.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
