//! One HTTP request: with time limits, with redirects followed by our own rules.

use super::Address;
use super::part::Range;
use std::sync::Mutex;
use std::time::Duration;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body, BodyReader};
use viseme_core::{Error, ErrorKind, Result};

/// Most redirects that are followed. Model hosts use one or two.
const MAX_REDIRECTS: usize = 5;

/// How long to wait for a server, and how often to try again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Longest time to find the server and to connect to it. Default 15 s.
    pub connect: Duration,
    /// Longest silence of the server. Default 30 s.
    pub read: Duration,
    /// How often a transfer that was cut is taken up again. Default 4.
    pub retries: u32,
    /// The wait before the first retry; it doubles with each. Default half a second.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            read: Duration::from_secs(30),
            retries: 4,
            pause: Duration::from_millis(500),
        }
    }
}

/// What the server sends.
pub(super) struct Reply {
    /// Which byte of the file comes first.
    pub(super) start: u64,
    /// The size of the whole file, when the server says it.
    pub(super) total: Option<u64>,
    /// The server's strong tag of this version of the file.
    pub(super) etag: Option<String>,
    /// The bytes.
    pub(super) body: BodyReader<'static>,
}

/// Makes requests.
pub(super) struct Client {
    agent: Agent,
    /// Taken by the first shutdown.
    to_shut_down: Mutex<Option<Agent>>,
}

impl Client {
    pub(super) fn new(patience: &Patience) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.read))
            .timeout_per_write(Some(patience.read))
            .user_agent(concat!("viseme/", env!("CARGO_PKG_VERSION")))
            // A compressed body would be another file.
            .accept_encoding("identity")
            .build();
        let agent = Agent::new_with_config(config);
        Self { to_shut_down: Mutex::new(Some(agent.clone())), agent }
    }

    /// Ends the request that is under way, from another thread.
    pub(super) fn shut_down(&self) {
        let agent = self.to_shut_down.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Asks for the file, or for the rest of it. `None`: the server cannot go on there.
    pub(super) fn get(&self, address: &Address, range: Option<&Range>) -> Result<Option<Reply>> {
        let mut here = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.agent.get(here.uri());
            if let Some(range) = range {
                request = request.header(header::RANGE, format!("bytes={}-", range.start));
                if let Some(etag) = &range.if_range {
                    request = request.header(header::IF_RANGE, etag);
                }
            }
            let response = request.call().map_err(|error| failure(&here, error))?;
            match text(response.headers(), &header::LOCATION) {
                Some(location) if response.status().is_redirection() => here = here.redirected(location)?,
                _ => return reply(&here, response, range),
            }
        }
        Err(Error::new(ErrorKind::Remote, format!("{address} redirects more than {MAX_REDIRECTS} times")))
    }
}

fn reply(address: &Address, response: Response<Body>, range: Option<&Range>) -> Result<Option<Reply>> {
    let headers = response.headers();
    let etag = text(headers, &header::ETAG).filter(|etag| etag.starts_with('"')).map(str::to_owned);
    let (start, total) = match response.status() {
        StatusCode::OK => (0, response.body().content_length()),
        StatusCode::PARTIAL_CONTENT => {
            let found = text(headers, &header::CONTENT_RANGE).and_then(content_range);
            let asked = range.map(|range| range.start);
            match found {
                Some((start, total)) if Some(start) == asked => (start, total),
                _ => return Ok(None),
            }
        }
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
        status => return Err(refused(address, status)),
    };
    let body = response.into_body().into_with_config().limit(u64::MAX).reader();
    Ok(Some(Reply { start, total, etag, body }))
}

/// `bytes 100-199/200` is (100, 200); the size may be `*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let total = if total == "*" { None } else { Some(total.trim().parse().ok()?) };
    (start <= end && total.is_none_or(|total| end < total)).then_some((start, total))
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A status that is no file. Those that may pass are told from those that will not.
fn refused(address: &Address, status: StatusCode) -> Error {
    let passing = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let kind = if passing { ErrorKind::Network } else { ErrorKind::Remote };
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "Its owner may ask for a login: download it in a browser, then use viseme models import."
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            "It has moved: if you have the file, use viseme models import."
        }
        _ => "Try again later, or set VISEME_MODELS_MIRROR to another server.",
    };
    Error::new(kind, format!("{address} answers {status}")).with_hint(hint)
}

/// A request or a transfer that failed.
pub(super) fn failure(address: &Address, error: ureq::Error) -> Error {
    let (kind, what) = match &error {
        ureq::Error::Timeout(_) => (ErrorKind::TimedOut, "took too long to answer".to_owned()),
        ureq::Error::HostNotFound => (ErrorKind::Network, "cannot be found: no such server".to_owned()),
        ureq::Error::Io(io) => (ErrorKind::Network, format!("cannot be reached: {io}")),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            (ErrorKind::Remote, format!("does not prove who it is: {error}"))
        }
        other => (ErrorKind::Network, format!("failed: {other}")),
    };
    Error::new(kind, format!("{address} {what}")).with_source(error).with_hint(
        "Without a network, bring the file yourself: viseme models import, or VISEME_MODELS_MIRROR.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_or_refused() {
        assert_eq!(content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, None)));
        for bad in ["", "bytes */200", "bytes 5-4/200", "bytes 0-200/200", "items 0-1/2", "bytes -1-1/2"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
