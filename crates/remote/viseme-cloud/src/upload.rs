//! One file goes out, by PUT to a presigned address.

use crate::client::SafeClient;
use crate::failure;
use crate::url::RemoteUrl;
use futures_util::TryStreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Body, Method, RequestBuilder, Response};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::io::ReaderStream;
use viseme_core::{Error, ErrorKind, Result};

/// How often a file is sent at most.
const ATTEMPTS: u32 = 3;
/// The wait before the second attempt. It doubles with each, and up to half of it is added by chance, so that many workers
/// do not come back at once.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How much of a file is read and sent at a time, in bytes.
const PIECE: usize = 64 << 10;
/// What an error of the local disk was about.
const READ: &str = "read the file to upload";

/// An attempt that failed.
struct Failure {
    error: Error,
    retry: Retry,
}

/// Whether another attempt may succeed.
enum Retry {
    Never,
    Soon,
    /// As the server asks.
    After(Duration),
}

impl SafeClient {
    /// Sends `file` to `url` by PUT, with its exact length and `content_type`. Follows no redirects.
    ///
    /// It is sent again, twice at most, when the connection fails or the answer is 408, 429 or 5xx: the same bytes at the
    /// same place change nothing. The server's `Retry-After` counts, up to 30 s.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an address where we do not go; [`ErrorKind::Network`] and [`ErrorKind::TimedOut`] when
    /// it cannot be brought there; [`ErrorKind::Remote`] when the other side does not take it; errors of reading `file`.
    pub async fn put_file(&self, url: &RemoteUrl, file: &Path, content_type: &str) -> Result<()> {
        timeout(self.policy().total_timeout, self.put_with_retries(url, file, content_type))
            .await
            .unwrap_or_else(|_| Err(failure::timed_out(url)))
    }

    async fn put_with_retries(&self, url: &RemoteUrl, file: &Path, content_type: &str) -> Result<()> {
        let mut attempt = 1;
        loop {
            let Err(Failure { error, retry }) = self.put_once(url, file, content_type).await else {
                return Ok(());
            };
            let pause = match retry {
                _ if attempt == ATTEMPTS => return Err(error),
                Retry::Never => return Err(error),
                Retry::Soon => PAUSE * 2_u32.pow(attempt - 1),
                Retry::After(pause) => pause,
            };
            let pause = pause.min(LONGEST_PAUSE).mul_f64(1.0 + fastrand::f64() / 2.0).min(LONGEST_PAUSE);
            tracing::warn!(%url, %error, attempt, pause_ms = pause.as_millis() as u64, "upload is tried again");
            sleep(pause).await;
            attempt += 1;
        }
    }

    async fn put_once(&self, url: &RemoteUrl, file: &Path, content_type: &str) -> Result<(), Failure> {
        let never = |error| Failure { error, retry: Retry::Never };
        let request = self.request(Method::PUT, url).map_err(never)?.header(CONTENT_TYPE, content_type);
        let (file, bytes) = open(file).await.map_err(|error| never(failure::local(READ, &error)))?;
        match self.send_watched(request, file, bytes).await {
            None => Err(Failure { error: failure::timed_out(url), retry: Retry::Soon }),
            Some(Ok(response)) if response.status().is_success() => Ok(()),
            Some(Ok(response)) => {
                let status = response.status();
                let retry = match retry_after(&response) {
                    _ if !failure::may_pass(status) => Retry::Never,
                    Some(pause) => Retry::After(pause),
                    None => Retry::Soon,
                };
                Err(Failure { error: failure::refused(url, status), retry })
            }
            Some(Err(error)) => {
                let error = failure::failed(url, error);
                let may_pass = matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut);
                Err(Failure { error, retry: if may_pass { Retry::Soon } else { Retry::Never } })
            }
        }
    }

    /// Sends `bytes` of `file`. `None`: nothing moved for too long.
    async fn send_watched(
        &self,
        request: RequestBuilder,
        file: File,
        bytes: u64,
    ) -> Option<Result<Response, reqwest::Error>> {
        let (moved, mut moves) = watch::channel(());
        let pieces =
            ReaderStream::with_capacity(file.take(bytes), PIECE).inspect_ok(move |_| moved.send_replace(()));
        let sent = request.header(CONTENT_LENGTH, bytes).body(Body::wrap_stream(pieces)).send();
        let mut sent = std::pin::pin!(sent);
        let mut patience = self.policy().connect_timeout + self.policy().idle_timeout;
        loop {
            let next_move = async {
                // Once all is sent, and the answer alone is awaited, nothing moves any more.
                if moves.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                answer = &mut sent => return Some(answer),
                moved = timeout(patience, next_move) => moved.ok()?,
            }
            patience = self.policy().idle_timeout;
        }
    }
}

async fn open(file: &Path) -> std::io::Result<(File, u64)> {
    let file = File::open(file).await?;
    let bytes = file.metadata().await?.len();
    Ok((file, bytes))
}

/// The wait that a server asks for, in seconds or as a date: RFC 9110, 10.2.3.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let until = || httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok();
    text.parse().map(Duration::from_secs).ok().or_else(until)
}
