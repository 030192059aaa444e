use super::JobStatus::{Cancelled, Failed, Success};
use super::*;
use std::collections::BTreeSet;

/// Notes what happens, and cancels after so many jobs have ended.
#[derive(Debug, Default)]
struct Notes {
    ended: Mutex<Vec<(usize, JobStatus)>>,
    progressed: Mutex<BTreeSet<usize>>,
    cancel_after: Option<usize>,
}

impl BatchObserver for Notes {
    fn started(&self, _: usize, _: &JobSpec) {}
    fn progress(&self, job: usize, _: Progress) {
        self.progressed.lock().unwrap().insert(job);
    }
    fn warn(&self, _: usize, _: &Warning) {}
    fn ended(&self, job: usize, result: &BatchResult) {
        self.ended.lock().unwrap().push((job, result.status));
    }
    fn is_cancelled(&self) -> bool {
        self.cancel_after.is_some_and(|count| self.ended.lock().unwrap().len() >= count)
    }
}

fn jobs(folder: &Path, names: &[&str]) -> Vec<JobSpec> {
    let video = viseme_testing::TestClip::default().write(folder, "talk.mp4");
    let audio = viseme_testing::clips::speech(folder, "speech.wav", 0.5);
    let job = |name: &&str| {
        let mut job = JobSpec::new(&video, &audio, folder.join(name));
        job.cache = false;
        job
    };
    names.iter().map(job).collect()
}

#[test]
fn one_failed_job_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut jobs = jobs(folder.path(), &["0.mp4", "1.mp4", "2.mp4", "3.mp4", "4.mp4"]);
    jobs[1].audio = Some(folder.path().join("missing.wav"));
    jobs[2].engine.name = "wav3lip".to_owned();
    jobs[3].output = folder.path().join("missing/3.mp4");
    for at_a_time in [1, 3] {
        let notes = Notes::default();
        let report = run_batch(&jobs, at_a_time, &notes).unwrap();
        let statuses: Vec<JobStatus> = report.results.iter().map(|result| result.status).collect();
        assert_eq!(statuses, [Success, Failed, Failed, Failed, Success]);
        assert_eq!(report.status, BatchStatus::Completed);
        let summary = report.summary;
        assert_eq!((summary.total, summary.success, summary.failed), (5, 2, 3));
        assert!((summary.total_duration - 2.0).abs() < 0.01 && summary.total_cost_usd == 0.0);
        assert_eq!(report.exit_code(), 1);
        assert_eq!(notes.ended.lock().unwrap().len(), 5);
        assert!(notes.progressed.lock().unwrap().is_superset(&BTreeSet::from([0, 4])));
        for job in [&jobs[0], &jobs[4]] {
            std::fs::remove_file(&job.output).unwrap();
        }
        assert_eq!(report.results[1].error.as_ref().unwrap().kind, ErrorKind::NotFound);
    }
}

#[test]
fn a_cancelled_batch_says_what_was_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = jobs(folder.path(), &["0.mp4", "1.mp4", "2.mp4"]);
    let notes = Notes { cancel_after: Some(1), ..Notes::default() };
    let report = run_batch(&jobs, 1, &notes).unwrap();
    assert_eq!(report.status, BatchStatus::Cancelled);
    let statuses: Vec<JobStatus> = report.results.iter().map(|result| result.status).collect();
    assert_eq!(statuses, [Success, Cancelled, Cancelled]);
    assert_eq!((report.summary.success, report.summary.failed, report.exit_code()), (1, 2, 130));
    assert!(jobs[0].output.exists() && !jobs[1].output.exists());
}

#[test]
fn jobs_that_are_in_each_others_way_are_refused_before_anything_starts() {
    type Change = fn(&mut [JobSpec]);
    let changes: [(&str, Change); 5] = [
        ("jobs 1 and 3 both write", |jobs| jobs[2].output = jobs[0].output.clone()),
        ("jobs 1 and 3 both write", |jobs| {
            let folder = jobs[0].output.parent().unwrap();
            jobs[2].output = folder.join("../").join(folder.file_name().unwrap()).join("0.mp4");
        }),
        ("jobs 2 and 3 both write", |jobs| jobs[2].mask_output = Some(jobs[1].output.clone())),
        ("jobs 2 and 1 write and read", |jobs| jobs[1].output = jobs[0].video.clone()),
        ("jobs 1 and 1 both write", |jobs| jobs[0].mask_output = Some(jobs[0].output.clone())),
    ];
    for (expected, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let mut jobs = jobs(folder.path(), &["0.mp4", "1.mp4", "2.mp4"]);
        change(&mut jobs);
        let notes = Notes::default();
        let error = run_batch(&jobs, 1, &notes).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
    assert!(run_batch(&[], 1, &Notes::default()).is_err());
}
