//! A small message goes out, by POST.

use crate::client::SafeClient;
use crate::failure;
use crate::url::RemoteUrl;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use std::time::Duration;
use tokio::time::timeout;
use viseme_core::{Error, Result};

/// Longest time for one message, from the lookup of the host to its answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl SafeClient {
    /// Posts `body` to `url` and returns the status of the answer, whatever it is; its body is not read. Follows no
    /// redirects, tries once, takes 10 s at most.
    ///
    /// `headers` are sent as they are, `Content-Type` among them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](viseme_core::ErrorKind::InvalidInput) for an address where we do not go;
    /// [`ErrorKind::Network`](viseme_core::ErrorKind::Network) and [`ErrorKind::TimedOut`](viseme_core::ErrorKind::TimedOut)
    /// when there is no answer; [`ErrorKind::Internal`](viseme_core::ErrorKind::Internal) for a header that is none.
    pub async fn post(&self, url: &RemoteUrl, headers: &[(&str, &str)], body: Vec<u8>) -> Result<u16> {
        let mut request = self.request(Method::POST, url)?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Error::internal("a header of a webhook is not well formed"));
            };
            request = request.header(name, value);
        }
        let answer =
            timeout(PATIENCE, request.body(body).send()).await.map_err(|_| failure::timed_out(url))?;
        let status = answer.map_err(|error| failure::failed(url, error))?.status().as_u16();
        tracing::debug!(%url, status, "webhook answered");
        Ok(status)
    }
}
