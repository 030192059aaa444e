//! Servers that must prove who they are, and do not.

use crate::server::{Server, Step};
use crate::{policy_for, url};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use viseme_cloud::{NetworkPolicy, SafeClient};
use viseme_core::ErrorKind;

/// A server whose certificate nobody vouches for. Returns its port.
fn unknown_server() -> u16 {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut text = String::new();
            // The client breaks off.
            let _ = StreamOwned::new(session, connection.unwrap()).read_to_string(&mut text);
            assert_eq!(text, "", "something was said to a stranger");
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let site = format!("127.0.0.1:{}", unknown_server());
    let allowed_hosts = vec![site.parse().unwrap()];
    let client = SafeClient::new(NetworkPolicy { allowed_hosts, ..NetworkPolicy::default() }).unwrap();
    let error =
        client.post(&url(&format!("https://{site}/secret")), &[], b"secret".to_vec()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Remote, format!("{site} does not prove who it is"))
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let server = Server::new(vec![vec![Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".into()), Step::Hang]]);
    let client = SafeClient::new(policy_for(&server)).unwrap();
    let error = client.post(&url(&format!("https://{}/", server.site())), &[], Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote);
}
