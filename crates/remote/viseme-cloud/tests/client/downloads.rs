//! Files that come in whole, and those that do not.

use crate::server::{Server, Step, answer, head};
use crate::{client_for, policy_for};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use viseme_cloud::{Download, NetworkPolicy, SafeClient};
use viseme_core::{ErrorKind, Result};

/// A folder with an older file at the name that is downloaded to.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.target(), "old").unwrap();
        folder
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("talk.mp4")
    }

    fn entries(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }

    /// The older file is there, and nothing else.
    fn assert_untouched(&self) {
        assert_eq!(std::fs::read(self.target()).unwrap(), b"old");
        assert_eq!(self.entries(), 1);
    }
}

/// A download of at most 1000 bytes that must fail and leave nothing.
async fn fails(script: Vec<Step>, change: impl FnOnce(&mut NetworkPolicy)) -> ErrorKind {
    let server = Server::new(vec![script]);
    let mut policy = policy_for(&server);
    change(&mut policy);
    let folder = Folder::new();
    let client = SafeClient::new(policy).unwrap();
    let error = client.download(&server.url("/a"), &folder.target(), 1000).await.unwrap_err();
    folder.assert_untouched();
    assert_eq!(server.requests().len(), 1);
    assert!(error.hint().is_some(), "{error}");
    error.kind()
}

async fn comes(script: Vec<Step>, path: &str) -> (Result<Download>, Vec<u8>) {
    let server = Server::new(vec![script]);
    let folder = Folder::new();
    let result = client_for(&server).download(&server.url(path), &folder.target(), 1000).await;
    assert_eq!(folder.entries(), 1);
    (result, std::fs::read(folder.target()).unwrap())
}

fn keep(_: &mut NetworkPolicy) {}

#[tokio::test]
async fn a_whole_file_replaces_the_older_one() {
    let (result, bytes) =
        comes(answer("200 OK", &["Content-Type: video/mp4"], "new one"), "/b/my%20talk.mp4?key").await;
    let expected =
        Download { bytes: 7, content_type: Some("video/mp4".into()), file_name: Some("my talk.mp4".into()) };
    assert_eq!((result.unwrap(), bytes.as_slice()), (expected, b"new one".as_slice()));
}

#[tokio::test]
async fn the_request_says_no_more_than_it_must() {
    let server = Server::answering("200 OK", &[], "a");
    client_for(&server).download(&server.url("/a?b=c#d"), &Folder::new().target(), 1).await.unwrap();
    let mut lines: Vec<String> =
        server.requests()[0].head.trim_end().lines().map(str::to_lowercase).collect();
    lines[1..].sort();
    let agent = concat!("user-agent: viseme/", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines, ["get /a?b=c http/1.1", "accept: */*", &format!("host: {}", server.site()), agent]);
}

#[tokio::test]
async fn a_file_as_large_as_the_limit_comes() {
    let body = "x".repeat(1000);
    let (result, bytes) = comes(answer("200 OK", &[], &body), "/").await;
    assert_eq!((result.unwrap().bytes, bytes.len()), (1000, 1000));
    // Of unknown size: in pieces, or until the connection is closed.
    let pieces = [Step::ReadHead, head("200 OK", &["Transfer-Encoding: chunked"])];
    let pieces = [&pieces[..], &[Step::Send(format!("3e8\r\n{body}\r\n0\r\n\r\n").into())]].concat();
    assert_eq!(comes(pieces, "/").await.0.unwrap().bytes, 1000);
    let open = vec![Step::ReadHead, head("200 OK", &["Connection: close"]), Step::Send(body.into())];
    assert_eq!(comes(open, "/").await.0.unwrap().bytes, 1000);
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    for fields in [&["Connection: close"][..], &["Content-Length: 1000"]] {
        let script = vec![Step::ReadHead, head("200 OK", fields), Step::SendForever];
        if fields[0].starts_with("Content") {
            // What comes after the promised length is not of the file.
            assert_eq!(comes(script, "/").await.0.unwrap().bytes, 1000);
        } else {
            assert_eq!(fails(script, keep).await, ErrorKind::LimitExceeded);
        }
    }
    let chunked = vec![
        Step::ReadHead,
        head("200 OK", &["Transfer-Encoding: chunked"]),
        Step::Send(b"ffffffff\r\n".into()),
        Step::SendForever,
    ];
    assert_eq!(fails(chunked, keep).await, ErrorKind::LimitExceeded);
}

