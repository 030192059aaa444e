//! The task of a batch.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Many lipsync tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchTask {
    /// Each a [`LipsyncTask`](super::LipsyncTask).
    pub(crate) jobs: Vec<Value>,
    /// Most times that each is begun.
    pub(crate) max_tries: u32,
    /// How long a try of each may take.
    pub(crate) time_limit_ms: u64,
}
