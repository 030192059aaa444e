//! One module per sub-command.

pub(crate) mod batch;
pub(crate) mod bench;
pub(crate) mod cache;
pub(crate) mod doctor;
pub(crate) mod faces;
pub(crate) mod models;
pub(crate) mod offset;
pub(crate) mod probe;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod sync;
