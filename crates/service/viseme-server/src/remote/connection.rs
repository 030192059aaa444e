//! The line from a worker to its server.

use super::messages::PATH;
use crate::settings::Secret;
use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::sleep;
use viseme_cloud::{RemoteUrl, tls_config};
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::RetryPolicy;

/// How long finding the server and connecting to it may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long an answer may take, beside the time that the server holds a question back.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a connection is kept that nobody uses: less than the server keeps it.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// How often what may be done twice is tried, and the waits between: together some 40 s, more than a restart takes.
const MOST_TRIES: u32 = 12;
pub(super) const BACK_OFF: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(500), most: Duration::from_secs(5) };

/// Whether the server may be there again a little later.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut)
}

/// Does what may be done twice, again while the server cannot be reached.
///
/// # Errors
/// That of the last try.
pub(super) async fn patiently<T, F>(mut work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < MOST_TRIES && may_pass(&error) => {
                tracing::warn!(%error, tries, "the server is asked again");
                sleep(BACK_OFF.wait(tries)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

/// A server whose jobs a worker does. A clone is the same line.
#[derive(Clone)]
pub(super) struct Connection {
    client: Client,
    /// What every address begins with, without a slash at its end.
    base: String,
    /// How the server is named in messages.
    site: String,
    token: Secret,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Connection {
    /// A line to `server`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// `InvalidInput` where the token would go over the network for everybody to read.
    pub(super) fn new(server: &RemoteUrl, token: Secret, allow_http: bool) -> Result<Self> {
        let url = server.as_url();
        if url.scheme() != "https" && !allow_http && !is_this_machine(url) {
            return Err(Error::invalid_input(format!("{server} is asked without encryption")).with_hint(
                "Use its https address; or allow http with --allow-http where the network is your own.",
            ));
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .user_agent(concat!("viseme/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME)
            .pool_idle_timeout(IDLE_TIME)
            .build();
        let client =
            client.map_err(|error| Error::internal("the HTTP client cannot be set up").with_source(error))?;
        let path = url.path().trim_end_matches('/');
        let base = format!("{}{path}{PATH}", url.origin().ascii_serialization());
        Ok(Self { client, base, site: server.site(), token })
    }

    /// How the server is named in messages.
    pub(super) fn site(&self) -> &str {
        &self.site
    }

    /// Asks for what lies at `path`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.request(Method::GET, path).timeout(ANSWER_TIME);
        self.answer(self.send(request).await?).await
    }

    /// Says `message` at `path`, and reads the answer, which may take `wait` longer than usual.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        message: &impl Serialize,
        wait: Duration,
    ) -> Result<T> {
        let body = serde_json::to_vec(message)
            .map_err(|error| Error::internal("a message cannot be written").with_source(error))?;
        let request = self.request(Method::POST, path).timeout(ANSWER_TIME + wait);
        let request = request.header("content-type", "application/json").body(body);
        self.answer(self.send(request).await?).await
    }

    /// Begins to read the file at `path`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn read(&self, path: &str) -> Result<Response> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends `bytes` bytes to `path`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn write(
        &self,
        path: &str,
        content_type: &str,
        (body, bytes): (Body, u64),
    ) -> Result<()> {
        let request = self.request(Method::PUT, path).header("content-type", content_type);
        self.send(request.header("content-length", bytes).body(body)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(self.token.expose())
    }

    /// Waits for the head of a good answer.
    ///
    /// # Errors
    /// `Network` and `TimedOut` when there is none, or not from the server itself: it may be on its way up. What the server
    /// says otherwise, in its own words.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.failed(error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refused(response).await) }
    }

    async fn answer<T: DeserializeOwned>(&self, response: Response) -> Result<T> {
        let bytes = response.bytes().await.map_err(|error| self.failed(error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("{} does not answer as a server of Viseme", self.site);
            Error::new(ErrorKind::Remote, message)
                .with_hint("Worker and server should be of one version.")
                .with_source(error)
        })
    }

    /// A request that got no answer, or not all of it.
    pub(super) fn failed(&self, error: reqwest::Error) -> Error {
        let (kind, what) = match () {
            () if error.is_timeout() => (ErrorKind::TimedOut, "does not answer"),
            () if error.is_connect() => (ErrorKind::Network, "cannot be reached"),
            () => (ErrorKind::Network, "was cut off"),
        };
        Error::new(kind, format!("{} {what}", self.site)).with_source(error.without_url())
    }

    async fn refused(&self, response: Response) -> Error {
        let status = response.status();
        let told: Value = response
            .bytes()
            .await
            .ok()
            .and_then(|body| serde_json::from_slice(&body).ok())
            .unwrap_or_default();
        let (code, words) = (told["error"]["code"].as_str(), told["error"]["message"].as_str());
        if status == StatusCode::UNAUTHORIZED {
            return Error::new(ErrorKind::Remote, format!("{} does not take this worker token", self.site))
                .with_hint("Give the one of the server's --worker-token.");
        }
        let kind = match code.and_then(named) {
            Some(kind) => kind,
            // What is in front of a server speaks for it while it is down.
            None if status.is_server_error() => ErrorKind::Network,
            None => ErrorKind::Remote,
        };
        let words = words.map_or_else(|| format!("status {}", status.as_u16()), str::to_owned);
        Error::new(kind, format!("{} answers: {words}", self.site))
    }
}

fn named(code: &str) -> Option<ErrorKind> {
    ErrorKind::ALL.into_iter().find(|kind| kind.name() == code)
}

fn is_this_machine(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(server: &str, allow_http: bool) -> Result<Connection> {
        Connection::new(&server.parse()?, Secret::new("0123456789abcdef"), allow_http)
    }

    #[test]
    fn the_token_is_not_sent_for_everybody_to_read() {
        for server in
            ["https://viseme.example", "http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]/"]
        {
            assert!(opened(server, false).is_ok(), "{server}");
        }
        for server in ["http://viseme.example", "http://10.0.0.1:8000", "http://localhost.example"] {
            assert_eq!(opened(server, false).unwrap_err().kind(), ErrorKind::InvalidInput, "{server}");
            assert!(opened(server, true).is_ok(), "{server}");
        }
    }

    #[test]
    fn a_path_in_front_stays() {
        let base = |server| opened(server, false).unwrap().base;
        assert_eq!(base("https://a.example"), "https://a.example/v1/workers");
        assert_eq!(base("https://a.example:8443/viseme/"), "https://a.example:8443/viseme/v1/workers");
    }

    #[test]
    fn nothing_shows_the_token() {
        let connection = opened("https://a.example", false).unwrap();
        assert!(!format!("{connection:?}").contains("0123456789abcdef"));
    }
}
