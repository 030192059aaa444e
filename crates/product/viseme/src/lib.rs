//! The library: describe a job, plan it, run it.
