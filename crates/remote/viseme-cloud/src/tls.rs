//! Who a server must prove to be.

use rustls::{ClientConfig, RootCertStore, crypto};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Result};

/// TLS by `ring`, with the certificates that this machine trusts (on Linux `SSL_CERT_FILE` and `SSL_CERT_DIR` name them), or
/// Mozilla's where it has none, as in an empty container.
///
/// # Errors
/// [`ErrorKind::Internal`] when it cannot be set up.
pub fn config() -> Result<ClientConfig> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS cannot be set up").with_source(error))?;
    let builder = match Verifier::new(provider) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(_) => {
            builder.with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
        }
    };
    Ok(builder.with_no_client_auth())
}
