//! The HTTP service of Viseme, and its workers.
