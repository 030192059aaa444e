//! What all routes share: the stores, the network, the settings.

use crate::auth::Owner;
use crate::batches::cancel_jobs;
use crate::claims::UnseenClaims;
use crate::error::{ApiError, ApiResult};
use crate::machine::Machine;
use crate::metrics::Metrics;
use crate::remembered::Remembered;
use crate::settings::ServerSettings;
use crate::tasks::Source;
use crate::webhooks::announce;
use crate::work::{Handler, JobFiles, WorkFolders};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OnceCell};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use viseme::RunnerPool;
use viseme_cloud::{RemoteUrl, SafeClient};
use viseme_core::{Error, Result};
use viseme_jobs::{
    Area, Artifacts, Failure, Job, JobId, JobKind, JobState, JobStore, LinkSigner, NewJob, PostgresJobStore,
    SqliteJobStore, StoreOptions, SystemClock,
};

/// Runners that stay loaded while no job uses them.
pub(crate) const MOST_IDLE_RUNNERS: usize = 3;
/// How often whoever waits for a job looks at it, unless something in this process has happened to it.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What all routes share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: ServerSettings,
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) artifacts: Artifacts,
    pub(crate) client: SafeClient,
    pub(crate) links: LinkSigner,
    pub(crate) metrics: Metrics,
    pub(crate) runners: Arc<RunnerPool>,
    pub(crate) folders: WorkFolders,
    /// Wakes the workers of this process, and those that ask it for jobs.
    pub(crate) wake: Arc<Notify>,
    pub(crate) claims: UnseenClaims,
    /// Nobody is kept waiting any more.
    pub(crate) ending: CancellationToken,
    /// Set when the built-in engine is loaded, or cannot be.
    pub(crate) built_in: OnceCell<Result<(), String>>,
    /// What `/health` has seen last.
    pub(crate) health: Remembered<Value>,
    /// Set soon after the start.
    pub(crate) machine: OnceCell<Machine>,
}

/// How a client wants its job done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) priority: i32,
    pub(crate) delay: Duration,
    pub(crate) max_tries: Option<u32>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) webhook_url: Option<RemoteUrl>,
    /// What stands for the content of the inputs where that is known.
    pub(crate) content: Option<String>,
}

/// The field of a job's spec that holds the address of its webhook, beside the fields of its task.
const WEBHOOK: &str = "webhook_url";

