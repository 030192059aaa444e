//! What workers did, line by line, in a file that outlives them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use viseme_jobs::{Clock, Lease, SystemClock};

/// What a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Was given a job.
    Begun,
    /// Stops itself.
    Stopping,
    /// Has done the work.
    Done,
    /// Its answer was recorded.
    Recorded,
    /// Its answer was not taken any more.
    Refused,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// In milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) deed: Deed,
    pub(crate) job: String,
    pub(crate) attempt: u64,
    pub(crate) worker: String,
}

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct Journal(PathBuf);

const WORDS: [(Deed, &str); 5] = [
    (Deed::Begun, "begun"),
    (Deed::Stopping, "stopping"),
    (Deed::Done, "done"),
    (Deed::Recorded, "recorded"),
    (Deed::Refused, "refused"),
];

impl Journal {
    pub(crate) fn new(path: &Path) -> Self {
        File::options().create(true).append(true).open(path).unwrap();
        Self(path.to_owned())
    }

    /// Adds a line, in one write.
    pub(crate) fn write(&self, deed: Deed, lease: Lease, worker: &str) {
        let at = SystemClock.now().as_millisecond();
        let (_, word) = WORDS.iter().find(|(known, _)| *known == deed).unwrap();
        let line = format!("{at} {word} {} {} {worker}\n", lease.job, lease.attempt);
        OpenOptions::new().append(true).open(&self.0).unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// All that was done so far, in the order in which it was written down.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(&self.0).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(entry).collect()
    }

    /// Of these, the ones of one sort.
    pub(crate) fn all(&self, deed: Deed) -> Vec<Entry> {
        self.entries().into_iter().filter(|entry| entry.deed == deed).collect()
    }

    /// How many jobs were worked on at a time, at most.
    pub(crate) fn most_at_a_time(&self) -> usize {
        let mut running = BTreeMap::new();
        let mut most = 0;
        let mut entries = self.entries();
        entries.sort_by_key(|entry| (entry.at, entry.deed == Deed::Begun));
        for entry in entries {
            match entry.deed {
                Deed::Begun => drop(running.insert(entry.job, entry.attempt)),
                Deed::Done => drop(running.remove(&entry.job)),
                _ => {}
            }
            most = most.max(running.len());
        }
        most
    }

    /// Panics unless the result of a job is that of the one worker whose answer was recorded. Its answer may have got lost on
    /// the way back, when the store died between the two.
    pub(crate) fn agrees(&self, job: &str, result: &Value) {
        let recorded: Vec<Entry> =
            self.all(Deed::Recorded).into_iter().filter(|entry| entry.job == job).collect();
        assert!(recorded.len() <= 1, "one result: {recorded:?}");
        for entry in recorded {
            let known = (result["attempt"].as_u64(), result["worker"].as_str());
            assert_eq!(known, (Some(entry.attempt), Some(entry.worker.as_str())));
        }
    }
}

fn entry(line: &str) -> Entry {
    let words: Vec<&str> = line.split(' ').collect();
    let [at, word, job, attempt, worker] = words.try_into().unwrap();
    let (deed, _) = *WORDS.iter().find(|(_, known)| *known == word).unwrap();
    let (job, worker) = (job.to_owned(), worker.to_owned());
    Entry { at: at.parse().unwrap(), deed, job, attempt: attempt.parse().unwrap(), worker }
}
