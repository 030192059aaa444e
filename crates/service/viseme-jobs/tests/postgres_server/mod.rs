//! A private server of `PostgreSQL`: in a folder of its own, on a socket there, gone with the test.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Starts the server, and ends it, and removes its folder, when the test says so or is no more: then this standard input ends.
const GUARD: &str = r#"
    "$1/postgres" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c fsync=on >>"$2/log" 2>&1 &
    cat >/dev/null
    kill -QUIT $!
    wait
    rm -rf "$2"
"#;
/// Far more than any of it takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// The server.
pub(crate) struct PostgresServer {
    /// The folder of its programs.
    programs: PathBuf,
    folder: PathBuf,
    databases: AtomicU32,
    guards: Mutex<Vec<Child>>,
}

impl PostgresServer {
    /// The one that the tests of this program share, each with a database of its own. None, and a word about it, where
    /// `PostgreSQL` is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
        let server = SERVER.get_or_init(|| programs().map(Self::new));
        server.as_ref().or_else(skipped)
    }

    /// One for a test alone.
    pub(crate) fn own() -> Option<Self> {
        programs().map(Self::new).or_else(skipped)
    }

    fn new(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(id) = servant() {
            chown(folder.path(), Some(id), Some(id)).unwrap();
        }
        let mut init = as_servant(&programs.join("initdb"));
        init.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        let made = init.arg(folder.path().join("data")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let folder = folder.keep();
        let server = Self { programs, folder, databases: AtomicU32::new(0), guards: Mutex::default() };
        server.start();
        server
    }

    /// Starts it, anew after a [`kill`](Self::kill), and waits until it answers.
    pub(crate) fn start(&self) {
        let before = self.process();
        let mut guard = as_servant(Path::new("/bin/sh"));
        guard.args(["-c", GUARD, "guard"]).arg(&self.programs).arg(&self.folder);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.guards.lock().unwrap().push(guard.spawn().unwrap());
        let is_ready =
            || self.status().is_some_and(|(process, is_ready)| is_ready && Some(process) != before);
        wait_until("PostgreSQL answers", is_ready);
    }

    /// Ends it without a word: kill -9 of all of its processes.
    pub(crate) fn kill(&self) {
        let processes = self.signal(Signal::KILL);
        wait_until("PostgreSQL has ended", || processes.iter().all(|process| !is_alive(*process)));
    }

    /// Sends a signal to all of its processes, and says which they were.
    pub(crate) fn signal(&self, signal: Signal) -> Vec<Pid> {
        let first = self.process().unwrap();
        let number = first.as_raw_nonzero();
        let children =
            std::fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().unwrap()));
        let processes: Vec<Pid> = [first].into_iter().chain(children).collect();
        for process in &processes {
            // It may just have ended by itself.
            let _ = kill_process(*process, signal);
        }
        processes
    }

    /// The address of a new, empty database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let mut sql = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut sql).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres:hush@localhost:5432/{database}?host={}", self.folder.display())
    }

    fn process(&self) -> Option<Pid> {
        self.status().map(|(process, _)| process)
    }

    /// What `postmaster.pid` says: the number of the first process, and in its eighth line whether it is ready.
    fn status(&self) -> Option<(Pid, bool)> {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        let process = Pid::from_raw(text.lines().next()?.parse().ok()?)?;
        Some((process, text.lines().nth(7).is_some_and(|line| line.trim() == "ready")))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        for guard in self.guards.get_mut().unwrap() {
            drop(guard.stdin.take());
        }
        for guard in self.guards.get_mut().unwrap() {
            let _ = guard.wait();
        }
    }
}

/// Waits until it is so; panics when it takes far too long.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_alive(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Says that a test did not run, past the test harness.
fn skipped<T>() -> Option<T> {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: PostgreSQL is not installed");
    None
}

/// The folder of `initdb` and `postgres`: on the path, or where Debian keeps them, the newest version.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH");
    let on_path = on_path.iter().flat_map(std::env::split_paths);
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut kept: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    kept.sort();
    on_path
        .chain(kept.into_iter().rev())
        .find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

/// Who runs it when the test runs as root, whom it refuses.
fn servant() -> Option<u32> {
    if !geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let number =
        |name: &str| users.lines().find_map(|line| line.strip_prefix(name)?.split(':').nth(1)?.parse().ok());
    number("postgres:").or_else(|| number("nobody:"))
}

#[expect(clippy::disallowed_methods, reason = "the server is a program of others")]
fn as_servant(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").current_dir("/");
    if let Some(id) = servant() {
        command.uid(id).gid(id);
    }
    command
}
