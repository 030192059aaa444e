//! The server under test, and its clients.

use super::{Answer, Form};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

/// How long anything may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(8);

/// `viseme serve` on a free port of this machine. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    /// Its own folder, where nobody gave it one.
    folder: Option<TempDir>,
    data: PathBuf,
    caller: Caller,
}

/// Somebody who asks a server, with a token or without.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    base: String,
    agent: Agent,
    headers: Vec<(String, String)>,
}

impl Server {
    /// A server with a data folder of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self::start_in(folder.path(), arguments, &[]);
        server.folder = Some(folder);
        server
    }

    /// A server whose data, temporary files and models are in `folder`, with these variables in its environment.
    pub(crate) fn start_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let data = folder.join("data");
        let mut child = command(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary under test");
        let log = Arc::new(Mutex::new(String::new()));
        let (listening, heard) = sync_channel(1);
        let stderr = child.stderr.take().expect("a pipe");
        let kept = Arc::clone(&log);
        std::thread::spawn(move || read_log(stderr, &kept, &listening));
        let address = address(&heard, &log);
        let caller = Caller::new(format!("http://{address}"));
        Self { child, address, log, folder: None, data, caller }
    }

    /// Its folder for data.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A connection on which anything can be said.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream
    }

    /// Says `request` as it is, and reads the status of the answer.
    pub(crate) fn raw(&self, request: &[u8]) -> u16 {
        let mut stream = self.connect();
        stream.write_all(request).expect("a connection");
        status_of(stream)
    }

    /// The names of all files in its folder for data that come from clients or jobs.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        list_files(&self.data, &mut names);
        names.retain(|name| !["jobs.sqlite", "link.key"].iter().any(|own| name.contains(own)));
        names
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The most memory that it has held so far, in bytes; none where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let process = process.expect("a process");
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("a process to signal");
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("the server did not end: {}", self.log());
    }

    /// Kills it at once, as a loss of power would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("a child");
    }
}

impl std::ops::Deref for Server {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of the answer that comes on a connection.
pub(crate) fn status_of(stream: TcpStream) -> u16 {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {line}"))
}

fn list_files(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list_files(&entry.path(), names),
            _ => names.push(entry.path().display().to_string()),
        }
    }
}

/// The binary, with nothing of this machine's own settings: no models, no cache, temporary files in `folder`.
#[expect(clippy::disallowed_methods, reason = "a server is started, and goes on while it is asked")]
fn command(folder: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("viseme"));
    let ours = |name: &str| {
        ["VISEME_", "AWS_", "LIP_SYNC_", "HEYGEN_", "LOG_LEVEL"].iter().any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("TMPDIR", folder).env("NO_COLOR", "1").env("VISEME_CACHE_MB", "0");
    command.env("MODELS_DIR", folder.join("models"));
    command
}

fn read_log(stderr: ChildStderr, log: &Mutex<String>, listening: &SyncSender<SocketAddr>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Some(address) = line.strip_prefix("listening on http://") {
            let _ = listening.try_send(address.parse().expect("an address"));
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&line);
        log.push('\n');
    }
}

fn address(heard: &Receiver<SocketAddr>, log: &Mutex<String>) -> SocketAddr {
    heard.recv_timeout(Duration::from_mins(2)).unwrap_or_else(|_| {
        panic!("the server did not start: {}", log.lock().unwrap_or_else(PoisonError::into_inner))
    })
}

impl Caller {
    fn new(base: String) -> Self {
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self { base, agent: agent.into(), headers: Vec::new() }
    }

    /// The same with a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// The same with a header in every request.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.push((name.to_owned(), value.to_owned()));
        caller
    }

    /// The address of a path; a whole address stays as it is.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// POST of JSON.
    pub(crate) fn post(&self, path: &str, json: &Value) -> Answer {
        self.send("POST", path, Some(("application/json", json.to_string().into_bytes())))
    }

    /// POST of a form.
    pub(crate) fn post_form(&self, path: &str, form: Form) -> Answer {
        self.send("POST", path, Some((&Form::content_type(), form.body())))
    }

    /// PUT of bytes.
    pub(crate) fn put(&self, path: &str, content_type: &str, bytes: &[u8]) -> Answer {
        self.send("PUT", path, Some((content_type, bytes.to_vec())))
    }

    /// Any request.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answered = match body {
            Some((content_type, body)) => {
                let request = request.header("content-type", content_type).body(body);
                self.agent.run(request.expect("a request"))
            }
            None => self.agent.run(request.body(()).expect("a request")),
        };
        Answer::read(answered.unwrap_or_else(|error| panic!("{method} {path}: {error}")))
    }

    /// Waits until the server can take jobs.
    pub(crate) fn wait_until_ready(&self) {
        self.until(|| (self.get("/health/ready").status == 200).then_some(()));
    }

    /// The job when it has ended.
    #[track_caller]
    pub(crate) fn ended(&self, id: &str) -> Value {
        self.until(|| {
            let job = self.get(&format!("/v1/jobs/{id}")).with_status(200).json();
            let is_over = ["completed", "failed", "cancelled"].iter().any(|state| job["state"] == *state);
            is_over.then_some(job)
        })
    }

    /// The job when it has ended, as it should.
    #[track_caller]
    pub(crate) fn completed(&self, id: &str) -> Value {
        let job = self.ended(id);
        assert_eq!(job["state"], "completed", "{job:#}");
        job
    }

    /// Asks again until there is an answer.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "it is the server that is waited for")]
    pub(crate) fn until<T>(&self, mut ask: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(answer) = ask() {
                return answer;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("nothing happened for {PATIENCE:?}");
    }
}
