//! Workers that know nothing but the address of a server: they are killed, stopped, cut off, and refused.

#![expect(clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod process;

use process::{Hook, Process, TOKEN, ask, free_port, within};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use viseme_testing::clips;
use viseme_testing::{Answer, HostileServer, TestClip};

/// Longer than a test takes.
const FOR_EVER: Duration = Duration::from_mins(10);

/// A server that does no jobs, the files of its clients, and workers, each in a folder of its own.
struct Site {
    folder: TempDir,
    port: u16,
    lease: &'static str,
    files: HostileServer,
    hook: Hook,
}

impl Site {
    fn new(lease: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, port: free_port(), lease, files: HostileServer::start(), hook: Hook::start() }
    }

    fn serve_with(&self, arguments: &[&str]) -> Process {
        let (listen, files) = (format!("127.0.0.1:{}", self.port), site_of(&self.files.url("")));
        let hook = site_of(&self.hook.url);
        let mut all = vec!["serve", "--listen", &listen, "--data", "server", "--workers", "0"];
        all.extend(["--lease", self.lease, "--allow-host", &files, "--allow-host", &hook]);
        all.extend(arguments);
        let server = Process::start(self.folder.path(), &all);
        server.until_it_says("listening on");
        server
    }

    fn serve(&self) -> Process {
        self.serve_with(&["--worker-token", TOKEN])
    }

    fn work_with(&self, name: &str, token: &str) -> Process {
        let (server, files) = (self.url(""), site_of(&self.files.url("")));
        let arguments = ["work", "--server", &server, "--worker-token", token, "--data", name];
        Process::start(self.folder.path(), &[&arguments[..], &["--allow-host", &files]].concat())
    }

    fn work(&self, name: &str) -> Process {
        self.work_with(name, TOKEN)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Serves a second of video without a face as `name`, answered so, and says its address.
    fn video(&self, name: &str, answers: &[Answer]) -> String {
        let clip = TestClip { sound: true, ..TestClip::default() }.write(self.folder.path(), "clip.mp4");
        self.files.serve(name, &std::fs::read(clip).expect("a file"), answers);
        self.files.url(name)
    }

    /// Waits until somebody has asked for a file.
    fn until_asked_for(&self, name: &str) {
        let asked = || self.files.asked().iter().any(|asked| asked.path == name).then_some(());
        within(asked).expect("a request for the file");
    }

    fn post(&self, path: &str, message: &Value) -> Value {
        let body = Some(("application/json", message.to_string().into_bytes()));
        let (status, answer) = ask("POST", &self.url(path), "", body).expect("an answer");
        assert!((200..300).contains(&status), "{status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    /// Queues a job that follows the faces of a video and draws them; says its name.
    fn queue(&self, video_url: &str) -> String {
        let input = json!({ "video_url": video_url });
        let message = json!({ "kind": "tracking", "input": input, "webhook_url": self.hook.url });
        name_of(&self.post("/v1/jobs", &message))
    }

    fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = ask("GET", &self.url(path), "", None)?;
        (status == 200).then(|| serde_json::from_slice(&body).expect("JSON"))
    }

    /// The job when it has ended, as it should.
    #[track_caller]
    fn completed(&self, id: &str) -> Value {
        let over =
            |job: &Value| ["completed", "failed", "cancelled"].iter().any(|state| job["state"] == *state);
        let job = within(|| self.get(&format!("/v1/jobs/{id}")).filter(over)).expect("an end of the job");
        assert_eq!(job["state"], "completed", "{job:#}");
        job
    }

    /// The video that a job has made.
    fn result(&self, id: &str) -> Vec<u8> {
        let (status, video) =
            ask("GET", &self.url(&format!("/v1/jobs/{id}/result")), "", None).expect("an answer");
        assert_eq!(status, 200);
        assert_eq!(video.get(4..8), Some(b"ftyp".as_slice()), "no video");
        video
    }
}

fn site_of(url: &str) -> String {
    url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned()
}

fn name_of(job: &Value) -> String {
    job["id"].as_str().expect("a name").to_owned()
}

/// A form with these files: RFC 7578.
fn form(files: &[(&str, &Path)]) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (part, file) in files {
        let head = format!(
            "--limit\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"{part}.bin\"\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(std::fs::read(file).expect("a file"));
        body.extend(b"\r\n");
    }
    body.extend(b"--limit--\r\n");
    ("multipart/form-data; boundary=limit", body)
}

#[test]
fn jobs_are_done_for_a_server_that_shares_nothing() {
    let site = Site::new("30");
    // It is there before its server is.
    let mut worker = site.work("worker");
    worker.until_it_says("waiting for the server");
    let mut server = site.serve();
    worker.until_it_says("doing jobs");

    let folder = site.folder.path();
    let video = TestClip { sound: true, ..TestClip::default() }.write(folder, "sent.mp4");
    let speech = clips::speech(folder, "sent.wav", 1.0);
    let (status, answer) =
        ask("POST", &site.url("/v1/jobs"), "", Some(form(&[("video", &video), ("audio", &speech)])))
            .expect("an answer");
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
    let sent = name_of(&serde_json::from_slice(&answer).expect("JSON"));
    site.completed(&sent);
    site.result(&sent);

    let named = site.queue(&site.video("/a.mp4", &[Answer::Whole]));
    site.completed(&named);
    site.result(&named);
    within(|| (site.hook.told() == 1).then_some(())).expect("a webhook");

    // The server makes jobs of a batch, and tells of its end.
    let speech_url = site.files.url("/speech.wav");
    site.files.serve("/speech.wav", &std::fs::read(&speech).expect("a file"), &[Answer::Whole]);
    let input = json!({ "video_url": site.files.url("/a.mp4"), "audio_url": speech_url });
    let batch = json!({ "jobs": [input, input], "webhook_url": site.hook.url });
    let batch = format!("/v1/batches/{}", name_of(&site.post("/v1/batches", &batch)));
    let done = within(|| site.get(&batch).filter(|batch| batch["status"] == "completed")).expect("an end");
    assert!(done["results"].as_array().is_some_and(|jobs| jobs.len() == 2), "{done:#}");
    assert!(done["results"][1]["status"] == "success", "{done:#}");
    within(|| (site.hook.told() == 2).then_some(())).expect("a webhook");

    // Nothing is left where it worked, and both end when they are told to, although one waits for the other.
    within(|| std::fs::read_dir(folder.join("worker/work")).ok()?.next().is_none().then_some(()))
        .expect("an empty folder");
    worker.signal(Signal::TERM);
    assert!(worker.ended().success(), "{}", worker.log());
    let idle = site.work("idle");
    idle.until_it_says("doing jobs");
    server.signal(Signal::TERM);
    assert!(server.ended().success(), "{}", server.log());
    assert_eq!(site.hook.told(), 2, "nobody is told twice");
}

#[test]
fn another_worker_finishes_what_a_killed_one_began() {
    let site = Site::new("3");
    let _server = site.serve();
    let mut killed = site.work("killed");
    let job = site.queue(&site.video("/a.mp4", &[Answer::StallFor(FOR_EVER), Answer::Whole]));
    site.until_asked_for("/a.mp4");
    killed.kill();
    let _other = site.work("other");
    let job = site.completed(&job);
    assert_eq!(job["tries"], 2, "{job:#}");
}

#[test]
fn a_worker_that_slept_past_its_lease_changes_nothing() {
    let site = Site::new("3");
    let _server = site.serve();
    let sleeper = site.work("sleeper");
    let id = site.queue(&site.video("/a.mp4", &[Answer::StallFor(FOR_EVER), Answer::Whole]));
    site.until_asked_for("/a.mp4");
    sleeper.signal(Signal::STOP);
    let mut other = site.work("other");
    let job = site.completed(&id);
    let video = site.result(&id);

    // What it would say when it wakes in the middle of sending its result.
    let file = site.url(&format!("/v1/workers/files/jobs/{id}/output.mp4?attempt=1"));
    let late = ask("PUT", &file, TOKEN, Some(("video/mp4", b"late".to_vec()))).expect("an answer");
    assert_eq!(late.0, 409, "{}", String::from_utf8_lossy(&late.1));
    let end =
        json!({ "lease": { "job": id, "attempt": 1 }, "outcome": "completed", "what": { "late": true } });
    let body = Some(("application/json", end.to_string().into_bytes()));
    let (status, answer) = ask("POST", &site.url("/v1/workers/end"), TOKEN, body).expect("an answer");
    assert_eq!((status, answer.as_slice()), (200, br#"{"is_recorded":false}"#.as_slice()));

    // What it says.
    sleeper.signal(Signal::CONT);
    sleeper.until_it_says("nothing was recorded");
    let now = site.completed(&id);
    assert_eq!((&now["finished_at"], &now["tries"]), (&job["finished_at"], &job["tries"]));
    assert!(site.result(&id) == video, "the result has changed");

    // It is as good as new.
    other.kill();
    let next = site.queue(&site.video("/b.mp4", &[Answer::Whole]));
    assert_eq!(site.completed(&next)["tries"], 1);
}

#[test]
fn a_worker_goes_on_when_its_server_comes_back() {
    let site = Site::new("20");
    let mut server = site.serve();
    let worker = site.work("worker");
    // Some seconds for the file.
    let job = site.queue(&site.video("/a.mp4", &[Answer::Slowly(Duration::from_millis(100))]));
    site.until_asked_for("/a.mp4");
    server.kill();
    worker.until_it_says("a heartbeat did not reach the job store");
    let _again = site.serve();
    let job = site.completed(&job);
    assert_eq!(job["tries"], 1, "{job:#} {}", worker.log());
}

#[test]
fn an_end_that_is_said_again_is_recorded_once() {
    let site = Site::new("30");
    let _server = site.serve();
    let id = site.queue(&site.video("/a.mp4", &[Answer::Whole]));
    let say = |path: &str, message: &Value| {
        let body = Some(("application/json", message.to_string().into_bytes()));
        let (status, answer) = ask("POST", &site.url(path), TOKEN, body).expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        serde_json::from_slice::<Value>(&answer).expect("JSON")
    };
    let slot =
        |session: &str| json!({ "session": session, "worker": "a/0", "kinds": ["tracking", "webhook"] });
    let ours = slot("00000000-0000-4000-8000-000000000001");
    let claim = say("/v1/workers/claim", &ours);
    assert_eq!(claim["claim"]["job"]["id"], json!(id));
    // The answer was lost: the same slot hears the same again, another one nothing.
    assert_eq!(say("/v1/workers/claim", &ours)["claim"]["lease"], claim["claim"]["lease"]);
    let other = json!({ "session": "00000000-0000-4000-8000-000000000002", "worker": "a/0", "kinds": [] });
    assert_eq!(say("/v1/workers/claim", &other), json!({ "claim": null }));

    let lease = &claim["claim"]["lease"];
    let beat = json!({ "lease": lease, "progress": { "stage": "render", "done": 1, "total": 2 } });
    assert_eq!(say("/v1/workers/heartbeat", &beat), json!({ "pulse": "go_on" }));
    let end = |number: f64| json!({ "lease": lease, "outcome": "completed", "what": { "number": number } });
    assert_eq!(say("/v1/workers/end", &end(0.1)), json!({ "is_recorded": true }));
    assert_eq!(say("/v1/workers/end", &end(0.1)), json!({ "is_recorded": true }), "it was ours");
    assert_eq!(say("/v1/workers/end", &end(0.2)), json!({ "is_recorded": false }));
    assert_eq!(say("/v1/workers/heartbeat", &beat), json!({ "pulse": "lost" }));
    within(|| (site.hook.told() == 1).then_some(())).expect("a webhook");
    assert_eq!(site.completed(&id)["result"]["number"], 0.1);
}

#[test]
fn nobody_comes_in_without_the_token() {
    let site = Site::new("30");
    let client = "0123456789abcdef";
    let mut server = site.serve_with(&["--worker-token", TOKEN, "--token", client]);
    let status = |path: &str, token: &str| ask("GET", &site.url(path), token, None).map(|answer| answer.0);
    assert_eq!(status("/v1/workers", TOKEN), Some(200));
    assert_eq!(status("/v1/workers", client), Some(401));
    assert_eq!(status("/v1/workers/jobs/x", ""), Some(401));
    assert_eq!(status("/v1/workers/files/jobs/x/y", client), Some(401));
    assert_eq!(status("/v1/jobs", TOKEN), Some(401), "workers are no clients");
    let mut refused = site.work_with("refused", "another token of workers");
    assert!(!refused.ended().success());
    refused.until_it_says("does not take this worker token");

    server.kill();
    let _without = site.serve_with(&[]);
    assert_eq!(status("/v1/workers", TOKEN), Some(404));
    let mut refused = site.work("refused");
    assert!(!refused.ended().success());
    refused.until_it_says("--worker-token");
}
