//! Brings the files of a job to its folder.

use super::Work;
use crate::tasks::{CharacterTask, Source};
use std::path::PathBuf;
use viseme::Character;
use viseme_core::{Error, Result};
use viseme_jobs::JobProgress;

impl Work<'_> {
    /// The file of `source`, brought here under `name` unless an earlier try has done so. `what` names it for people.
    ///
    /// # Errors
    /// Those of the download; `NotFound` for an upload that was removed meanwhile.
    pub(super) async fn fetch(
        &self,
        source: &Source,
        (name, what): (&str, &str),
        most_bytes: u64,
    ) -> Result<PathBuf> {
        let path = self.folder.file(name);
        if tokio::fs::try_exists(&path).await.unwrap_or(false) {
            return Ok(path);
        }
        self.handle.set_progress(JobProgress { stage: "fetch".to_owned(), done: 0, total: None });
        match source {
            Source::Url(url) => {
                let download = self.handler.client.download(url, &path, most_bytes);
                self.unless_stopped(download).await.map_err(|error| about(what, &error))?;
            }
            Source::Upload(key) => {
                // In a folder of the same disk that is a second name of the file.
                let fetch = self.handler.files.fetch_file(key, &path);
                self.unless_stopped(fetch).await.map_err(|error| about(what, &error))?;
            }
        }
        Ok(path)
    }

    /// The characters of a job, with their pictures here.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub(super) async fn characters(&self, tasks: &[CharacterTask]) -> Result<Vec<Character>> {
        let most_bytes = self.handler.sizes.image;
        let mut characters = Vec::new();
        for (number, task) in tasks.iter().enumerate() {
            let (name, what) = (format!("reference_{number}"), format!("the picture of '{}'", task.id));
            let picture = self.fetch(&task.reference, (&name, &what), most_bytes).await?;
            let (name, is_optional) = (task.name.clone(), true);
            characters.push(Character { name, is_optional, ..Character::new(&task.id, [picture]) });
        }
        Ok(characters)
    }
}

/// An error that says which input it is about.
fn about(what: &str, error: &Error) -> Error {
    let named = Error::new(error.kind(), format!("{what}: {error}"));
    if let Some(hint) = error.hint() { named.with_hint(hint) } else { named }
}
