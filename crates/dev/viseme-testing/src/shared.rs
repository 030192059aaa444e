//! Test material that is not part of the repository.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with real clips: `VISEME_SHARED`, or `../shared` beside the workspace. `None` where it is not.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("VISEME_SHARED").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Says that a test did not run, and why. Past the test harness, which would keep it to itself as long as the test passes.
pub fn skipped(why: &str) {
    let thread = std::thread::current();
    // Nobody reads it where there is no standard error.
    let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// The folder with real clips; returns from the test, saying so, where there is none.
#[macro_export]
macro_rules! skip_without_shared {
    () => {
        match $crate::shared_dir() {
            Some(folder) => folder,
            None => {
                $crate::skipped("no folder with real clips; set VISEME_SHARED");
                return;
            }
        }
    };
}
