//! Where the client may go, and how long it waits there.

use crate::address::is_public;
use crate::url::RemoteUrl;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::Duration;
use url::Host;
use viseme_core::{Error, Result};

/// What an operator allows.
#[derive(Debug, Clone)]
pub struct NetworkPolicy {
    /// Whether plain `http` is used at all. Default no. [`Self::allowed_hosts`] may be asked over it in any case.
    pub allow_http: bool,
    /// Hosts of the operator's own, which may be private. Default none.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Most redirects that a download follows. Default 5. Uploads and webhooks follow none.
    pub redirects: u8,
    /// Longest time to find a host and to connect to it, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// Longest time in which no byte comes or goes. Default 30 s.
    pub idle_timeout: Duration,
    /// Longest time of one transfer, redirects and retries included. Default 30 min.
    pub total_timeout: Duration,
}

impl Default for NetworkPolicy {
    fn default() -> Self {
        Self {
            allow_http: false,
            allowed_hosts: Vec::new(),
            redirects: 5,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_mins(30),
        }
    }
}

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses alone.
    Public,
    /// Wherever the name leads: the operator vouches for it.
    Operator,
}

impl NetworkPolicy {
    /// Whether `url` may be asked, as far as that can be told without looking up its name.
    pub(crate) fn admit(&self, url: &RemoteUrl) -> Result<Reach> {
        if self.allowed_hosts.iter().any(|allowed| allowed.matches(url)) {
            return Ok(Reach::Operator);
        }
        if !url.is_https() && !self.allow_http {
            return Err(Error::invalid_input(format!(
                "{} is named with http, only https is used",
                url.site()
            ))
            .with_hint(
                "Use https; or the operator admits http with --allow-http, or this host with --allow-host.",
            ));
        }
        let is_private = match url.host() {
            Some(Host::Ipv4(address)) => !is_public(address.into()),
            Some(Host::Ipv6(address)) => !is_public(address.into()),
            // Names of this machine, RFC 6761. What other names lead to is seen when they are looked up.
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            None => true,
        };
        if is_private { Err(private(url)) } else { Ok(Reach::Public) }
    }
}

/// The error for an address within a network that is not public.
pub(crate) fn private(url: &RemoteUrl) -> Error {
    Error::invalid_input(format!("the address of {} is private", url.site()))
        .with_hint("Only public hosts are asked; the operator admits one of their own with --allow-host.")
}

/// A host of the operator's own storage, `HOST` or `HOST:PORT`: it may be private, and may be asked over plain `http`.
///
/// With a port, that port alone is admitted. Names are compared as they are written, without looking them up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host<String>,
    port: Option<u16>,
}

impl AllowedHost {
    fn matches(&self, url: &RemoteUrl) -> bool {
        url.host().is_some_and(|host| host == self.host)
            && self.port.is_none_or(|port| url.port() == Some(port))
    }
}

impl FromStr for AllowedHost {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::invalid_input(format!("{text:?} is no host")).with_hint(
                "Write HOST or HOST:PORT: minio:9000, 10.0.0.5, [fd00::5]:9000. There are no wildcards.",
            )
        };
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: Host::Ipv6(address), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().map_err(|_| bad())?)),
            _ => (text, None),
        };
        if host.contains('*') {
            return Err(bad());
        }
        let host = Host::parse(host).map_err(|_| bad())?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::ErrorKind;

    fn policy(hosts: &[&str]) -> NetworkPolicy {
        let allowed_hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        NetworkPolicy { allowed_hosts, ..NetworkPolicy::default() }
    }

    /// `None`: refused.
    fn reach(policy: &NetworkPolicy, url: &str) -> Option<Reach> {
        match policy.admit(&url.parse().unwrap()) {
            Ok(reach) => Some(reach),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                None
            }
        }
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        let open = NetworkPolicy { allow_http: true, ..NetworkPolicy::default() };
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://127。0。0。1/",
            "http://①②⑦.0.0.1/",
            "http://0/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "https://10.0.0.5:9000/",
            "https://[fe80::1]/",
        ] {
            assert_eq!(reach(&open, url), None, "{url}");
        }
        for url in [
            "http://8.8.8.8/",
            "https://example.com/",
            "https://example.com:8443/",
            "https://[2606:4700::1]/",
        ] {
            assert_eq!(reach(&open, url), Some(Reach::Public), "{url}");
        }
    }

    #[test]
    fn plain_http_is_refused_unless_it_is_allowed() {
        assert_eq!(reach(&policy(&[]), "http://example.com/"), None);
        assert_eq!(reach(&policy(&["example.com"]), "http://example.com/"), Some(Reach::Operator));
    }

    #[test]
    fn an_allowed_host_is_that_host_at_that_port() {
        let policy = policy(&["minio:9000", "Files.Example", "10.0.0.5", "[fd00::5]:9000", "fd00::6"]);
        for url in [
            "http://minio:9000/a",
            "https://MINIO:9000/a",
            "http://files.example:1/",
            "https://files.example/",
            "http://10.0.0.5:81/",
            "http://[fd00::5]:9000/",
            "https://[fd00:0::6]/",
        ] {
            assert_eq!(reach(&policy, url), Some(Reach::Operator), "{url}");
        }
        for url in [
            "http://minio/",
            "http://minio:9001/",
            "http://minio.:9000/",
            "http://a.files.example/",
            "http://10.0.0.6/",
            "http://files.example.evil.example/",
            "http://[fd00::5]/",
            "http://[::ffff:10.0.0.5]/",
        ] {
            assert_eq!(reach(&policy, url), None, "{url}");
        }
        // Another port of its name goes the way of every name.
        assert_eq!(reach(&policy, "https://minio/"), Some(Reach::Public));
    }

    #[test]
    fn allowed_hosts_are_read_or_refused() {
        for text in ["minio:9000", "10.0.0.5", "[fd00::5]:9000", "[fd00::5]", "files.example"] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "*",
            "*.example",
            "http://minio",
            "http://minio:9000",
            "minio:9000/a",
            "minio:",
            "minio:x",
            "minio:70000",
            ":9000",
            "a@minio",
            "minio?x",
            "[fd00::5",
            "mi nio",
        ] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }
}
