//! Where a file is: which addresses may be asked, where they may lead, and how they are shown.

use std::fmt;
use ureq::http::Uri;
use viseme_core::{Error, ErrorKind, Result};

/// An address that may be asked: `https`, or `http` where that was allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    uri: Uri,
    /// Whether plain `http` to any machine is allowed, not only to this one.
    plain: bool,
}

impl Address {
    /// Reads an address. Plain `http` is for this machine only (`127.0.0.1`, `::1`, `localhost`), unless
    /// `allow_plain` says otherwise: what it brings could be changed on the way.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it is no address or none of an allowed kind.
    pub fn new(text: &str, allow_plain: bool) -> Result<Self> {
        let bad = |why: &str| Error::invalid_input(format!("'{text}' is no address to download from: {why}"));
        let uri: Uri = text.parse().map_err(|_| bad("it cannot be read"))?;
        let address = Self { uri, plain: allow_plain };
        address.allowed().map_err(bad)?;
        Ok(address)
    }

    /// Whether the scheme may be used with this host.
    fn allowed(&self) -> Result<(), &'static str> {
        let host = self.uri.host().filter(|host| !host.is_empty()).ok_or("it names no server")?;
        match self.uri.scheme_str() {
            Some("https") => Ok(()),
            Some("http") if self.plain || is_this_machine(host) => Ok(()),
            Some("http") => Err("plain http is not safe; VISEME_MODELS_ALLOW_HTTP=1 allows it"),
            _ => Err("only https is allowed"),
        }
    }

    /// The address that a redirect leads to.
    ///
    /// # Errors
    /// [`ErrorKind::Remote`] when it leads out of what is allowed: never from `https` to anything else, never to a file.
    pub(super) fn redirected(&self, location: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(ErrorKind::Remote, format!("{self} redirects to where it must not: {why}"))
        };
        let uri: Uri = self.absolute(location).parse().map_err(|_| bad("it cannot be read"))?;
        let next = Self { uri, plain: self.plain };
        next.allowed().map_err(bad)?;
        if self.uri.scheme_str() == Some("https") && next.uri.scheme_str() != Some("https") {
            return Err(bad("from https to http"));
        }
        Ok(next)
    }

    /// Resolves a reference against this address (RFC 3986, section 5.2, without `..`, which servers do not send).
    fn absolute(&self, location: &str) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let before_path = location.split(['/', '?', '#']).next().unwrap_or("");
        if before_path.contains(':') {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            let path = self.uri.path();
            let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
            format!("{scheme}://{authority}{folder}{location}")
        }
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The whole of it, for comparing a later download with this one. It may hold secrets.
    pub(super) fn key(&self) -> String {
        crate::Digest::of(self.uri.to_string().as_bytes()).to_string()
    }
}

/// Without user, password and query: the query of a signed address is a key.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let host = self.uri.host().unwrap_or_default();
        write!(f, "{scheme}://{host}")?;
        if let Some(port) = self.uri.port_u16() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.uri.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in
            ["https://example.org/a", "http://127.0.0.1:8/a", "http://localhost/a", "http://[::1]:8/a"]
        {
            assert!(Address::new(good, false).is_ok(), "{good}");
        }
        for bad in
            ["http://example.org/a", "file:///etc/passwd", "ftp://x/a", "a", "", "http://127.0.0.1.evil.org/"]
        {
            assert!(Address::new(bad, false).is_err(), "{bad}");
        }
        assert!(Address::new("http://mirror.local/a", true).is_ok());
    }

    #[test]
    fn redirects_stay_on_https() {
        let from = Address::new("https://example.org/a/b?key=secret", false).unwrap();
        for (location, expected) in [
            ("https://cdn.example.org/c", "https://cdn.example.org/c"),
            ("/c?d=e", "https://example.org/c"),
            ("c", "https://example.org/a/c"),
            ("//cdn.example.org/c", "https://cdn.example.org/c"),
        ] {
            assert_eq!(from.redirected(location).unwrap().to_string(), expected);
        }
        for bad in
            ["http://example.org/", "http://127.0.0.1/", "file:///etc/passwd", "data:,x", "javascript:x", ""]
        {
            let error = from.redirected(bad);
            assert!(error.is_err() || bad.is_empty(), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let address =
            Address::new("https://me:word@example.org:8443/a?X-Amz-Signature=secret", false).unwrap();
        assert_eq!(address.to_string(), "https://example.org:8443/a");
        assert!(!format!("{address:?}").contains("secret"));
    }
}
