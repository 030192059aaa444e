//! Files that go out, once or again.

use crate::client_for;
use crate::server::{Server, Step, answer, head};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tempfile::NamedTempFile;
use viseme_cloud::SafeClient;
use viseme_core::{Error, ErrorKind};

fn file_of(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Sends a small file, and returns how it ended and how many connections that took.
async fn put(scripts: Vec<Vec<Step>>) -> (Result<(), Error>, usize) {
    let server = Server::new(scripts);
    let file = file_of(b"a small video");
    let result = client_for(&server).put_file(&server.url("/out?key"), file.path(), "video/mp4").await;
    (result, server.requests().len())
}

/// A failure that wants another attempt at once.
fn busy(status: &str) -> Vec<Step> {
    answer(status, &["Retry-After: 0"], "")
}

#[tokio::test]
async fn the_bytes_go_out_as_they_are() {
    // More than one piece, and not a whole number of them.
    for length in [0, 1, 65_536, 1_000_003] {
        let bytes: Vec<u8> = (0..length).map(|index: u32| (index % 251) as u8).collect();
        let server = Server::answering("200 OK", &[], "");
        let file = file_of(&bytes);
        client_for(&server).put_file(&server.url("/out?key"), file.path(), "video/mp4").await.unwrap();
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].head.starts_with("PUT /out?key HTTP/1.1\r\n"));
        assert_eq!(requests[0].header("content-length"), Some(bytes.len().to_string().as_str()));
        assert_eq!(requests[0].header("content-type"), Some("video/mp4"));
        assert_eq!(requests[0].header("transfer-encoding"), None);
        assert_eq!(requests[0].head.matches("content-length").count(), 1);
        assert!(requests[0].body == bytes);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for status in ["503 Slow Down", "500 Oops", "429 Too Many Requests", "408 Request Timeout"] {
        let (result, connections) = put(vec![busy(status), answer("200 OK", &[], "")]).await;
        result.unwrap();
        assert_eq!(connections, 2, "{status}");
    }
}

#[tokio::test]
async fn the_third_failure_is_the_last() {
    let (result, connections) = put(vec![busy("503 Slow Down")]).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), connections), (ErrorKind::Network, 3));
    assert!(error.to_string().ends_with(" answers 503"), "{error}");
}

#[tokio::test]
async fn what_will_not_pass_is_tried_once() {
    for status in ["403 Forbidden", "400 Bad Request", "404 Not Found", "413 Too Large", "304 Not Modified"] {
        let (result, connections) = put(vec![busy(status)]).await;
        assert_eq!((result.unwrap_err().kind(), connections), (ErrorKind::Remote, 1), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let secret = Server::answering("200 OK", &[], "");
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        for target in [secret.url("/").as_url().as_str(), "/elsewhere"] {
            let (result, connections) =
                put(vec![answer(status, &[&format!("Location: {target}")], "")]).await;
            assert_eq!((result.unwrap_err().kind(), connections), (ErrorKind::Remote, 1));
        }
    }
    assert_eq!(secret.requests().len(), 0);
}

#[tokio::test]
async fn a_connection_that_is_cut_is_tried_again() {
    for cut in
        [vec![], vec![Step::ReadHead], vec![Step::ReadHead, Step::ReadBody, Step::Send(b"HTTP/1.1 2".into())]]
    {
        let (result, connections) = put(vec![cut, answer("204 No Content", &[], "")]).await;
        result.unwrap();
        assert_eq!(connections, 2);
    }
}

#[tokio::test]
async fn a_refusal_before_the_body_is_understood() {
    let early = vec![Step::ReadHead, head("403 Forbidden", &["Content-Length: 0"]), Step::Hang];
    let server = Server::new(vec![early]);
    let file = file_of(&vec![7; 8 << 20]);
    let error = client_for(&server).put_file(&server.url("/"), file.path(), "video/mp4").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Remote, 1));
}

#[tokio::test]
async fn a_server_that_takes_nothing_more_is_left() {
    // It neither reads the body nor goes: its buffers are full after a while.
    let server =
        Server::new(vec![vec![Step::ReadHead, Step::Send(b"HTTP/1.1 200 OK\r\nA: ".into()), Step::Trickle]]);
    let mut policy = crate::policy_for(&server);
    policy.idle_timeout = Duration::from_millis(200);
    policy.connect_timeout = Duration::from_millis(200);
    let file = file_of(&vec![7; 32 << 20]);
    let result = SafeClient::new(policy).unwrap().put_file(&server.url("/"), file.path(), "video/mp4").await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn an_upload_takes_no_longer_than_it_may() {
    // The server asks for a wait that is longer than the whole upload may take.
    let server = Server::answering("503 Slow Down", &["Retry-After: 3600"], "");
    let mut policy = crate::policy_for(&server);
    policy.total_timeout = Duration::from_millis(300);
    let file = file_of(b"a");
    let result = SafeClient::new(policy).unwrap().put_file(&server.url("/"), file.path(), "video/mp4").await;
    assert_eq!((result.unwrap_err().kind(), server.requests().len()), (ErrorKind::TimedOut, 1));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_an_error_without_its_name() {
    let server = Server::answering("200 OK", &[], "");
    let missing = Path::new("/no/such/folder/a");
    let error = client_for(&server).put_file(&server.url("/"), missing, "video/mp4").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 0));
    assert!(!format!("{error:?}").contains("such/folder"), "{error:?}");
}
