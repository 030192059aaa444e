//! Where the files of jobs lie: uploads, inputs, results and registered pictures.
//!
//! [`Artifacts`] is one place behind `object_store`: a folder of this machine, a bucket of S3 and what speaks like it, or
//! memory for tests. A file is there whole or not at all, under a [key](ArtifactKey) that no client's text can lead
//! elsewhere.

mod bucket;
mod fault;
mod folder;
mod key;
mod room;
mod staged;
mod transfer;

pub use bucket::{BucketKeys, BucketSettings};
pub use key::{Area, ArtifactKey};

use bytes::Bytes;
use fault::{Fault, is_missing};
use folder::Folder;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::aws::AmazonS3;
use object_store::memory::InMemory;
use object_store::path::Path as StorePath;
use object_store::signer::{Method, Signer};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use room::Room;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use viseme_core::{Error, Result};

/// The bytes of a file as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// What is known of a file that lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its length.
    pub bytes: u64,
    /// When it came.
    pub modified: Timestamp,
}

/// The place where files lie. A clone is the same place.
#[derive(Clone)]
pub struct Artifacts(Arc<Inner>);

struct Inner {
    store: Arc<dyn ObjectStore>,
    place: Place,
    /// What every name in a bucket begins with.
    prefix: StorePath,
    room: Room,
}

/// What a kind of place can do beyond the others.
enum Place {
    Folder(Folder),
    Bucket(Arc<AmazonS3>),
    Memory,
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Bucket(_) => "bucket",
            Self::Memory => "memory",
        }
    }
}

/// Says which kind of place it is, and nothing that is secret.
impl fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifacts").field("place", &self.0.place.name()).finish_non_exhaustive()
    }
}

impl Artifacts {
    /// A folder, made for nobody but its owner (mode 0700) where it is not there. At most `quota` bytes lie in it.
    ///
    /// # Errors
    /// When the folder cannot be made or is none.
    pub fn in_folder(folder: &Path, quota: Option<u64>) -> Result<Self> {
        let (folder, store) = Folder::open(folder)?;
        Ok(Self::new(Arc::new(store), Place::Folder(folder), StorePath::default(), quota))
    }

    /// A bucket. At most `quota` bytes lie in it under its prefix. Nothing is asked of the bucket yet.
    ///
    /// # Errors
    /// `InvalidInput` where the settings make no address.
    pub fn in_bucket(settings: &BucketSettings, quota: Option<u64>) -> Result<Self> {
        let store = Arc::new(settings.open()?);
        let prefix = settings.prefix()?;
        let place = Place::Bucket(Arc::clone(&store));
        Ok(Self::new(store, place, prefix, quota))
    }

    /// The memory of this process: for tests.
    #[must_use]
    pub fn in_memory(quota: Option<u64>) -> Self {
        Self::new(Arc::new(InMemory::new()), Place::Memory, StorePath::default(), quota)
    }

    fn new(store: Arc<dyn ObjectStore>, place: Place, prefix: StorePath, quota: Option<u64>) -> Self {
        Self(Arc::new(Inner { store, place, prefix, room: Room::new(quota) }))
    }

    /// Where the file lies on this machine, if it does: it is read in place, and never written to.
    #[must_use]
    pub fn local_path(&self, key: &ArtifactKey) -> Option<PathBuf> {
        let Place::Folder(folder) = &self.0.place else { return None };
        Some(folder.path(key)).filter(|path| path.is_file())
    }

    /// Puts a copy of `file` there, in place of what was there before. Readers see the old file or the new one, whole;
    /// where this is dropped or fails they go on to see the old one.
    ///
    /// A folder on the same disk takes a second name of the file instead of a copy: nobody may write into `file` any
    /// more. `content_type`, such as `video/mp4`, is what a bucket tells those who fetch the file from it.
    ///
    /// # Errors
    /// `DiskFull` where there is no [room](Self::check_room); when the file cannot be read or the place not written to.
    pub async fn put_file(&self, key: &ArtifactKey, file: &Path, content_type: &str) -> Result<Stored> {
        let about = tokio::fs::metadata(file).await.map_err(|error| Error::io("read the file", error))?;
        if !about.is_file() {
            return Err(Error::invalid_input("only a file can be stored"));
        }
        self.free_disk(about.len())?;
        self.count_if_limited().await?;
        let reserved = self.0.room.reserve(about.len())?;
        let bytes = match &self.0.place {
            Place::Folder(folder) => folder.put(key, file).await?,
            Place::Bucket(_) | Place::Memory => {
                transfer::upload(&self.0.store, &self.path(key), file, content_type).await?
            }
        };
        reserved.keep();
        Ok(Stored { bytes, modified: Timestamp::now() })
    }

