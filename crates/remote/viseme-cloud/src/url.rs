//! An address that a client named, kept from showing its secrets.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::{Host, Url};
use viseme_core::{Error, Result};

/// Longest address. Presigned ones of the large clouds are below 2 KiB.
const MOST_BYTES: usize = 8 << 10;
/// Longest last part of a path that is shown.
const MOST_SHOWN: usize = 64;

/// An `http` or `https` address that a client named.
///
/// Whoever knows a presigned address can use it, so `Display` and `Debug` show scheme, host and port alone, and the last
/// part of the path where that looks like the name of a file: `https://cdn.example/…/talk.mp4`. A serialised one is the full
/// text, for the job must remember it.
///
/// It is well formed, no more: [`SafeClient::check`](crate::SafeClient::check) says whether we go there.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RemoteUrl(Url);

impl RemoteUrl {
    /// The whole address, secrets included. Not for messages or logs.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The host, and the port when it is not the scheme's own: `cdn.example`, `minio:9000`, `[2001:db8::1]:8443`.
    #[must_use]
    pub fn site(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The name of the file at the end of the path, as far as it is harmless: letters, digits, space and `.-_`, at most 100
    /// characters, no dot in front. `None` when there is no such name.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let name = percent_encoding::percent_decode_str(self.last_part()?).decode_utf8_lossy();
        let harmless = |c: char| if c.is_alphanumeric() || " .-_".contains(c) { c } else { '_' };
        let name: String = name.trim_start_matches('.').chars().take(100).map(harmless).collect();
        Some(name).filter(|name| name.contains(char::is_alphanumeric))
    }

    /// Where a redirect from here leads.
    pub(crate) fn join(&self, location: &str) -> Result<Self> {
        Self::new(self.0.join(location))
    }

    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    fn last_part(&self) -> Option<&str> {
        self.0.path_segments()?.next_back()
    }

    /// The text that was parsed is in no message: it may be a secret even where it is no address.
    fn new(parsed: Result<Url, url::ParseError>) -> Result<Self> {
        let mut url = parsed.map_err(|error| bad(&format!("not a web address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("not a web address: its scheme is neither http nor https"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("not a web address: it names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid_input("an address with a user name or a password in it is not used")
                .with_hint("Use a presigned address."));
        }
        url.set_fragment(None);
        if url.as_str().len() > MOST_BYTES {
            return Err(bad(&format!("a web address of more than {MOST_BYTES} bytes")));
        }
        Ok(Self(url))
    }
}

fn bad(message: &str) -> Error {
    Error::invalid_input(message).with_hint("Give a whole address: https://HOST/PATH.")
}

impl FromStr for RemoteUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(Url::parse(text))
    }
}

impl TryFrom<String> for RemoteUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<RemoteUrl> for String {
    fn from(url: RemoteUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/", self.0.scheme(), self.site())?;
        match self.0.path() {
            "" | "/" => Ok(()),
            path => {
                let is_deep = path.matches('/').count() > 1;
                match self.last_part().filter(|part| looks_like_a_file(part)) {
                    Some(name) => write!(f, "{}{name}", if is_deep { "…/" } else { "" }),
                    None => f.write_str("…"),
                }
            }
        }
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether this is `talk.mp4` and not a token: addresses of webhooks end in one.
fn looks_like_a_file(part: &str) -> bool {
    part.len() <= MOST_SHOWN
        && part.rsplit_once('.').is_some_and(|(stem, extension)| {
            !stem.is_empty()
                && (2..=5).contains(&extension.len())
                && extension.bytes().all(|c| c.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        text.parse::<RemoteUrl>().unwrap().to_string()
    }

    #[test]
    fn host_and_file_are_shown_and_nothing_else() {
        for (text, expected) in [
            (
                "https://cdn.example/a/b/talk.mp4?X-Amz-Signature=secret#secret",
                "https://cdn.example/…/talk.mp4",
            ),
            ("https://cdn.example:8443/talk.mp4", "https://cdn.example:8443/talk.mp4"),
            ("HTTPS://CDN.example:443", "https://cdn.example/"),
            ("https://hooks.example/services/T00/B00/SECRET", "https://hooks.example/…"),
            ("https://a.example/eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", "https://a.example/…"),
            ("https://a.example/secret/", "https://a.example/…"),
        ] {
            assert_eq!(shown(text), expected);
            assert_eq!(format!("{:?}", text.parse::<RemoteUrl>().unwrap()), expected);
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused_without_repeating_it() {
        for bad in [
            "",
            "secret",
            "//secret/",
            "https://",
            "https:///",
            "file:///etc/secret",
            "gopher://secret/",
            "ftp://secret/a",
            "data:,secret",
            "javascript:secret",
            "https://user:secret@host/",
            "https://secret@host/",
            "https://:secret@host/",
            "https://[secret]/",
            "https://host:secret/",
            "https://ho st/secret",
            "http://1.2.3.4.5/secret",
            "http://secret.0x1/",
        ] {
            let error = bad.parse::<RemoteUrl>().unwrap_err();
            assert_eq!(error.kind(), viseme_core::ErrorKind::InvalidInput, "{bad}");
            assert!(error.hint().is_some(), "{bad}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{bad}: {error:?}");
        }
        assert!(format!("https://a/{}", "a".repeat(MOST_BYTES)).parse::<RemoteUrl>().is_err());
        // Every quotation mark takes three bytes in the end.
        assert!(format!("https://a/{}", "\"".repeat(MOST_BYTES / 2)).parse::<RemoteUrl>().is_err());
    }

    #[test]
    fn names_of_files_are_harmless() {
        for (text, expected) in [
            ("https://a.example/b/my%20talk.mp4?c", Some("my talk.mp4")),
            ("https://a.example/..%2f..%2fetc%2fpasswd", Some("_.._etc_passwd")),
            ("https://a.example/%00%0a.mp4", Some("__.mp4")),
            ("https://a.example/.profile", Some("profile")),
            ("https://a.example/%ff/", None),
            ("https://a.example/..", None),
            ("https://a.example", None),
        ] {
            assert_eq!(text.parse::<RemoteUrl>().unwrap().file_name().as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_that_survives_or_an_error(text in r"(https?://[a-z0-9.\[\]:%]{0,20}/?)?\PC{0,80}") {
            if let Ok(url) = text.parse::<RemoteUrl>() {
                let kept = serde_json::to_string(&url).unwrap();
                prop_assert_eq!(serde_json::from_str::<RemoteUrl>(&kept).unwrap(), url);
            }
        }

        #[test]
        fn a_query_is_kept_and_never_shown(path in "[a-z/.]{0,20}", query in "Q[A-Z0-9]{8,40}", part in "[?#]") {
            let url: RemoteUrl = format!("https://host.example/{path}{part}{query}={query}&x=y").parse().unwrap();
            let shown = format!("{url} {url:?} {url:#?} {}", url.site());
            prop_assert!(!shown.contains(&query), "{}", shown);
            prop_assert_eq!(serde_json::to_string(&url).unwrap().contains(&query), part == "?");
        }
    }
}
