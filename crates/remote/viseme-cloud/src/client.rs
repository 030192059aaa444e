//! The client: every request passes the policy, and goes out by the resolver that suits it.

use crate::failure;
use crate::policy::{NetworkPolicy, Reach};
use crate::resolver::{GuardedResolver, Lookup, SystemLookup};
use crate::tls;
use crate::url::RemoteUrl;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, redirect, retry};
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::time::timeout;
use viseme_core::{Error, ErrorKind, Result};

/// Fetches from and sends to addresses that clients name, within a [`NetworkPolicy`]. Clones share everything.
///
/// It sends a plain `User-Agent: viseme/VERSION` and `Accept: */*`; it keeps no cookies, uses no proxy and unpacks nothing.
/// All methods must be called within a `tokio` runtime. Dropping their futures ends the transfer.
#[derive(Debug, Clone)]
pub struct SafeClient {
    policy: Arc<NetworkPolicy>,
    /// Connects to public addresses alone.
    public: Client,
    /// Connects to wherever a name leads. For hosts that the operator admits.
    operator: Client,
}

impl SafeClient {
    /// A client that asks the operating system for the addresses of names.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when TLS cannot be set up.
    pub fn new(policy: NetworkPolicy) -> Result<Self> {
        Self::with_lookup(policy, SystemLookup)
    }

    /// A client that asks `lookup` for the addresses of names.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_lookup(policy: NetworkPolicy, lookup: impl Lookup + 'static) -> Result<Self> {
        let (tls, lookup): (_, Arc<dyn Lookup>) = (tls::config()?, Arc::new(lookup));
        let client = |reach| build(&policy, tls.clone(), GuardedResolver { lookup: lookup.clone(), reach });
        let (public, operator) = (client(Reach::Public)?, client(Reach::Operator)?);
        Ok(Self { policy: Arc::new(policy), public, operator })
    }

    /// Whether we go to `url`, as far as that can be told without sending anything: its scheme, a literal address, the hosts
    /// that the operator admits. Where a name leads is seen, and checked, when it is used.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when we do not.
    pub fn check(&self, url: &RemoteUrl) -> Result<()> {
        self.policy.admit(url).map(drop)
    }

    pub(crate) fn policy(&self) -> &NetworkPolicy {
        &self.policy
    }

    /// A request to `url`, if it may be made. There is no other way to one.
    pub(crate) fn request(&self, method: Method, url: &RemoteUrl) -> Result<RequestBuilder> {
        let client = match self.policy.admit(url)? {
            Reach::Public => &self.public,
            Reach::Operator => &self.operator,
        };
        Ok(client.request(method, url.as_url().clone()))
    }

    /// Asks for `url` and follows redirects, each of them checked like the first address.
    ///
    /// Returns the last answer, whatever its status, and where it came from.
    pub(crate) async fn get(&self, url: &RemoteUrl) -> Result<(RemoteUrl, Response)> {
        let mut here = url.clone();
        for _ in 0..=self.policy.redirects {
            let request = self.request(Method::GET, &here)?.send();
            let patience = self.policy.connect_timeout + self.policy.idle_timeout;
            let response = timeout(patience, request).await.map_err(|_| failure::timed_out(&here))?;
            let response = response.map_err(|error| failure::failed(&here, error))?;
            match redirect_of(&response) {
                Some(location) => {
                    let next = here.join(location)?;
                    tracing::debug!(from = %here, to = %next, "redirected");
                    here = next;
                }
                None => return Ok((here, response)),
            }
        }
        let most = self.policy.redirects;
        Err(Error::new(ErrorKind::Remote, format!("{} redirects more than {most} times", url.site()))
            .with_hint("Give the address that it leads to."))
    }
}

/// Where an answer sends us.
fn redirect_of(response: &Response) -> Option<&str> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(reqwest::header::LOCATION).filter(|_| is_redirect)?;
    location.to_str().ok()
}

fn build(policy: &NetworkPolicy, tls: ClientConfig, resolver: GuardedResolver) -> Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .user_agent(concat!("viseme/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]))
        .connect_timeout(policy.connect_timeout)
        // A name is looked up and checked for every request.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Internal, "the HTTP client cannot be set up").with_source(error)
        })
}