    /// Copies a file to `to`, in place of what was there: whole, or not at all. Where the place is a folder of the same
    /// disk, `to` is a second name of the file: it may be read and removed, but not written to.
    ///
    /// # Errors
    /// `NotFound` when the file is not there any more; when the place cannot be read or `to` not be written.
    pub async fn fetch_file(&self, key: &ArtifactKey, to: &Path) -> Result<()> {
        if let Place::Folder(folder) = &self.0.place
            && folder.share(key, to).await?
        {
            return Ok(());
        }
        transfer::download(&self.0.store, &self.path(key), to).await
    }

    /// What is known of a file; none when it is not there.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub async fn head(&self, key: &ArtifactKey) -> Result<Option<Stored>> {
        match self.0.store.head(&self.path(key)).await {
            Ok(meta) => Ok(Some(Stored { bytes: meta.size, modified: modified(&meta) })),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into_error("look for a file")),
        }
    }

    /// The bytes of a file, or of `range` of it as far as the file goes.
    ///
    /// # Errors
    /// `NotFound` when the file is not there any more; `InvalidInput` when the range is empty or begins after its end;
    /// when the place cannot be read, now or on the way.
    pub async fn read(&self, key: &ArtifactKey, range: Option<Range<u64>>) -> Result<ByteStream> {
        let past_end = || Error::invalid_input("the range is not within the file");
        if range.as_ref().is_some_and(Range::is_empty) {
            return Err(past_end());
        }
        let options = GetOptions { range: range.clone().map(GetRange::Bounded), ..GetOptions::default() };
        match self.0.store.get_opts(&self.path(key), options).await {
            Ok(found) => Ok(found.into_stream().map_err(|error| error.into_error("read a file")).boxed()),
            Err(error) => {
                // No kind of place has an error of its own for this.
                if let Some(range) = range
                    && let Some(stored) = self.head(key).await?
                    && stored.bytes <= range.start
                {
                    return Err(past_end());
                }
                Err(error.into_error("read a file"))
            }
        }
    }

    /// All files of an owner, by name.
    ///
    /// # Errors
    /// `InvalidInput` when no owner can be named so; when the place cannot be read.
    pub async fn list(&self, area: Area, owner: &str) -> Result<Vec<(ArtifactKey, Stored)>> {
        let under = self.area(area).join(key::checked(owner)?);
        let found = self.0.store.list(Some(&under)).try_collect::<Vec<_>>().await;
        let found = found.map_err(|error| error.into_error("list the files"))?;
        let known = |meta: &ObjectMeta| {
            let key = ArtifactKey::new(area, owner, meta.location.filename()?).ok()?;
            Some((key, Stored { bytes: meta.size, modified: modified(meta) }))
        };
        let mut files: Vec<_> = found.iter().filter_map(known).collect();
        files.sort_by(|one, other| one.0.name().cmp(other.0.name()));
        Ok(files)
    }

    /// Deletes a file. It is no error when it is not there.
    ///
    /// # Errors
    /// When the place cannot be written to.
    pub async fn delete(&self, key: &ArtifactKey) -> Result<()> {
        let bytes =
            if self.0.room.is_limited() { self.head(key).await?.map_or(0, |stored| stored.bytes) } else { 0 };
        match self.0.store.delete(&self.path(key)).await {
            Ok(()) => self.0.room.give_back(bytes),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error.into_error("delete a file")),
        }
        Ok(())
    }

    /// Deletes all files of an owner, such as a job, and says how many there were.
    ///
    /// # Errors
    /// `InvalidInput` when no owner can be named so; when the place cannot be written to.
    pub async fn delete_all(&self, area: Area, owner: &str) -> Result<u64> {
        let under = self.area(area).join(key::checked(owner)?);
        self.delete_where(under, |_| true).await
    }

    /// Deletes the files of an area that came before `older_than`, but for those of the owners in `kept`, and says how many:
    /// uploads that no job wants.
    ///
    /// # Errors
    /// When the place cannot be written to.
    pub async fn sweep(&self, area: Area, older_than: Timestamp, kept: &BTreeSet<String>) -> Result<u64> {
        let under = self.area(area);
        let is_kept = |meta: &ObjectMeta| {
            let owner = meta.location.prefix_match(&under).and_then(|mut parts| parts.next());
            owner.is_some_and(|owner| kept.contains(owner.as_ref()))
        };
        self.delete_where(under.clone(), |meta| modified(meta) < older_than && !is_kept(meta)).await
    }

    async fn delete_where(&self, under: StorePath, is_meant: impl Fn(&ObjectMeta) -> bool) -> Result<u64> {
        let all: Vec<ObjectMeta> = self
            .0
            .store
            .list(Some(&under))
            .try_collect()
            .await
            .map_err(|error| error.into_error("list the files"))?;
        let meant = all.into_iter().filter(is_meant);
        let (paths, sizes): (Vec<_>, Vec<_>) = meant.map(|meta| (Ok(meta.location), meta.size)).unzip();
        let mut deleted = self.0.store.delete_stream(futures_util::stream::iter(paths).boxed());
        let mut count = 0;
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) => count += 1,
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error.into_error("delete files")),
            }
        }
        self.0.room.give_back(sizes.iter().sum());
        Ok(count)
    }

    /// How many bytes lie there: counted anew after half a minute, in between kept up with what this process puts and
    /// deletes.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub async fn used_bytes(&self) -> Result<u64> {
        if let Some(bytes) = self.0.room.known() {
            return Ok(bytes);
        }
        let prefix = Some(&self.0.prefix).filter(|prefix| !prefix.is_root());
        let sizes = self.0.store.list(prefix).map_ok(|meta| meta.size);
        let bytes = sizes
            .try_fold(0_u64, async |sum, size| Ok(sum.saturating_add(size)))
            .await
            .map_err(|error| error.into_error("list the files"))?;
        self.0.room.counted(bytes);
        Ok(bytes)
    }

    /// Says whether `more` bytes would have room: within the quota, and on the disk with something left for everything
    /// else.
    ///
    /// # Errors
    /// `DiskFull` when not; when the place cannot be read.
    pub async fn check_room(&self, more: u64) -> Result<()> {
        self.free_disk(more)?;
        self.count_if_limited().await?;
        self.0.room.check(more)
    }

    fn free_disk(&self, more: u64) -> Result<()> {
        match &self.0.place {
            Place::Folder(folder) => folder.check_disk(more),
            Place::Bucket(_) | Place::Memory => Ok(()),
        }
    }

    /// Where there is a quota, makes sure that the used bytes are known.
    async fn count_if_limited(&self) -> Result<()> {
        if self.0.room.is_limited() {
            self.used_bytes().await?;
        }
        Ok(())
    }

    /// A link with which anybody can get the file from the bucket until it expires, a week at most; none where the place
    /// is no bucket. Nobody looks whether the file is there. The link is a secret.
    ///
    /// # Errors
    /// When no credentials for the bucket are found.
    pub async fn presigned_get(&self, key: &ArtifactKey, expires: Duration) -> Result<Option<String>> {
        /// Signature Version 4 allows no more.
        const LONGEST: Duration = Duration::from_hours(7 * 24);
        let Place::Bucket(bucket) = &self.0.place else { return Ok(None) };
        let url = bucket.signed_url(Method::GET, &self.path(key), expires.min(LONGEST)).await;
        url.map(|url| Some(url.into())).map_err(|error| error.into_error("sign a link"))
    }

    fn area(&self, area: Area) -> StorePath {
        self.0.prefix.clone().join(area.name())
    }

    fn path(&self, key: &ArtifactKey) -> StorePath {
        key.parts().into_iter().fold(self.0.prefix.clone(), StorePath::join)
    }
}

fn modified(meta: &ObjectMeta) -> Timestamp {
    Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or(Timestamp::UNIX_EPOCH)
}
