//! The places where files lie: one suite for all, and what is particular to each.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod bucket;
mod folder;
mod server;
mod suite;

use server::S3Server;
use suite::Bench;
use tempfile::TempDir;
use viseme_jobs::Artifacts;

struct FolderBench(TempDir);

impl Bench for FolderBench {
    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, quota: Option<u64>) -> Artifacts {
        Artifacts::in_folder(&self.0.path().join("files"), quota).unwrap()
    }
}

struct MemoryBench;

impl Bench for MemoryBench {
    async fn new() -> Self {
        Self
    }

    fn open(&self, quota: Option<u64>) -> Artifacts {
        Artifacts::in_memory(quota)
    }
}

impl Bench for S3Server {
    async fn new() -> Self {
        Self::start().await
    }

    fn open(&self, quota: Option<u64>) -> Artifacts {
        Artifacts::in_bucket(&self.settings(), quota).unwrap()
    }
}

macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        mod in_folder { use super::*; $(conforms!(@ $name FolderBench);)* }
        mod in_memory { use super::*; $(conforms!(@ $name MemoryBench);)* }
        mod in_bucket { use super::*; $(conforms!(@ $name S3Server);)* }
    };
    (@ $name:ident $bench:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            suite::$name(&$bench::new().await).await;
        }
    };
}

conforms! {
    a_file_comes_back,
    a_large_file_comes_back,
    the_new_takes_the_place_of_the_old,
    ranges_are_read,
    what_is_not_there_is_said_to_be_missing,
    owners_are_deleted_alone,
    the_files_of_an_owner_are_listed,
    the_old_is_swept,
    the_quota_holds,
    a_put_that_is_given_up_leaves_nothing_half,
    nothing_that_is_said_tells_where_files_lie,
}
