//! What Viseme sends over the network: files from and to addresses that clients name.
//!
//! [`SafeClient`] fetches videos and speech, uploads results and calls webhooks. A client that names an address could try to
//! reach through us what only we can reach: a database beside the server, the metadata service of a cloud. So the address is
//! checked before anything is sent, a name is looked up once and the connection goes to exactly the addresses that passed,
//! and every redirect is checked anew. See `docs/NETWORK.md` for what operators can admit.

mod address;
mod client;
mod download;
mod failure;
mod policy;
mod resolver;
mod tls;
mod upload;
mod url;
mod webhook;

pub use client::SafeClient;
pub use download::Download;
pub use policy::{AllowedHost, NetworkPolicy};
pub use resolver::{Lookup, LookupFuture, SystemLookup};
pub use tls::config as tls_config;
pub use url::RemoteUrl;
