//! What happens now and then: old files and jobs go, folders of ended jobs go, ends that nobody was told of are told.

use crate::service::Service;
use crate::webhooks::announce;
use crate::work::WorkFolders;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use viseme_core::Result;
use viseme_jobs::{Area, JobFilter, JobState, JobStore};

/// How often.
const EVERY: Duration = Duration::from_secs(30);
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
    service.artifacts.sweep(Area::Uploads, oldest).await?;
    Ok(())
}
