//! Files to a store and back, in pieces.

use super::fault::Fault;
use super::staged::Staged;
use bytes::BytesMut;
use futures_util::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    WriteMultipart,
};
use std::path::Path;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use viseme_core::{Error, ErrorKind, Result};

/// A part of a large file. S3 takes 10,000 of at least 5 MiB: files of 84 GB.
const PART: usize = 8 << 20;
/// Parts that are under way at a time.
const PARTS_AT_ONCE: usize = 4;

/// Writes a file to a store and says how long it is. Nothing is there when this is dropped before its end.
pub(super) async fn upload(
    store: &Arc<dyn ObjectStore>,
    path: &StorePath,
    file: &Path,
    content_type: &str,
) -> Result<u64> {
    let mut file = File::open(file).await.map_err(|error| Error::io("read the file", error))?;
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, content_type.to_owned().into());
    let first = read_part(&mut file).await?;
    if first.len() < PART {
        let bytes = first.len() as u64;
        let options = PutOptions { attributes, ..PutOptions::default() };
        let payload = PutPayload::from(first.freeze());
        store.put_opts(path, payload, options).await.map_err(|error| error.into_error("store the file"))?;
        return Ok(bytes);
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let upload =
        store.put_multipart_opts(path, options).await.map_err(|error| error.into_error("store the file"))?;
    let mut parts = Parts(Some(WriteMultipart::new_with_chunk_size(upload, PART)));
    let (mut part, mut bytes) = (first, 0);
    while !part.is_empty() {
        bytes += part.len() as u64;
        parts.write(part).await?;
        part = read_part(&mut file).await?;
    }
    parts.finish().await?;
    Ok(bytes)
}

/// The next piece of a file, of [`PART`] bytes unless it is the last.
async fn read_part(file: &mut File) -> Result<BytesMut> {
    let mut part = BytesMut::with_capacity(PART);
    while part.len() < PART {
        let left = PART - part.len();
        let read = (&mut *file).take(left as u64).read_buf(&mut part).await;
        if read.map_err(|error| Error::io("read the file", error))? == 0 {
            break;
        }
    }
    Ok(part)
}

/// A large file under way. The store forgets its parts when it is dropped.
struct Parts(Option<WriteMultipart>);

impl Parts {
    async fn write(&mut self, part: BytesMut) -> Result<()> {
        if let Some(parts) = &mut self.0 {
            parts
                .wait_for_capacity(PARTS_AT_ONCE)
                .await
                .map_err(|error| error.into_error("store the file"))?;
            parts.put(part.freeze());
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<()> {
        match self.0.take() {
            Some(parts) => parts.finish().await.map(drop).map_err(|error| error.into_error("store the file")),
            None => Ok(()),
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let (Some(parts), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::warn!(%error, "parts of an unfinished upload stay in the bucket");
                }
            });
        }
    }
}

/// Writes a file of a store to `to`: whole, or not at all.
pub(super) async fn download(store: &Arc<dyn ObjectStore>, path: &StorePath, to: &Path) -> Result<()> {
    let found = store.get(path).await.map_err(|error| error.into_error("fetch the file"))?;
    let fault = |error| Error::io("write the file", error);
    let bytes = found.meta.size;
    let mut stream = found.into_stream();
    let mut staged = Staged::beside(to).map_err(fault)?;
    let mut written = 0;
    while let Some(piece) = stream.try_next().await.map_err(|error| error.into_error("fetch the file"))? {
        staged.file.write_all(&piece).await.map_err(fault)?;
        written += piece.len() as u64;
    }
    if written != bytes {
        return Err(Error::new(ErrorKind::Network, "the file came cut off").with_hint("Try again."));
    }
    staged.file.flush().await.map_err(fault)?;
    staged.publish(false).await
}
