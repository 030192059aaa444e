//! The files of jobs, by way of the server.

use super::connection::{Connection, patiently};
use super::leases::Leases;
use reqwest::{Body, Response};
use std::io;
use std::path::Path;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::io::ReaderStream;
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::ArtifactKey;

/// How long nothing may come of a file.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// The files of the jobs of a server.
#[derive(Debug, Clone)]
pub(crate) struct HttpFiles {
    connection: Connection,
    leases: Leases,
}

impl HttpFiles {
    pub(super) fn new(connection: Connection, leases: Leases) -> Self {
        Self { connection, leases }
    }

    /// Brings a file to `to`: whole, or not at all.
    ///
    /// # Errors
    /// `NotFound` when it is not there any more; when the server cannot be reached for long, or `to` not be written.
    pub(crate) async fn fetch(&self, key: &ArtifactKey, to: &Path) -> Result<()> {
        patiently(|| self.fetch_once(key, to)).await
    }

    async fn fetch_once(&self, key: &ArtifactKey, to: &Path) -> Result<()> {
        let response = timeout(IDLE_TIME, self.connection.read(&format!("/files/{key}"))).await;
        let response = response.map_err(|_| self.silent())??;
        let folder = to.parent().unwrap_or(to).to_owned();
        let fault = |error: io::Error| Error::io("write the file", error);
        let made =
            tokio::task::spawn_blocking(move || NamedTempFile::with_prefix_in(".fetch-", folder)).await;
        let (file, path) = made.map_err(|error| fault(error.into()))?.map_err(fault)?.into_parts();
        self.receive(response, File::from_std(file)).await?;
        path.persist(to).map_err(|error| fault(error.error))
    }

    async fn receive(&self, mut response: Response, mut file: File) -> Result<()> {
        let fault = |error| Error::io("write the file", error);
        let promised = response.content_length();
        let mut bytes = 0;
        loop {
            let chunk = timeout(IDLE_TIME, response.chunk()).await.map_err(|_| self.silent())?;
            let Some(chunk) = chunk.map_err(|error| self.connection.failed(error))? else { break };
            bytes += chunk.len() as u64;
            file.write_all(&chunk).await.map_err(fault)?;
        }
        if promised.is_some_and(|promised| promised != bytes) {
            return Err(Error::new(ErrorKind::Network, format!("{} was cut off", self.connection.site())));
        }
        file.flush().await.map_err(fault)
    }

    /// Brings `file` to the server, as one of a job that this worker has.
    ///
    /// # Errors
    /// `Remote` when the job is somebody else's by now; what the server says when it has no room; when it cannot be reached
    /// for long, or `file` not be read.
    pub(crate) async fn put(&self, key: &ArtifactKey, file: &Path, content_type: &str) -> Result<()> {
        let lease = key.owner().parse().ok().and_then(|job| self.leases.of(job));
        let lease = lease.ok_or_else(|| Error::internal("a file of a job that this worker does not have"))?;
        let path = format!("/files/{key}?attempt={}", lease.attempt);
        let put = async || {
            let fault = |error| Error::io("read the file", error);
            let file = File::open(file).await.map_err(fault)?;
            let bytes = file.metadata().await.map_err(fault)?.len();
            let body = Body::wrap_stream(ReaderStream::new(file.take(bytes)));
            self.connection.write(&path, content_type, (body, bytes)).await
        };
        patiently(put).await
    }

    fn silent(&self) -> Error {
        Error::new(ErrorKind::TimedOut, format!("{} does not answer", self.connection.site()))
    }
}
