//! The service as its clients meet it: the real binary, asked over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a panic here is a failed test")]

mod at_once;
mod batches;
mod harness;
mod job_forms;
mod limits;
mod owners;
mod seed_0;
mod seed_1;
mod seed_2;
mod seed_3;
mod seed_4;
mod start;
mod telemetry;
mod webhooks;
