//! Where the client does not go.

use crate::server::{Server, answer};
use crate::{Names, client_for, policy_for, url};
use std::path::Path;
use std::time::Duration;
use viseme_cloud::{Download, NetworkPolicy, RemoteUrl, SafeClient};
use viseme_core::{Error, ErrorKind};

/// Public by its number, and given out to nobody.
const NOBODY: &str = "2000::1";

/// Downloads into a folder, and looks that nothing is left there when it fails.
async fn download(client: &SafeClient, url: &RemoteUrl) -> Result<Download, Error> {
    let folder = tempfile::tempdir().unwrap();
    let result = client.download(url, &folder.path().join("file"), 1 << 20).await;
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, usize::from(result.is_ok()), "{result:?}");
    result
}

/// Everything that a client can make us do with an address is refused.
async fn assert_refused(client: &SafeClient, url: &RemoteUrl) {
    let errors = [
        client.check(url).unwrap_err(),
        download(client, url).await.unwrap_err(),
        client.put_file(url, Path::new("no such file"), "video/mp4").await.unwrap_err(),
        client.post(url, &[], Vec::new()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}: {error}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_however_it_is_written() {
    let server = Server::answering("200 OK", &[], "secret");
    let policy = NetworkPolicy { allow_http: true, ..NetworkPolicy::default() };
    let client = SafeClient::new(policy).unwrap();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "localhost",
        "localhost.",
        "a.LOCALHOST",
        "%6c%6f%63alhost",
    ] {
        assert_refused(&client, &url(&format!("http://{host}:{}/secret", server.port()))).await;
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn only_the_port_that_was_admitted_is_asked() {
    let (admitted, other) = (Server::answering("200 OK", &[], "a"), Server::answering("200 OK", &[], "b"));
    let client = client_for(&admitted);
    assert_eq!(download(&client, &admitted.url("/")).await.unwrap().bytes, 1);
    assert_refused(&client, &other.url("/")).await;
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn redirects_to_where_we_do_not_go_are_refused() {
    let secret = Server::answering("200 OK", &[], "secret");
    for location in [
        &format!("http://127.0.0.1:{}/", secret.port()),
        &format!("//[::ffff:127.0.0.1]:{}/", secret.port()),
        &format!("https://localhost:{}/", secret.port()),
        "http://169.254.169.254/latest/meta-data/iam/",
        "https://169.254.169.254/latest/meta-data/iam/",
        "https://[fd00:ec2::254]/",
        "http://example.com/",
        "https://user:word@example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.com/a",
        "data:,a",
        "https://",
    ] {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
            let server = Server::answering(status, &[&format!("Location: {location}")], "");
            let error = download(&client_for(&server), &server.url("/")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{location}: {error}");
        }
    }
    assert_eq!(secret.requests().len(), 0);
}

#[tokio::test]
async fn redirects_are_followed_where_we_go() {
    let target = Server::answering("200 OK", &[], "abc");
    let server = Server::new(vec![
        answer("302 Found", &["Location: ../b?c", "Set-Cookie: a=b"], ""),
        answer("307 Temporary", &[&format!("Location: {}", target.url("/x/talk.mp4").as_url())], ""),
    ]);
    let mut policy = policy_for(&server);
    policy.allowed_hosts.push(target.site().parse().unwrap());
    let got = download(&SafeClient::new(policy).unwrap(), &server.url("/a/start.bin?key")).await.unwrap();
    assert_eq!((got.bytes, got.file_name.as_deref()), (3, Some("talk.mp4")));
    assert!(server.requests()[1].head.starts_with("GET /b?c HTTP/1.1\r\n"));
    for request in [&server.requests()[1], &target.requests()[0]] {
        assert_eq!((request.header("cookie"), request.header("referer")), (None, None));
    }
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let server = Server::answering("302 Found", &["Location: /again"], "");
    let error = download(&client_for(&server), &server.url("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote);
    assert_eq!(server.requests().len(), 6);
}

fn open_policy() -> NetworkPolicy {
    // Where a machine has IPv6, nobody answers.
    let connect_timeout = Duration::from_millis(300);
    NetworkPolicy { allow_http: true, connect_timeout, ..NetworkPolicy::default() }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_alone_is_refused() {
    let server = Server::answering("200 OK", &[], "secret");
    let names = Names::new(&[&["127.0.0.1", "::1"]]);
    let client = SafeClient::with_lookup(open_policy(), names.clone()).unwrap();
    let url = url(&format!("http://cdn.example:{}/a?b", server.port()));
    client.check(&url).unwrap();
    let error = download(&client, &url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), format!("the address of {} is private", url.site()));
    assert_eq!(names.asked(), ["cdn.example"]);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_name_that_turns_private_after_the_check_is_not_looked_up_again() {
    let server = Server::answering("200 OK", &[], "secret");
    let names = Names::new(&[&[NOBODY], &["127.0.0.1"]]);
    let client = SafeClient::with_lookup(open_policy(), names.clone()).unwrap();
    let url = url(&format!("http://cdn.example:{}/", server.port()));
    let error = download(&client, &url).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut), "{error:?}");
    assert_eq!(names.asked().len(), 1);
    // The next request looks anew, and what it finds is checked.
    assert_eq!(download(&client, &url).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(names.asked().len(), 2);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn every_attempt_of_an_upload_checks_where_the_name_leads() {
    let server = Server::answering("200 OK", &[], "");
    let names = Names::new(&[&[NOBODY], &["127.0.0.1"]]);
    let client = SafeClient::with_lookup(open_policy(), names.clone()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = url(&format!("http://cdn.example:{}/", server.port()));
    let error = client.put_file(&url, file.path(), "video/mp4").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!((names.asked().len(), server.requests().len()), (2, 0));
}

#[tokio::test]
async fn of_a_mixed_answer_the_private_addresses_are_not_used() {
    let server = Server::answering("200 OK", &[], "secret");
    let names = Names::new(&[&["127.0.0.1", NOBODY, "::ffff:127.0.0.1"]]);
    let client = SafeClient::with_lookup(open_policy(), names).unwrap();
    let error = download(&client, &url(&format!("http://cdn.example:{}/", server.port()))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut), "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_name_of_the_operator_may_lead_to_a_private_address() {
    let server = Server::answering("200 OK", &[], "abc");
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.1"]]);
    let allowed_hosts = vec![format!("minio:{}", server.port()).parse().unwrap()];
    let policy = NetworkPolicy { allowed_hosts, ..open_policy() };
    let client = SafeClient::with_lookup(policy, names.clone()).unwrap();
    let address = url(&format!("http://minio:{}/", server.port()));
    assert_eq!(download(&client, &address).await.unwrap().bytes, 3);
    assert_eq!(names.asked(), ["minio"]);
    assert_eq!(server.requests()[0].header("host"), Some(address.site().as_str()));
    // Another port of the same name is one of the outside world.
    let error = download(&client, &url("http://minio:1/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_name_without_addresses_is_not_found() {
    let client = SafeClient::with_lookup(open_policy(), Names::new(&[])).unwrap();
    let error = download(&client, &url("https://cdn.example/")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Network, "cdn.example cannot be found")
    );
}
