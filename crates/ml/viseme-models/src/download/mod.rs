//! Gets one file over HTTPS: resumed where it was cut, hashed as it comes, at its name only when it is whole and right.

mod address;
mod http;
mod part;
mod watch;

pub use address::Address;
pub use http::Patience;

use crate::digest::{CHUNK, Digest};
use http::{Client, Reply};
use part::Part;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};
use viseme_core::{Error, ErrorKind, Observer, Result};

/// Most bytes of a file of unknown size: twice the largest model in the manifest, 3.4 GB.
const MAX_BYTES: u64 = 8 << 30;
/// A connection that brought at least this much is no failed one, even when it is cut.
const PROGRESS_BYTES: u64 = 1 << 20;
/// Fewer bytes than this in the time of one read count as a connection that hangs.
const SLOWEST_BYTES: u64 = 1024;

/// A file to get.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where it is, tried in order.
    pub addresses: Vec<Address>,
    /// What it must hash to, when that is known.
    pub sha256: Option<Digest>,
    /// How large it must be, when that is known.
    pub bytes: Option<u64>,
}

/// A file that was got.
#[derive(Debug, Clone)]
pub struct Downloaded {
    /// Its hash, computed while it came.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Where it came from.
    pub address: Address,
}

/// What happens to a whole file before it gets its name.
pub type Check<'a> = &'a mut dyn FnMut(&Path) -> Result<()>;
/// Told how many bytes are there, and how many there will be when that is known.
pub type OnBytes<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// Gets `wanted` to `target`.
///
/// What comes is written beside the target, to `NAME.part`, and stays there when the transfer is cut or cancelled: the
/// next call goes on from it. Once all of it is there and size and hash are right, `check` looks at it, and only then
/// it is renamed to `target`.
///
/// # Errors
/// [`ErrorKind::Network`], [`ErrorKind::TimedOut`] when the transfer did not come to its end; [`ErrorKind::Remote`] when
/// the other side has no such file, or another one; [`ErrorKind::DiskFull`]; [`ErrorKind::Cancelled`]; what `check` says.
pub fn download(
    wanted: &Wanted,
    target: &Path,
    patience: &Patience,
    observer: &dyn Observer,
    check: Check<'_>,
    on_bytes: OnBytes<'_>,
) -> Result<Downloaded> {
    let client = Client::new(patience);
    watch::while_watched(
        observer,
        || client.shut_down(),
        || {
            let mut transfer = Transfer { wanted, patience, client: &client, observer, on_bytes };
            transfer.run(target, check)
        },
    )
}

/// One call of [`download`] under way.
struct Transfer<'a> {
    wanted: &'a Wanted,
    patience: &'a Patience,
    client: &'a Client,
    observer: &'a dyn Observer,
    on_bytes: OnBytes<'a>,
}