#[tokio::test]
async fn a_file_that_says_it_is_too_large_is_refused_before_its_body() {
    // The server waits for the client to go.
    let script = vec![Step::ReadHead, head("200 OK", &["Content-Length: 1001"]), Step::Hang];
    assert_eq!(fails(script, keep).await, ErrorKind::LimitExceeded);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error() {
    let short = vec![Step::ReadHead, head("200 OK", &["Content-Length: 10"]), Step::Send(b"new".into())];
    assert_eq!(fails(short, keep).await, ErrorKind::Network);
    let chunked = vec![
        Step::ReadHead,
        head("200 OK", &["Transfer-Encoding: chunked"]),
        Step::Send(b"3\r\nnew\r\n".into()),
    ];
    assert_eq!(fails(chunked, keep).await, ErrorKind::Network);
    assert_eq!(fails(vec![Step::ReadHead], keep).await, ErrorKind::Network);
    assert_eq!(
        fails(vec![Step::ReadHead, Step::Send(b"nonsense\r\n\r\n".into())], keep).await,
        ErrorKind::Network
    );
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let impatient = |policy: &mut NetworkPolicy| {
        policy.connect_timeout = Duration::from_millis(100);
        policy.idle_timeout = Duration::from_millis(100);
    };
    let silent_body =
        vec![Step::ReadHead, head("200 OK", &["Content-Length: 10"]), Step::Send(b"new".into()), Step::Hang];
    assert_eq!(fails(silent_body, impatient).await, ErrorKind::TimedOut);
    assert_eq!(fails(vec![Step::ReadHead, Step::Hang], impatient).await, ErrorKind::TimedOut);
    // A head that comes a byte at a time.
    let slow_head = vec![Step::ReadHead, Step::Send(b"HTTP/1.1 200 OK\r\nA: ".into()), Step::Trickle];
    assert_eq!(fails(slow_head, impatient).await, ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_left() {
    let script = vec![Step::ReadHead, head("200 OK", &["Content-Length: 1000"]), Step::Trickle];
    let total = |policy: &mut NetworkPolicy| policy.total_timeout = Duration::from_millis(300);
    assert_eq!(fails(script, total).await, ErrorKind::TimedOut);
}

#[tokio::test]
async fn other_answers_are_told_apart() {
    for (status, kind) in [
        ("404 Not Found", ErrorKind::Remote),
        ("403 Forbidden", ErrorKind::Remote),
        ("416 Range Not Satisfiable", ErrorKind::Remote),
        ("204 No Content", ErrorKind::Remote),
        ("206 Partial Content", ErrorKind::Remote),
        ("304 Not Modified", ErrorKind::Remote),
        ("302 Found", ErrorKind::Remote),
        ("408 Request Timeout", ErrorKind::Network),
        ("429 Too Many Requests", ErrorKind::Network),
        ("500 Internal Server Error", ErrorKind::Network),
        ("503 Service Unavailable", ErrorKind::Network),
    ] {
        assert_eq!(fails(answer(status, &[], ""), keep).await, kind, "{status}");
    }
}

#[tokio::test]
async fn a_dropped_download_leaves_nothing() {
    let script =
        vec![Step::ReadHead, head("200 OK", &["Content-Length: 10"]), Step::Send(b"new".into()), Step::Hang];
    let server = Server::new(vec![script]);
    let folder = Folder::new();
    let (client, url, target) = (client_for(&server), server.url("/"), folder.target());
    let task = tokio::spawn(async move { client.download(&url, &target, 1000).await });
    while folder.entries() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    folder.assert_untouched();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_without_its_name() {
    let server = Server::answering("200 OK", &[], "new");
    let error =
        client_for(&server).download(&server.url("/"), Path::new("/no/such/folder/a"), 9).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!format!("{error:?}").contains("such/folder"), "{error:?}");
}
