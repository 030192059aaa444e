//! Test material that is not part of the repository.

use std::path::{Path, PathBuf};

/// The folder with real clips: `VISEME_SHARED`, or `../shared` beside the workspace. `None` where it is not.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("VISEME_SHARED").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Says that a test did not run, and why.
#[expect(clippy::print_stderr, reason = "a test that skips in silence looks like one that passed")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
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
