//! From a name to the addresses that a connection may go to.

use crate::address::is_public;
use crate::policy::Reach;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The addresses of a name, to come.
pub type LookupFuture = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// Looks up names: the system in earnest, a list in tests.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// All addresses of `host`, a name and not an address.
    fn lookup(&self, host: &str) -> LookupFuture;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> LookupFuture {
        let host = host.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Gives a connection the addresses that it may go to. There is no second lookup after this one: a name that turns private
/// once it was checked leads nowhere.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) reach: Reach,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, reach) = (self.lookup.lookup(name.as_str()), self.reach);
        Box::pin(async move {
            let admitted = admitted(found.await?, reach)?;
            // Port 0 stands for the port of the address that is asked.
            Ok(Box::new(admitted.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The name has addresses, and none of them is public.
#[derive(Debug)]
pub(crate) struct OnlyPrivate;

impl fmt::Display for OnlyPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no public address")
    }
}

impl std::error::Error for OnlyPrivate {}

fn admitted(
    mut found: Vec<IpAddr>,
    reach: Reach,
) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
    if found.is_empty() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    if reach == Reach::Public {
        found.retain(|&address| is_public(address));
    }
    if found.is_empty() { Err(OnlyPrivate.into()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_a_mixed_answer_the_public_addresses_are_used() {
        let mixed = addresses(&["127.0.0.1", "8.8.8.8", "::ffff:10.0.0.1", "fd00::1", "2606:4700::1"]);
        assert_eq!(admitted(mixed.clone(), Reach::Public).unwrap(), addresses(&["8.8.8.8", "2606:4700::1"]));
        assert_eq!(admitted(mixed.clone(), Reach::Operator).unwrap(), mixed);
    }

    #[test]
    fn an_answer_without_a_public_address_is_refused() {
        let error = admitted(addresses(&["127.0.0.1", "fd00::1"]), Reach::Public).unwrap_err();
        assert!(error.is::<OnlyPrivate>());
        assert!(!admitted(Vec::new(), Reach::Public).unwrap_err().is::<OnlyPrivate>());
    }
}
