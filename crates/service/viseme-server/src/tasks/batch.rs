//! The task of a batch.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Many lipsync tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchTask {
    /// Each a [`LipsyncTask`](super::LipsyncTask).
    pub(crate) jobs: Vec<Value>,
}
