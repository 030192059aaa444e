//! How much memory this process and its children hold together.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time from one look to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// Looks at the memory of this process and its children five times a second, on a thread of its own.
#[derive(Debug)]
pub(crate) struct MemorySampler {
    peak: Arc<AtomicU64>,
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl MemorySampler {
    /// Starts to look. Where the system does not tell (anything but Linux), the peak stays 0.
    pub(crate) fn start() -> Self {
        let peak = Arc::new(AtomicU64::new(resident_bytes()));
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (shared_peak, shared_stop) = (Arc::clone(&peak), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (stopped, wake) = &*shared_stop;
            let mut guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            while !*guard {
                shared_peak.fetch_max(resident_bytes(), Ordering::Relaxed);
                guard = wake.wait_timeout(guard, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        Self { peak, stop, thread: Some(thread) }
    }

    /// The most that was held at one time so far, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for MemorySampler {
    fn drop(&mut self) {
        let (stopped, wake) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A sampler that panicked has no result that anybody waits for.
            let _ = thread.join();
        }
    }
}

/// Resident memory of this process and everything that it started, in bytes.
fn resident_bytes() -> u64 {
    let folder = |process: u32| Path::new("/proc").join(process.to_string());
    let mut seen = HashSet::new();
    let mut waiting = vec![(std::process::id(), Vec::new())];
    let mut total = 0;
    while let Some((process, parent)) = waiting.pop() {
        let command = fs::read(folder(process).join("cmdline")).unwrap_or_default();
        // Until it runs a program of its own, a new process is its parent once more, with all of the parent's pages.
        if seen.insert(process) && command != parent {
            total += resident_bytes_of(&folder(process));
            waiting.extend(children_of(&folder(process)).into_iter().map(|child| (child, command.clone())));
        }
    }
    total
}

fn resident_bytes_of(folder: &Path) -> u64 {
    let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Every thread lists the processes that it started.
fn children_of(folder: &Path) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(folder.join("task")) else { return Vec::new() };
    let listed =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    listed
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Whether 64 MiB more that are held are seen, by a look and by a sampler that starts then.
    fn sees_what_is_held() -> bool {
        let before = resident_bytes();
        let held = std::hint::black_box(vec![1u8; 64 << 20]);
        let is_seen = |bytes: u64| bytes >= before + (48 << 20);
        let is_seen = is_seen(resident_bytes()) && is_seen(MemorySampler::start().peak_bytes());
        drop(held);
        is_seen
    }

    #[test]
    fn memory_that_is_held_is_seen() {
        assert!(resident_bytes() > 0);
        // Other tests of this process give memory back, and end children, at any moment.
        assert!((0..20).any(|_| sees_what_is_held()));
    }
}
