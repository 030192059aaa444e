//! A child process that is never left behind: its standard error is drained by a thread of its own, and it is killed
//! when the value goes.

use crate::limits;
use crate::stderr_tail::StderrTail;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use viseme_core::{Error, ErrorKind, Limits, Result};

/// Sees every line of standard error; says whether it has dealt with it, so that the tail need not keep it.
pub(crate) type LineListener = Box<dyn FnMut(&str) -> bool + Send>;

/// Which pipes of the child we hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wiring {
    /// We read its standard output.
    Stdout,
    /// We write its standard input.
    Stdin,
    /// Neither.
    Closed,
}

/// A running child. Killed and reaped on drop.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    tail: Arc<Mutex<StderrTail>>,
    drain: Option<JoinHandle<()>>,
    peak_memory_bytes: u64,
}

impl Running {
    /// Starts `program`, applies the limits, and drains its standard error.
    pub(crate) fn spawn(
        program: &Path,
        arguments: &[OsString],
        wiring: Wiring,
        limits: &Limits,
    ) -> Result<Self> {
        Self::spawn_listening(program, arguments, wiring, limits, Box::new(|_| false))
    }

    /// As [`Self::spawn`], and shows each line of standard error to `listener`.
    pub(crate) fn spawn_listening(
        program: &Path,
        arguments: &[OsString],
        wiring: Wiring,
        limits: &Limits,
        listener: LineListener,
    ) -> Result<Self> {
        let pipe_if = |wanted| if wiring == wanted { Stdio::piped() } else { Stdio::null() };
        let mut child = command(program)
            .args(arguments)
            .stdin(pipe_if(Wiring::Stdin))
            .stdout(pipe_if(Wiring::Stdout))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                Error::new(ErrorKind::MissingTool, format!("cannot start {}: {error}", program.display()))
                    .with_source(error)
            })?;
        limits::apply(child.id(), limits);
        let tail = Arc::new(Mutex::new(StderrTail::default()));
        let drain = child.stderr.take().map(|stderr| {
            let tail = Arc::clone(&tail);
            std::thread::spawn(move || drain(stderr, listener, &tail))
        });
        let name = program.file_name().unwrap_or(OsStr::new("child")).to_string_lossy().into_owned();
        Ok(Self { child, name, tail, drain, peak_memory_bytes: 0 })
    }

    /// The pipe to read from; once, and only with [`Wiring::Stdout`].
    pub(crate) fn take_stdout(&mut self) -> Result<ChildStdout> {
        let pipe = self.child.stdout.take();
        let pipe = pipe.ok_or_else(|| Error::internal("the child has no pipe to read from"))?;
        widen(&pipe);
        Ok(pipe)
    }

    /// The pipe to write to; once, and only with [`Wiring::Stdin`].
    pub(crate) fn take_stdin(&mut self) -> Result<ChildStdin> {
        let pipe = self.child.stdin.take();
        let pipe = pipe.ok_or_else(|| Error::internal("the child has no pipe to write to"))?;
        widen(&pipe);
        Ok(pipe)
    }

    /// Waits for the child to end well. `action` completes "cannot …" in the error: "decode talk.mp4".
    pub(crate) fn wait(&mut self, action: &str) -> Result<()> {
        self.sample_memory();
        let status = self.child.wait().map_err(|error| Error::io("wait for a child process", error))?;
        self.join_drain();
        if status.success() { Ok(()) } else { Err(self.failure(action, status)) }
    }

    /// Reads all that the child prints, at most `max_bytes`, and waits for it.
    pub(crate) fn output(mut self, action: &str, max_bytes: u64) -> Result<Vec<u8>> {
        let mut output = Vec::new();
        let read = self.take_stdout()?.take(max_bytes).read_to_end(&mut output);
        read.map_err(|error| Error::io("read from a child process", error))?;
        if output.len() as u64 == max_bytes {
            return Err(Error::new(ErrorKind::LimitExceeded, format!("cannot {action}: it says too much")));
        }
        self.wait(action)?;
        Ok(output)
    }

    /// Notes how much memory the child has taken so far: unknown once it has ended, so call it while it runs.
    pub(crate) fn sample_memory(&mut self) {
        self.peak_memory_bytes = self.peak_memory_bytes.max(limits::peak_memory_bytes(self.child.id()));
    }

    /// The most resident memory seen by [`Self::sample_memory`], in bytes; 0 where it cannot be told.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        self.peak_memory_bytes
    }

    /// How many errors the child has reported so far, and the line that names the first.
    pub(crate) fn reported_errors(&self) -> Option<String> {
        let tail = self.lock_tail();
        (tail.error_count > 0).then(|| tail.summary())
    }

    /// Ends the child now.
    pub(crate) fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.join_drain();
    }

    fn failure(&self, action: &str, status: ExitStatus) -> Error {
        let tail = self.lock_tail().clone();
        let kind = tail.failure_kind().unwrap_or(kind_of_status(status));
        let cause = match kind {
            ErrorKind::DiskFull => "the disk is full".to_owned(),
            ErrorKind::TimedOut => format!("{} took more processor time than it may", self.name),
            ErrorKind::LimitExceeded => format!("{} needed more memory than it may have", self.name),
            _ => tail.summary(),
        };
        let error = Error::new(kind, format!("cannot {action}: {cause}"));
        error.with_source(tail)
    }

    fn lock_tail(&self) -> std::sync::MutexGuard<'_, StderrTail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join_drain(&mut self) {
        if let Some(drain) = self.drain.take() {
            // It only fails if the listener panicked, which then has lost its lines and nothing else.
            let _ = drain.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.drain.is_some() {
            self.kill();
        }
    }
}

/// Bytes that a pipe holds: what Linux gives anybody. A frame goes through in a few turns in place of dozens, and neither end
/// waits for the other as often.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

#[cfg(target_os = "linux")]
fn widen(pipe: &impl std::os::fd::AsFd) {
    // Where the system gives no more, it is slower and as good.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn widen<T>(_: &T) {}

#[expect(clippy::disallowed_methods, reason = "the one place where Viseme starts a process")]
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    // A report file or forced colours would change what ffmpeg writes; one heap for all threads keeps it small.
    command.env_remove("FFREPORT").env_remove("AV_LOG_FORCE_COLOR").env("MALLOC_ARENA_MAX", "1");
    // An interrupt from the keyboard goes to us alone: we end the children.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// What the way in which a child ended says about why.
#[cfg(unix)]
fn kind_of_status(status: ExitStatus) -> ErrorKind {
    use std::os::unix::process::ExitStatusExt;
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    // ffmpeg catches the signal of the time limit and ends with one of these codes; nobody else sends it signals.
    const ENDED_BY_SIGNAL: [i32; 2] = [255, 123];
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => ErrorKind::TimedOut,
        (Some(SIGXFSZ), _) => ErrorKind::DiskFull,
        (Some(SIGKILL), _) => ErrorKind::LimitExceeded,
        (_, Some(code)) if ENDED_BY_SIGNAL.contains(&code) => ErrorKind::TimedOut,
        _ => ErrorKind::Internal,
    }
}

#[cfg(not(unix))]
fn kind_of_status(_: ExitStatus) -> ErrorKind {
    ErrorKind::Internal
}

/// Reads standard error to its end, so that the child never blocks on it.
fn drain(stderr: impl Read, mut listener: LineListener, tail: &Mutex<StderrTail>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if !listener(&text) {
            tail.lock().unwrap_or_else(PoisonError::into_inner).push(&text);
        }
    }
}
