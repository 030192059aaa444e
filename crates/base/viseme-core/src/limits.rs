//! Limits against inputs that are too large, by accident or on purpose.

use serde::{Deserialize, Serialize};

/// What an input may at most be. Every limit can be raised by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Longest input, in seconds. Default one hour.
    pub duration_s: f64,
    /// Largest picture, in pixels (width × height). Default 4096 × 2304, DCI 4K with room to spare.
    pub pixels: u64,
    /// Most frames of one input. Default one hour at 120 frames per second.
    pub frames: u64,
    /// Most faces followed at a time. Default 8.
    pub faces: usize,
    /// CPU time of one child process, in seconds. Default four hours.
    pub child_cpu_s: u64,
    /// Address space of one child process, in bytes. Default 8 GiB: ffmpeg maps far more than it touches.
    pub child_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration_s: 3600.0,
            pixels: 4096 * 2304,
            frames: 432_000,
            faces: 8,
            child_cpu_s: 4 * 3600,
            child_memory_bytes: 8 << 30,
        }
    }
}
