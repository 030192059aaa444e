//! Where the files of a job come from.

use serde::{Deserialize, Serialize};
use viseme_cloud::RemoteUrl;
use viseme_jobs::ArtifactKey;

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// An address that the client named.
    Url(RemoteUrl),
    /// What the client sent.
    Upload(ArtifactKey),
}

/// Somebody whom a job knows by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CharacterTask {
    /// The name in the result.
    pub(crate) id: String,
    /// The name for people.
    pub(crate) name: Option<String>,
    /// A picture that shows the face.
    pub(crate) reference: Source,
}