impl Service {
    /// Opens the stores that `settings` names.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub(crate) async fn open(settings: ServerSettings) -> Result<Arc<Self>> {
        settings.validate()?;
        let data = settings.data.clone();
        std::fs::create_dir_all(&data)
            .map_err(|source| Error::io(format_args!("make the folder {}", data.display()), source))?;
        let options = StoreOptions {
            lease: settings.lease,
            result_life: settings.retention,
            most_running: settings.most_running.clone(),
            ..StoreOptions::default()
        };
        let store = open_store(&settings, options).await?;
        let artifacts = match &settings.bucket {
            Some(bucket) => Artifacts::in_bucket(bucket, settings.quota)?,
            None => Artifacts::in_folder(&data.join("files"), settings.quota)?,
        };
        Ok(Arc::new(Self {
            client: SafeClient::new(settings.network.clone())?,
            links: LinkSigner::new(&crate::keys::link_key(&data)?)?,
            folders: WorkFolders::new(data.join("work"))?,
            metrics: Metrics::new(),
            runners: Arc::new(RunnerPool::new(MOST_IDLE_RUNNERS)),
            wake: Arc::new(Notify::new()),
            claims: UnseenClaims::default(),
            ending: CancellationToken::new(),
            built_in: OnceCell::new(),
            health: Remembered::default(),
            machine: OnceCell::new(),
            store,
            artifacts,
            settings,
        }))
    }

    /// Why the engine of the binary cannot be used, or not yet. A process that does no jobs leaves that to those that do.
    pub(crate) fn built_in_fault(&self) -> Option<String> {
        match self.built_in.get() {
            Some(Ok(())) => None,
            Some(Err(why)) => Some(why.clone()),
            None if self.settings.workers == 0 => None,
            None => Some("the engine is loading".to_owned()),
        }
    }

    /// What is known of the machine so far.
    pub(crate) fn machine(&self) -> Machine {
        self.machine.get().cloned().unwrap_or(Machine::UNKNOWN)
    }

    /// What does the jobs of this process.
    pub(crate) fn handler(&self) -> Handler {
        Handler {
            files: JobFiles::Shared(self.artifacts.clone()),
            client: self.client.clone(),
            runners: Arc::clone(&self.runners),
            folders: self.folders.clone(),
            sizes: self.settings.sizes,
            media: self.settings.media.clone(),
            compute: self.settings.compute,
            store: Arc::clone(&self.store),
            webhook_secret: self.settings.webhook_secret.clone(),
            metrics: self.metrics.clone(),
            gpu_usd_per_hour: self.settings.gpu_usd_per_hour,
        }
    }

    /// Queues a task of `owner`.
    ///
    /// # Errors
    /// 400 when its idempotency key stands for another request.
    pub(crate) async fn submit(
        &self,
        owner: &Owner,
        kind: JobKind,
        task: &impl Serialize,
        wishes: Wishes,
    ) -> ApiResult<Job> {
        let mut spec = serde_json::to_value(task)
            .map_err(|error| Error::internal(format!("a task cannot be written: {error}")))?;
        if let Some(url) = &wishes.webhook_url {
            self.client.check(url).map_err(|error| ApiError::from(error).with_param(WEBHOOK))?;
            spec[WEBHOOK] = json!(url);
        }
        let key = wishes.content.as_ref().map(|content| content_key(owner, kind, content, &spec));
        let mut job = NewJob {
            owner: owner.name().to_owned(),
            priority: wishes.priority,
            delay: wishes.delay,
            time_limit: wishes.time_limit.unwrap_or(self.settings.time_limit),
            idempotency_key: wishes.idempotency_key,
            content_key: key,
            ..NewJob::new(kind, spec)
        };
        job.max_tries = wishes.max_tries.unwrap_or(job.max_tries);
        let enqueued = self.store.enqueue(job).await?;
        if enqueued.is_new {
            self.metrics.submitted(kind);
        }
        self.wake.notify_one();
        tracing::info!(job_id = %enqueued.job.id, kind = kind.name(), is_new = enqueued.is_new, "job queued");
        Ok(enqueued.job)
    }

    /// A job of `owner`.
    ///
    /// # Errors
    /// 404 for one that is not there, and one of somebody else.
    pub(crate) async fn job(&self, owner: &Owner, id: &str) -> ApiResult<Job> {
        let id: JobId = id.parse().map_err(|_| ApiError::no_such_job())?;
        let job = self.store.get(id).await?;
        job.filter(|job| job.owner == owner.name()).ok_or_else(ApiError::no_such_job)
    }

    /// Calls a job off: at once when it waits, soon when it runs. With a batch go all of its jobs.
    ///
    /// # Errors
    /// 404 when it is gone.
    pub(crate) async fn cancel(&self, id: JobId) -> ApiResult<Job> {
        let job = self.store.cancel(id).await?.ok_or_else(ApiError::no_such_job)?;
        for cancelled in cancel_jobs(self.store.as_ref(), &job).await?.iter().chain([&job]) {
            if cancelled.state.is_final() {
                announce(self.store.as_ref(), cancelled).await;
            }
        }
        self.wake.notify_one();
        Ok(job)
    }

    /// Waits until a job has ended.
    ///
    /// # Errors
    /// 404 when it is deleted meanwhile; whatever it has failed with; 409 when it was cancelled.
    pub(crate) async fn result(&self, id: JobId) -> ApiResult<Value> {
        loop {
            let job = self.store.get(id).await?.ok_or_else(ApiError::no_such_job)?;
            match job.state {
                JobState::Completed => return Ok(job.result.unwrap_or_default()),
                JobState::Failed => return Err(failed(&job)),
                JobState::Cancelled => return Err(ApiError::conflict("the job was cancelled")),
                JobState::Queued | JobState::Running => self.pause_between_looks().await,
            }
        }
    }

    /// Forgets a job that has ended, and removes its files.
    ///
    /// # Errors
    /// When one of the stores fails.
    pub(crate) async fn forget(&self, job: &Job) -> Result<()> {
        self.artifacts.delete_all(Area::Jobs, &job.id.to_string()).await?;
        for upload in uploads_of(job) {
            self.artifacts.delete_all(Area::Uploads, &upload).await?;
        }
        self.store.delete(job.id).await?;
        Ok(())
    }

    /// How long whoever watches a job waits before looking again.
    pub(crate) async fn pause_between_looks(&self) {
        sleep(LOOK_AGAIN).await;
    }
}

/// Whose files among the uploads those of a job are: no other job has them.
pub(crate) fn uploads_of(job: &Job) -> BTreeSet<String> {
    let source = |field| serde_json::from_value::<Source>(job.spec[field].clone()).ok();
    let upload = |source| match source {
        Source::Upload(key) => Some(key.owner().to_owned()),
        Source::Url(_) => None,
    };
    ["video", "audio"].into_iter().filter_map(source).filter_map(upload).collect()
}

/// Why a job has failed.
pub(crate) fn failed(job: &Job) -> ApiError {
    let unknown = || ApiError::from(Error::internal("a failed job without a reason"));
    job.error.as_ref().map_or_else(unknown, |failure: &Failure| ApiError::of_failure(failure))
}

/// Where a job's end is told.
pub(crate) fn webhook_of(job: &Job) -> Option<RemoteUrl> {
    serde_json::from_value(job.spec.get(WEBHOOK)?.clone()).ok()
}

async fn open_store(settings: &ServerSettings, options: StoreOptions) -> Result<Arc<dyn JobStore>> {
    if let Some(address) = &settings.database {
        let clock = Arc::new(SystemClock);
        return Ok(Arc::new(PostgresJobStore::connect(address.expose(), options, clock).await?));
    }
    let path = settings.data.join("jobs.sqlite");
    let open = tokio::task::spawn_blocking(move || SqliteJobStore::open(&path, options)).await;
    Ok(Arc::new(open.map_err(|error| Error::internal("the job store panicked").with_source(error))??))
}

/// Stands for everything that decides the result of a job and who hears of it: whose it is, what it does, with what. Where a
/// file lies does not belong to it, what is in it does.
fn content_key(owner: &Owner, kind: JobKind, content: &str, task: &Value) -> String {
    use sha2::{Digest, Sha256};
    let mut task = task.clone();
    if let Some(task) = task.as_object_mut() {
        task.retain(|field, _| !["video", "audio"].contains(&field.as_str()));
    }
    let version = env!("CARGO_PKG_VERSION");
    let text = json!([version, owner.name(), kind.name(), content, task]).to_string();
    crate::keys::hex(&Sha256::digest(text))
}
