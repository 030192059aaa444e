//! Test material that is not part of the repository.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with real clips: `VISEME_SHARED`, or `../shared` beside the workspace. `None` where it is not.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("VISEME_SHARED").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Says that a test did not run, and why. Past the test harness, which would keep it to itself as long as the test passes; and
/// in the file that `VISEME_SKIPPED` names, for a runner that keeps to itself what a whole process says.
pub fn skipped(why: &str) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {why}\n", thread.name().unwrap_or("a test"));
    // Nobody reads it where there is no standard error.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("VISEME_SKIPPED") {
        let file = File::options().append(true).create(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
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
