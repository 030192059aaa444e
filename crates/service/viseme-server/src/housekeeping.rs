//! What happens now and then: old files and jobs go, folders of ended jobs go, ends that nobody was told of are told.

use crate::service::{Service, uploads_of};
use crate::webhooks::announce;
use crate::work::WorkFolders;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use viseme_core::Result;
use viseme_jobs::{Area, JobFilter, JobState, JobStore};

/// How often.
const EVERY: Duration = Duration::from_secs(30);
/// More time than there is between a file and the job that is made of it.
const LONGEST_UPLOAD: Duration = Duration::from_hours(1);
/// Jobs that are looked at in one go.
const MOST: u32 = 200;

/// Keeps house until `shutdown`.
pub(crate) async fn keep(service: Arc<Service>, shutdown: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match once(&service, is_first).await {
            Ok(()) => is_first = false,
            Err(error) => tracing::warn!(%error, "housekeeping failed"),
        }
    }
}

/// Removes the folders of jobs that ended elsewhere until `shutdown`: for a worker of its own.
pub(crate) async fn keep_folders(
    store: Arc<dyn JobStore>,
    folders: WorkFolders,
    shutdown: CancellationToken,
) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let removed = async {
            ticks.tick().await;
            remove_folders(store.as_ref(), &folders).await
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            removed = removed => if let Err(error) = removed {
                tracing::warn!(%error, "housekeeping failed");
            }
        }
    }
}

async fn once(service: &Service, is_first: bool) -> Result<()> {
    tell_ends(service, is_first).await?;
    remove_folders(service.store.as_ref(), &service.folders).await?;
    forget_old(service).await
}

/// Ends of jobs whose worker died before it could tell them: among all jobs when the process begins, later among the newest.
/// What was told is known by its key and not told twice. Keys are forgotten after the retention: what ended so long ago is left
/// alone well before that.
async fn tell_ends(service: &Service, all: bool) -> Result<()> {
    let states = vec![JobState::Completed, JobState::Failed, JobState::Cancelled];
    let filter = JobFilter { states, ..JobFilter::default() };
    let now = Timestamp::now();
    let oldest = now.checked_sub(service.settings.retention / 2).unwrap_or(now);
    let mut after = None;
    loop {
        let page = service.store.list(&filter, after, MOST).await?;
        for job in page.jobs.iter().filter(|job| job.finished_at.is_some_and(|ended| ended > oldest)) {
            announce(service.store.as_ref(), job).await;
        }
        after = page.next;
        if !all || after.is_none() {
            return Ok(());
        }
    }
}

/// Folders of jobs that ended elsewhere, or are gone.
async fn remove_folders(store: &dyn JobStore, folders: &WorkFolders) -> Result<()> {
    for id in folders.jobs()? {
        if store.get(id).await?.is_none_or(|job| job.state.is_final()) {
            folders.remove(id).await;
        }
    }
    Ok(())
}

/// Jobs that ended long ago, their files, and uploads that are as old.
async fn forget_old(service: &Service) -> Result<()> {
    let retention = service.settings.retention;
    let now = Timestamp::now();
    let oldest = now.checked_sub(retention).unwrap_or(now);
    for id in service.store.expired(oldest, MOST).await? {
        if let Some(job) = service.store.get(id).await? {
            service.forget(&job).await?;
        }
    }
    let awaited = awaited_uploads(service, oldest).await?;
    service.artifacts.sweep(Area::Uploads, oldest, &awaited).await?;
    Ok(())
}

/// Uploads as old as `oldest` that a job still needs: it may have been put off, or wait behind many others.
async fn awaited_uploads(service: &Service, oldest: Timestamp) -> Result<BTreeSet<String>> {
    let filter = JobFilter {
        states: vec![JobState::Queued, JobState::Running],
        created_before: oldest.checked_add(LONGEST_UPLOAD).ok(),
        ..JobFilter::default()
    };
    let (mut awaited, mut after) = (BTreeSet::new(), None);
    loop {
        let page = service.store.list(&filter, after, MOST).await?;
        awaited.extend(page.jobs.iter().flat_map(uploads_of));
        after = page.next;
        if after.is_none() {
            return Ok(awaited);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Owner;
    use crate::service::Wishes;
    use crate::settings::ServerSettings;
    use crate::tasks::Source;
    use viseme_jobs::{ArtifactKey, JobKind};

    #[tokio::test]
    async fn uploads_stay_as_long_as_a_job_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let retention = Duration::from_millis(1);
        let settings = ServerSettings { retention, ..ServerSettings::new(folder.path().join("data")) };
        let service = Service::open(settings).await.unwrap();
        let file = folder.path().join("talk.mp4");
        std::fs::write(&file, b"talk").unwrap();
        let upload = async |name: &str| {
            let key = ArtifactKey::new(Area::Uploads, name, "video").unwrap();
            service.artifacts.put_file(&key, &file, "video/mp4").await.unwrap();
            key
        };
        let (awaited, forgotten) = (upload("awaited").await, upload("forgotten").await);
        let is_there = async |key: &ArtifactKey| service.artifacts.head(key).await.unwrap().is_some();
        let task = serde_json::json!({ "video": Source::Upload(awaited.clone()) });
        let wishes = Wishes { delay: Duration::from_hours(48), ..Wishes::default() };
        let job = service.submit(&Owner::anonymous(), JobKind::Score, &task, wishes).await.unwrap();
        tokio::time::sleep(20 * retention).await;
        forget_old(&service).await.unwrap();
        assert!(is_there(&awaited).await && !is_there(&forgotten).await);
        service.cancel(job.id).await.unwrap();
        tokio::time::sleep(20 * retention).await;
        forget_old(&service).await.unwrap();
        assert!(!is_there(&awaited).await && service.store.get(job.id).await.unwrap().is_none());
    }
}
