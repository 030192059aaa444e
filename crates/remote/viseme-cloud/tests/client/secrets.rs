//! Nothing that the client says of an address gives it away.

use crate::server::{Server, Step, answer};
use crate::{Names, policy_for};
use proptest::prelude::*;
use std::error::Error as _;
use std::time::Duration;
use viseme_cloud::{RemoteUrl, SafeClient};
use viseme_core::{Error, Result};

/// All that can be read of an error, its causes included.
fn text_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?}", error.hint());
    let mut cause = error.source();
    while let Some(error) = cause {
        text.extend([error.to_string(), format!("{error:?}")]);
        cause = error.source();
    }
    text
}

/// What download, upload and webhook say when they fail.
async fn errors(client: &SafeClient, url: &RemoteUrl) -> Vec<Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let results: [Result<()>; 4] = [
        client.check(url),
        client.download(url, &folder.path().join("file"), 10).await.map(drop),
        client.put_file(url, file.path(), "video/mp4").await,
        client.post(url, &[], Vec::new()).await.map(drop),
    ];
    results.into_iter().filter_map(Result::err).collect()
}

fn scripts(secret: &str) -> Vec<Vec<Step>> {
    let redirect = |to: &str| answer("302 Found", &[&format!("Location: {to}/{secret}?{secret}")], "");
    vec![
        answer("404 Not Found", &[], secret),
        answer("403 Forbidden", &[], secret),
        answer("200 OK", &[], &"x".repeat(11)),
        redirect("http://169.254.169.254"),
        redirect("gopher://a"),
        redirect(&format!("https://{secret}:{secret}@a")),
        redirect(&format!("https://a:{secret}")),
        redirect(""),
    ]
}

async fn all_texts(secret: &str) -> String {
    let mut texts = String::new();
    let mut add = |errors: Vec<Error>| {
        assert!(!errors.is_empty());
        texts.extend(errors.iter().map(text_of));
    };
    for script in scripts(secret) {
        let server = Server::new(vec![script]);
        let client = SafeClient::new(policy_for(&server)).unwrap();
        add(errors(&client, &server.url(&format!("/{secret}/a.mp4?X-Signature={secret}"))).await);
    }
    let server = Server::new(vec![vec![]]);
    let mut policy = policy_for(&server);
    policy.total_timeout = Duration::from_millis(200);
    let client = SafeClient::with_lookup(policy, Names::new(&[])).unwrap();
    for site in [&server.site(), "127.0.0.1:1", "cdn.example"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{site}/{secret}?a={secret}").parse().unwrap();
            add(errors(&client, &url).await);
        }
    }
    texts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn errors_never_show_path_or_query(secret in "Q[A-Z0-9]{12,30}") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let texts = runtime.block_on(all_texts(&secret));
        prop_assert!(!texts.to_uppercase().contains(&secret), "{}", texts);
    }
}
