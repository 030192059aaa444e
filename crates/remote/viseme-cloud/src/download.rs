//! One file comes in: at its name when it is whole, or not at all.

use crate::client::SafeClient;
use crate::failure;
use crate::url::RemoteUrl;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use viseme_core::{Error, ErrorKind, Result};

/// What an error of the local disk was about.
const WRITE: &str = "write the download";

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Size of the file.
    pub bytes: u64,
    /// What the server calls its content. It may be wrong.
    pub content_type: Option<String>,
    /// What the file is called out there, made harmless (see [`RemoteUrl::file_name`]): at the address where it was found, or
    /// else at the one that was asked.
    pub file_name: Option<String>,
}

impl SafeClient {
    /// Gets `url` into the file `to`, which is replaced when it exists.
    ///
    /// The bytes go to a temporary name in the folder of `to`, which is renamed when all are there. Otherwise, also when the
    /// future is dropped, nothing is left.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an address, or one it redirects to, where we do not go; [`ErrorKind::LimitExceeded`]
    /// for more than `most_bytes`; [`ErrorKind::Network`] and [`ErrorKind::TimedOut`] when it did not come to its end;
    /// [`ErrorKind::Remote`] when the other side has no such file; [`ErrorKind::DiskFull`] and others of the disk.
    pub async fn download(&self, url: &RemoteUrl, to: &Path, most_bytes: u64) -> Result<Download> {
        timeout(self.policy().total_timeout, self.fetch(url, to, most_bytes))
            .await
            .unwrap_or_else(|_| Err(failure::timed_out(url)))
    }

    async fn fetch(&self, url: &RemoteUrl, to: &Path, most_bytes: u64) -> Result<Download> {
        let (place, response) = self.get(url).await?;
        if response.status() != StatusCode::OK {
            return Err(failure::refused(&place, response.status()));
        }
        if response.content_length().is_some_and(|bytes| bytes > most_bytes) {
            return Err(too_large(&place, most_bytes));
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let (file, temporary) = temporary_beside(to).await.map_err(|error| failure::local(WRITE, &error))?;
        let bytes = self.receive(&place, response, File::from_std(file), most_bytes).await?;
        // A rename is quick, and here a dropped future cannot come between it and the answer.
        temporary.persist(to).map_err(|error| failure::local(WRITE, &error.error))?;
        tracing::debug!(%url, bytes, "downloaded");
        Ok(Download { bytes, content_type, file_name: place.file_name().or_else(|| url.file_name()) })
    }

    /// Writes the body to `file`, to the disk itself, and returns its size.
    async fn receive(
        &self,
        url: &RemoteUrl,
        mut response: Response,
        mut file: File,
        most_bytes: u64,
    ) -> Result<u64> {
        let promised = response.content_length();
        let mut bytes = 0;
        loop {
            let chunk = timeout(self.policy().idle_timeout, response.chunk()).await;
            let chunk =
                chunk.map_err(|_| failure::timed_out(url))?.map_err(|error| failure::failed(url, error))?;
            let Some(chunk) = chunk else { break };
            bytes += chunk.len() as u64;
            if bytes > most_bytes {
                return Err(too_large(url, most_bytes));
            }
            file.write_all(&chunk).await.map_err(|error| failure::local(WRITE, &error))?;
        }
        if promised.is_some_and(|promised| promised != bytes) {
            return Err(Error::new(ErrorKind::Network, format!("the connection to {} was cut", url.site())));
        }
        file.flush().await.map_err(|error| failure::local(WRITE, &error))?;
        file.sync_all().await.map_err(|error| failure::local(WRITE, &error))?;
        Ok(bytes)
    }
}

fn too_large(url: &RemoteUrl, most_bytes: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("the file at {} has more than {most_bytes} bytes", url.site()),
    )
    .with_hint("Use a smaller file; the operator sets the limit.")
}

async fn temporary_beside(to: &Path) -> std::io::Result<(std::fs::File, TempPath)> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => Path::new(".").to_owned(),
    };
    let made = tokio::task::spawn_blocking(move || {
        tempfile::Builder::new().prefix(".download-").tempfile_in(folder)
    });
    made.await?.map(NamedTempFile::into_parts)
}
