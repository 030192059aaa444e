//! Links that open a file without a token, for a while.

use crate::service::Service;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use jiff::{Timestamp, ToSpan};
use std::convert::Infallible;
use std::sync::Arc;
use viseme_jobs::ArtifactKey;

/// How long a link works, unless the file goes before.
const LINK_HOURS: i64 = 24;

/// Makes links that whoever asked can open.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    service: Arc<Service>,
    /// What the client calls this server.
    base: String,
}

impl Links {
    /// A link to a file.
    pub(crate) fn to(&self, key: &ArtifactKey) -> String {
        let path = format!("/files/{key}");
        let now = Timestamp::now();
        let expires = now.checked_add(LINK_HOURS.hours()).unwrap_or(now);
        format!("{}{path}?{}", self.base, self.service.links.query(&path, expires))
    }
}

impl FromRequestParts<Arc<Service>> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let base = match (&service.settings.public_url, host) {
            (Some(url), _) => url.as_str().trim_end_matches('/').to_owned(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => String::new(),
        };
        Ok(Self { service: Arc::clone(service), base })
    }
}
