//! Messages that go out.

use crate::client_for;
use crate::server::{Server, Step, head};
use viseme_core::ErrorKind;

#[tokio::test]
async fn a_message_goes_out_once_with_its_header_fields() {
    for status in ["200 OK", "404 Not Found", "503 Slow Down"] {
        let server = Server::answering(status, &["Retry-After: 0"], "thanks");
        let fields = [("Content-Type", "application/json"), ("X-Viseme-Signature", "sha256=abc")];
        let answer = client_for(&server).post(&server.url("/hook?a"), &fields, b"{}".to_vec()).await.unwrap();
        assert_eq!(answer.to_string(), status[..3]);
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].head.starts_with("POST /hook?a HTTP/1.1\r\n"));
        assert_eq!(requests[0].header("content-type"), Some("application/json"));
        assert_eq!(requests[0].header("x-viseme-signature"), Some("sha256=abc"));
        assert_eq!(requests[0].header("content-length"), Some("2"));
        assert_eq!(requests[0].body, b"{}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let secret = Server::answering("200 OK", &[], "");
    let server =
        Server::answering("307 Temporary", &[&format!("Location: {}", secret.url("/").as_url())], "");
    assert_eq!(client_for(&server).post(&server.url("/"), &[], b"a".to_vec()).await.unwrap(), 307);
    assert_eq!(secret.requests().len(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_not_waited_for() {
    let endless =
        vec![Step::ReadHead, Step::ReadBody, head("200 OK", &["Connection: close"]), Step::SendForever];
    let server = Server::new(vec![endless]);
    assert_eq!(client_for(&server).post(&server.url("/"), &[], Vec::new()).await.unwrap(), 200);
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_not_tried_again() {
    let server = Server::new(vec![vec![Step::ReadHead]]);
    let error = client_for(&server).post(&server.url("/"), &[], b"a".to_vec()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Network, 1));
}

#[tokio::test]
async fn header_fields_cannot_smuggle_in_others() {
    let server = Server::answering("200 OK", &[], "");
    for field in [("X-A", "b\r\nX-C: d"), ("X-A\r\nX-C", "d"), ("X A", "b"), ("", "b")] {
        let error = client_for(&server).post(&server.url("/"), &[field], Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
    assert_eq!(server.requests().len(), 0);
}