impl Transfer<'_> {
    fn run(&mut self, target: &Path, check: Check<'_>) -> Result<Downloaded> {
        let mut part = Part::open(target, self.observer)?;
        let mut last = Error::new(ErrorKind::Remote, "no address to get it from");
        for address in &self.wanted.addresses {
            match self.get_from(address, &mut part) {
                Ok(sha256) => {
                    check(part.path()).inspect_err(|_| part.discard())?;
                    let bytes = part.bytes();
                    part.finish(target)?;
                    return Ok(Downloaded { sha256, bytes, address: address.clone() });
                }
                Err(error) if self.observer.is_cancelled() => {
                    return Err(Error::cancelled().with_source(error));
                }
                // Another address may have what this one has not.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Network | ErrorKind::Remote | ErrorKind::TimedOut
                    ) =>
                {
                    last = error;
                }
                Err(error) => {
                    // What fills the disk must not stay on it.
                    if error.kind() == ErrorKind::DiskFull {
                        part.discard();
                    }
                    return Err(error);
                }
            }
        }
        Err(last)
    }

    /// Gets the whole file from one address, resuming as often as patience lasts.
    fn get_from(&mut self, address: &Address, part: &mut Part) -> Result<Digest> {
        let mut failures = 0;
        loop {
            let before = part.bytes();
            let failure = match self.attempt(address, part) {
                Ok(()) => match self.whole(part) {
                    Ok(digest) => return Ok(digest),
                    // Its beginning may be of another file or damaged: once more from the start.
                    Err(_) if part.was_resumed() && failures < self.patience.retries => {
                        part.restart()?;
                        failures += 1;
                        continue;
                    }
                    Err(error) => {
                        part.discard();
                        return Err(error);
                    }
                },
                Err(error) => error,
            };
            if !failure.kind().is_retryable() || failure.kind() == ErrorKind::DiskFull {
                return Err(failure);
            }
            failures = if part.bytes() >= before + PROGRESS_BYTES { 1 } else { failures + 1 };
            if failures > self.patience.retries {
                return Err(failure);
            }
            self.pause(failures)?;
        }
    }

    /// One request and its body.
    fn attempt(&mut self, address: &Address, part: &mut Part) -> Result<()> {
        if !part.continues(address, self.wanted) {
            part.restart()?;
        }
        if self.wanted.bytes.is_some_and(|bytes| part.bytes() == bytes) {
            return Ok(());
        }
        let Some(reply) = self.client.get(address, part.range(address).as_ref())? else {
            part.restart()?;
            return Err(Error::new(
                ErrorKind::Network,
                format!("{address} answers with another part of the file than was asked for"),
            ));
        };
        if reply.start != part.bytes() {
            // The server began anew, or the file changed under its tag.
            part.restart()?;
        }
        let total = self.announced(address, &reply)?;
        part.remember(address, reply.etag.as_deref())?;
        (self.on_bytes)(part.bytes(), total);
        self.body(address, reply, part, total)
    }

    /// The size that the file will have, checked against the one it must have.
    fn announced(&self, address: &Address, reply: &Reply) -> Result<Option<u64>> {
        match (reply.total, self.wanted.bytes) {
            (Some(total), Some(expected)) if total != expected => {
                Err(wrong_size(address, &total.to_string(), expected))
            }
            (Some(total), None) if total > MAX_BYTES => Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{address} is {total} bytes long, more than the {MAX_BYTES} that a model may have"),
            )),
            (total, expected) => Ok(expected.or(total)),
        }
    }

    fn body(&mut self, address: &Address, reply: Reply, part: &mut Part, total: Option<u64>) -> Result<()> {
        let mut body = reply.body;
        let mut buffer = vec![0; CHUNK];
        let mut pace = Pace::new(self.patience.read);
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) => return Err(http::failure(address, ureq::Error::from(error))),
            };
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            if count == 0 {
                break;
            }
            let limit = total.unwrap_or(MAX_BYTES);
            if part.bytes() + count as u64 > limit {
                part.discard();
                return Err(wrong_size(address, &format!("more than {limit}"), limit));
            }
            part.write(&buffer[..count])?;
            (self.on_bytes)(part.bytes(), total);
            pace.check(address, count)?;
        }
        match total {
            Some(total) if part.bytes() < total => Err(Error::new(
                ErrorKind::Network,
                format!("{address} broke off after {} of {total} bytes", part.bytes()),
            )),
            _ => Ok(()),
        }
    }

    /// Whether what is there is the file that was wanted.
    fn whole(&self, part: &Part) -> Result<Digest> {
        let digest = part.digest();
        match self.wanted.sha256 {
            Some(expected) if expected != digest => Err(Error::new(
                ErrorKind::Remote,
                format!("what was downloaded has SHA-256 {digest}, expected {expected}"),
            )),
            _ => Ok(digest),
        }
    }

    /// Waits before the next try, longer each time.
    fn pause(&self, failures: u32) -> Result<()> {
        let until = Instant::now() + self.patience.pause * 2u32.saturating_pow(failures - 1);
        while Instant::now() < until {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            std::thread::sleep(Duration::from_millis(20).min(self.patience.pause));
        }
        Ok(())
    }
}

fn wrong_size(address: &Address, found: &str, expected: u64) -> Error {
    Error::new(ErrorKind::Remote, format!("{address} has {found} bytes, expected {expected}"))
}

/// Notices a server that sends a byte now and then to keep the connection open.
struct Pace {
    window: Duration,
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new(window: Duration) -> Self {
        Self { window, since: Instant::now(), bytes: 0 }
    }

    fn check(&mut self, address: &Address, count: usize) -> Result<()> {
        self.bytes += count as u64;
        if self.since.elapsed() < self.window {
            return Ok(());
        }
        if self.bytes < SLOWEST_BYTES {
            return Err(Error::new(ErrorKind::TimedOut, format!("{address} sends next to nothing")));
        }
        *self = Self::new(self.window);
        Ok(())
    }
}
