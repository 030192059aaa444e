//! How a server is to work.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;
use viseme_cloud::{NetworkPolicy, RemoteUrl};
use viseme_core::{Error, Limits, Result};
use viseme_jobs::{BucketSettings, JobKind};
use viseme_models::RuntimeRequest;

/// Text that must not be shown: tokens, keys, addresses with passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

/// What lets a client in, and the name that its jobs go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is. Jobs of one name are not seen by another.
    pub name: String,
    /// What the client shows.
    pub secret: Secret,
}

impl std::str::FromStr for Token {
    type Err = Error;

    /// Reads `NAME=SECRET`, or a secret alone, whose name is `default`.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is empty and a secret of fewer than 16 characters.
    fn from_str(text: &str) -> Result<Self> {
        let (name, secret) = text.split_once('=').unwrap_or(("default", text));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(Error::invalid_input(
                "the name of a token has letters, digits, '-', '_' and '.' only",
            )
            .with_hint("Write NAME=SECRET."));
        }
        check_length(&format!("the token '{name}'"), secret)?;
        Ok(Self { name: name.to_owned(), secret: Secret::new(secret) })
    }
}

/// Short secrets can be guessed.
fn check_length(what: &str, secret: &str) -> Result<()> {
    if secret.chars().count() < 16 {
        return Err(Error::invalid_input(format!("{what} is shorter than 16 characters"))
            .with_hint("Make one: openssl rand -hex 24."));
    }
    Ok(())
}

/// Most bytes of what clients send or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimits {
    /// Of a video.
    pub video: u64,
    /// Of a sound file.
    pub audio: u64,
    /// Of a picture.
    pub image: u64,
    /// Of a JSON body.
    pub json: usize,
}

impl Default for SizeLimits {
    /// 500 MB, 100 MB, 20 MB, 1 MB, of a million bytes; the first two are those of the contract.
    fn default() -> Self {
        Self { video: 500_000_000, audio: 100_000_000, image: 20_000_000, json: 1_000_000 }
    }
}

/// How a server is to work.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its folder: the job store, the files of jobs, the key of its links.
    pub data: PathBuf,
    /// The address of a `PostgreSQL` for the jobs, in place of a file in `data`.
    pub database: Option<Secret>,
    /// A bucket for the files, in place of a folder in `data`.
    pub bucket: Option<BucketSettings>,
    /// Most bytes that the files may take.
    pub quota: Option<u64>,
    /// Jobs that this process does at a time; 0 leaves them to other workers.
    pub workers: usize,
    /// Who may come in. Empty lets everybody in, which is for the loopback alone.
    pub tokens: Vec<Token>,
    /// What lets workers in that have nothing but the address of this server. Without it there are none.
    pub worker_token: Option<Secret>,
    /// For [`work`](crate::work) alone: the server whose jobs are done, in place of stores that are shared with it.
    pub server: Option<RemoteUrl>,
    /// Which addresses that clients name are spoken to.
    pub network: NetworkPolicy,
    /// Most bytes of what clients send or name.
    pub sizes: SizeLimits,
    /// What an input may at most be.
    pub media: Limits,
    /// What runs the models, and on what.
    pub compute: RuntimeRequest,
    /// Models that are pulled before the first job is done.
    pub preload: Vec<String>,
    /// Whether the licences of those are accepted that are not free for commercial use.
    pub accept_licences: bool,
    /// How long a client that sends a file may send nothing of it.
    pub upload_idle: Duration,
    /// How long results and what was sent are kept.
    pub retention: Duration,
    /// How long a worker may say nothing before its job is taken from it.
    pub lease: Duration,
    /// How long jobs may go on when the server is to end, before they are given back.
    pub grace: Duration,
    /// How long a try of a job may take unless the job says otherwise.
    pub time_limit: Duration,
    /// Most jobs of a kind at a time, over all workers.
    pub most_running: BTreeMap<JobKind, u32>,
    /// What clients see this server as, for links: behind a proxy it cannot know.
    pub public_url: Option<Url>,
    /// The key of signatures on webhooks. Without one none are sent.
    pub webhook_secret: Option<Secret>,
    /// Chin room of the mouth box in pixels, for clients that send none (`LIP_SYNC_BBOX_SHIFT`).
    pub bbox_shift: i32,
    /// What an hour of this machine costs in US dollars.
    pub gpu_usd_per_hour: f64,
    /// A folder with the web page.
    pub web: Option<PathBuf>,
    /// Whether errors may carry what only a developer should see.
    pub is_development: bool,
}

impl ServerSettings {
    /// Settings with defaults for all but the folder.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            data: data.into(),
            database: None,
            bucket: None,
            quota: None,
            workers: 1,
            tokens: Vec::new(),
            worker_token: None,
            server: None,
            network: NetworkPolicy::default(),
            sizes: SizeLimits::default(),
            media: Limits::default(),
            compute: RuntimeRequest::default(),
            preload: Vec::new(),
            accept_licences: false,
            upload_idle: Duration::from_secs(30),
            retention: Duration::from_hours(24),
            lease: Duration::from_mins(1),
            grace: Duration::from_secs(30),
            time_limit: Duration::from_mins(10),
            most_running: BTreeMap::new(),
            public_url: None,
            webhook_secret: None,
            bbox_shift: 0,
            gpu_usd_per_hour: 0.0,
            web: None,
            is_development: false,
        }
    }

    /// Checks what can be checked before anything is opened.
    ///
    /// # Errors
    /// `InvalidInput` for an open door: listening elsewhere than on the loopback without a token; two tokens of one name; a
    /// token of workers that is short, or also lets a client in.
    pub fn validate(&self) -> Result<()> {
        if self.tokens.is_empty() && !self.listen.ip().is_loopback() {
            return Err(Error::invalid_input(format!(
                "{} is reachable from other machines, and nobody needs a token",
                self.listen
            ))
            .with_hint("Give at least one --token NAME=SECRET, or listen on 127.0.0.1."));
        }
        self.check_worker_token()?;
        let mut names: Vec<&str> = self.tokens.iter().map(|token| token.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::invalid_input(format!("there are two tokens '{}'", pair[0]))
                .with_hint("Give every client a name of its own.")),
            None => Ok(()),
        }
    }

    fn check_worker_token(&self) -> Result<()> {
        let Some(token) = &self.worker_token else { return Ok(()) };
        check_length("the token of the workers", token.expose())?;
        if self.tokens.iter().any(|client| client.secret == *token) {
            return Err(Error::invalid_input("the token of the workers is that of a client, too")
                .with_hint("Workers see the jobs of all clients: give them a token of their own."));
        }
        Ok(())
    }
}
