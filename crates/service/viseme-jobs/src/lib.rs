//! Jobs that survive: a queue whose truth is one row per job.
//!
//! A [`JobStore`] keeps the rows. Workers [`claim`](JobStore::claim) a job for the length of a [lease](Lease), say by
//! [heartbeats](JobStore::heartbeat) that they are alive, and finish it. Every claim raises the job's attempt, and every
//! write of a worker carries the attempt that it was given: a worker that was taken for dead and comes back can change
//! nothing any more (a *fencing token*). So a job may be begun twice, but only one result is ever recorded.
//!
//! [`Artifacts`] is where the files of jobs lie; [`LinkSigner`] signs links to them.
//!
//! [`SqliteJobStore`] is the engine that needs nothing else; any number of processes on one machine may share its file.
//! [`PostgresJobStore`] is the one for several machines.

mod artifacts;
mod clock;
mod job;
mod links;
mod policy;
mod postgres;
mod retry;
mod sqlite;
mod store;
mod worker;

pub use artifacts::{Area, ArtifactKey, Artifacts, BucketKeys, BucketSettings, ByteStream, Stored};
pub use clock::{Clock, SystemClock};
pub use job::{Failure, Job, JobId, JobKind, JobProgress, JobState, NewJob};
pub use links::{LinkFault, LinkSigner, sign_webhook};
pub use postgres::PostgresJobStore;
pub use retry::RetryPolicy;
pub use sqlite::SqliteJobStore;
pub use store::{Claim, Enqueued, JobFilter, JobPage, JobStore, Lease, Pulse, StoreOptions};
pub use worker::{JobHandle, JobHandler, StopReason, Worker, WorkerOptions};
