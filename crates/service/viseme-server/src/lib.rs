//! The HTTP service of Viseme, and its workers.
//!
//! [`serve`] answers requests and does jobs in one process; [`work`] does jobs of the same stores, or of a server that is known
//! by its address alone, in another. A request becomes
//! a row in the job store; a worker takes it, brings its files, calls the library, keeps the result and tells who wants to
//! know. Nothing that was answered is lost with the process.

mod auth;
mod batches;
mod claims;
mod engines;
mod error;
mod estimate;
mod extract;
mod housekeeping;
mod keys;
mod links;
mod listen;
mod machine;
mod metrics;
mod openapi;
mod preload;
mod refused;
mod remembered;
mod remote;
mod request_id;
mod routes;
mod service;
mod settings;
mod start;
mod tasks;
mod telemetry;
mod upload;
mod views;
mod webhooks;
mod work;

pub use openapi::openapi;
pub use settings::{Secret, ServerSettings, SizeLimits, Token};
pub use start::{serve, work};
pub use telemetry::{LogFormat, Telemetry, log};
pub use viseme_cloud::{AllowedHost, NetworkPolicy, RemoteUrl};
pub use viseme_jobs::{BucketSettings, JobKind};
