//! Who a request comes from.

use crate::error::ApiError;
use crate::remote::messages::PATH;
use crate::service::Service;
use crate::settings::{Secret, Token};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Whose jobs a request is about: the name of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner(String);

impl Owner {
    /// Who comes without a token, where none is needed.
    pub(crate) fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Addresses that everybody may ask: they say nothing of anybody's jobs. Files are opened by signed links, which are checked
/// there.
const OPEN: [&str; 7] =
    ["/", "/health", "/health/live", "/health/ready", "/api/lip-sync/health", "/openapi.json", "/docs"];

/// Whether everybody may ask `path`.
pub(crate) fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || path.starts_with("/files/") || path.starts_with("/web/")
}

/// Lets requests in that show a token, or, where no token is needed, that come from this machine for itself.
pub(crate) async fn check(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let tokens = &service.settings.tokens;
    let path = request.uri().path();
    if is_for_workers(path) {
        return match check_worker(service.settings.worker_token.as_ref(), request.headers()) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
    }
    let is_open = is_open(path);
    let owner = if tokens.is_empty() {
        match check_local(request.headers()) {
            Ok(()) => Some(Owner::anonymous()),
            Err(error) => return error.into_response(),
        }
    } else {
        shown(request.headers()).and_then(|shown| owner(tokens, shown)).map(Owner)
    };
    match owner {
        Some(owner) => {
            request.extensions_mut().insert(owner);
        }
        None if is_open => {}
        None => return unauthorized().into_response(),
    }
    next.run(request).await
}

/// Whether an address is for workers alone.
pub(crate) fn is_for_workers(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Lets workers in, who see the jobs of everybody. Where there are none, there is no such address.
fn check_worker(token: Option<&Secret>, headers: &HeaderMap) -> Result<(), ApiError> {
    let nothing = || ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address");
    let token = token.ok_or_else(nothing)?.expose().as_bytes();
    let is_shown = shown(headers).is_some_and(|shown| bool::from(token.ct_eq(shown.as_bytes())));
    if is_shown { Ok(()) } else { Err(unauthorized()) }
}

/// What a client shows: `Authorization: Bearer …` or `X-API-Key: …`.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok())
}

/// Whose token it is. Takes the same time for all that are wrong.
fn owner(tokens: &[Token], shown: &str) -> Option<String> {
    let is_it = |token: &&Token| bool::from(token.secret.expose().as_bytes().ct_eq(shown.as_bytes()));
    // All are compared, wherever the right one stands.
    let found: Vec<&Token> = tokens.iter().filter(is_it).collect();
    found.first().map(|token| token.name.clone())
}

/// A page of another site in the browser of this machine's user can send requests here, too. They carry the name of that site
/// in `Origin`, or, with a name server that lies, in `Host`.
fn check_local(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).map(host_name);
    let origin = text(header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |(_, rest)| rest));
    if host.is_none_or(is_local) && origin.map(host_name).is_none_or(is_local) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "without a token, requests are taken from this machine alone",
    )
    .with_hint("Start the server with --token NAME=SECRET, and send the token."))
}

/// A host without its port.
fn host_name(host: &str) -> &str {
    if let Some(end) = host.strip_prefix('[').and_then(|rest| rest.find(']')) {
        return &host[1..=end];
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_local(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed, and none of ours was shown")
        .with_hint("Send it as the header Authorization: Bearer TOKEN.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_token_is_read_from_either_header_and_belongs_to_its_owner() {
        let tokens: Vec<Token> =
            ["studio=0123456789abcdef", "app=fedcba9876543210"].iter().map(|t| t.parse().unwrap()).collect();
        let whose = |name: &'static str, value: &str| {
            let headers = headers(&[(name, value)]);
            shown(&headers).and_then(|shown| owner(&tokens, shown))
        };
        assert_eq!(whose("authorization", "Bearer fedcba9876543210").as_deref(), Some("app"));
        assert_eq!(whose("authorization", "bearer 0123456789abcdef").as_deref(), Some("studio"));
        assert_eq!(whose("x-api-key", "0123456789abcdef").as_deref(), Some("studio"));
        for wrong in ["Bearer ", "Bearer 0123456789abcdeF", "Basic 0123456789abcdef", "0123456789abcdef"] {
            assert_eq!(whose("authorization", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn workers_come_in_with_their_token_and_nowhere_else() {
        let token = Secret::new("0123456789abcdef");
        let status = |token: Option<&Secret>, shown: &str| {
            let checked = check_worker(token, &headers(&[("authorization", shown)]));
            checked.map_err(|error| error.status.as_u16())
        };
        assert_eq!(status(Some(&token), "Bearer 0123456789abcdef"), Ok(()));
        assert_eq!(status(Some(&token), "Bearer 0123456789abcdeF"), Err(401));
        assert_eq!(status(Some(&token), "Bearer "), Err(401));
        assert_eq!(status(None, "Bearer 0123456789abcdef"), Err(404));
        assert!(is_for_workers("/v1/workers") && is_for_workers("/v1/workers/claim"));
        assert!(!is_for_workers("/v1/workersx") && !is_for_workers("/v1/jobs"));
    }

    #[test]
    fn pages_of_other_sites_are_kept_out() {
        for good in [
            &[("host", "127.0.0.1:8000")][..],
            &[("host", "localhost")],
            &[("host", "[::1]:8000"), ("origin", "http://localhost:5173")],
            &[],
        ] {
            assert!(check_local(&headers(good)).is_ok(), "{good:?}");
        }
        for bad in [
            &[("host", "rebound.example:8000")][..],
            &[("host", "127.0.0.1:8000"), ("origin", "https://evil.example")],
            &[("host", "127.0.0.1:8000"), ("origin", "null")],
            &[("host", "localhost.evil.example")],
        ] {
            assert!(check_local(&headers(bad)).is_err(), "{bad:?}");
        }
    }
}
