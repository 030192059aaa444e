//! Servers and workers as processes of their own, and who asks them.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::Request;

/// What workers show.
pub(crate) const TOKEN: &str = "a token for workers";
/// How long anything may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(5);

/// `viseme` doing something. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the binary with nothing of this machine's own settings, in `folder`.
    #[expect(clippy::disallowed_methods, reason = "it goes on while the test does")]
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("viseme"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VISEME_")) {
            command.env_remove(name);
        }
        command.current_dir(folder).env("TMPDIR", folder).env("NO_COLOR", "1").env("VISEME_CACHE_MB", "0");
        command.env("MODELS_DIR", folder.join("models")).env("LOG_LEVEL", "info");
        let command =
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary under test");
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, kept) = (child.stderr.take().expect("a pipe"), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has logged `words`.
    #[track_caller]
    pub(crate) fn until_it_says(&self, words: &str) {
        let told = || self.log().contains(words).then_some(());
        assert!(within(told).is_some(), "'{words}' was never said: {}", self.log());
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(process.expect("a process"), signal).expect("a process to signal");
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let status = within(|| self.child.try_wait().expect("a child"));
        status.unwrap_or_else(|| panic!("it did not end: {}", self.log()))
    }

    /// Kills it at once, as a loss of power would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("a child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until there is an answer.
pub(crate) fn within<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        sleep(Duration::from_millis(100));
    }
    None
}

/// A port of this machine that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Asks for something and says the status and the body of the answer; none when there is no answer.
pub(crate) fn ask(
    method: &str,
    url: &str,
    token: &str,
    body: Option<(&str, Vec<u8>)>,
) -> Option<(u16, Vec<u8>)> {
    let agent: Agent =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let request =
        Request::builder().method(method).uri(url).header("authorization", format!("Bearer {token}"));
    let answered = match body {
        Some((kind, body)) => agent.run(request.header("content-type", kind).body(body).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let (parts, mut body) = answered.ok()?.into_parts();
    Some((parts.status.as_u16(), body.with_config().limit(1 << 30).read_to_vec().ok()?))
}

/// A place that webhooks are sent to, which counts them.
pub(crate) struct Hook {
    pub(crate) url: String,
    told: Arc<AtomicUsize>,
}

impl Hook {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let told = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if take_message(stream).is_some() {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self { url, told }
    }

    pub(crate) fn told(&self) -> usize {
        self.told.load(Ordering::SeqCst)
    }
}

/// Reads a message to its end and answers that all is well.
fn take_message(mut stream: TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut bytes = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        match line.strip_prefix("content-length:") {
            Some(length) => bytes = length.trim().parse().ok()?,
            None if line.is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok()?;
    serde_json::from_slice(&body).ok()
}
