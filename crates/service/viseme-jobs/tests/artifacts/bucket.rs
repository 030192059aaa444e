//! What is particular to buckets.

use crate::server::{BUCKET, KEY, S3Server, SECRET};
use crate::suite::{key, local};
use std::time::Duration;
use viseme_core::ErrorKind;
use viseme_jobs::{Area, Artifacts, BucketKeys, BucketSettings};

const HOUR: Duration = Duration::from_hours(1);

fn settings(endpoint: Option<&str>, path_style: bool) -> BucketSettings {
    BucketSettings {
        endpoint: endpoint.map(str::to_owned),
        region: Some("eu-central-1".into()),
        path_style,
        prefix: "out".into(),
        keys: Some(BucketKeys::new(KEY, SECRET)),
        ..BucketSettings::new(BUCKET)
    }
}

async fn link(settings: &BucketSettings, expires: Duration) -> String {
    let key = key(Area::Jobs, "0192", "output.mp4");
    Artifacts::in_bucket(settings, None).unwrap().presigned_get(&key, expires).await.unwrap().unwrap()
}

#[tokio::test]
async fn links_name_the_bucket_in_the_path_or_in_the_host() {
    for (endpoint, path_style, start) in [
        (None, false, "https://studio.s3.eu-central-1.amazonaws.com/out/jobs/0192/output.mp4?"),
        (None, true, "https://s3.eu-central-1.amazonaws.com/studio/out/jobs/0192/output.mp4?"),
        (
            Some("https://minio.example:9000/"),
            true,
            "https://minio.example:9000/studio/out/jobs/0192/output.mp4?",
        ),
        (Some("https://objects.example"), false, "https://studio.objects.example/out/jobs/0192/output.mp4?"),
    ] {
        let link = link(&settings(endpoint, path_style), HOUR).await;
        assert!(link.starts_with(start), "{link}");
        assert!(link.contains("X-Amz-Expires=3600") && link.contains("X-Amz-Signature="), "{link}");
        assert!(link.contains("X-Amz-Credential=AKIDEXAMPLE%2F") && !link.contains(SECRET), "{link}");
    }
    let longest = link(&settings(None, false), 1000 * HOUR).await;
    assert!(longest.contains("X-Amz-Expires=604800"), "{longest}");
}

#[tokio::test]
async fn whoever_has_the_link_gets_the_file_and_nothing_else() {
    let (server, folder) = (S3Server::start().await, tempfile::tempdir().unwrap());
    let place = Artifacts::in_bucket(&server.settings(), None).unwrap();
    let key = key(Area::Jobs, "0192", "output.mp4");
    place.put_file(&key, &local(&folder, b"some"), "video/mp4").await.unwrap();
    assert!(server.folder().join("viseme/test/jobs/0192/output.mp4").is_file());
    let link = place.presigned_get(&key, HOUR).await.unwrap().unwrap();
    let answer = reqwest::get(&link).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert_eq!(answer.bytes().await.unwrap(), "some");
    let other = reqwest::get(link.replace("output", "input")).await.unwrap();
    assert_eq!(other.status(), 403);
}

#[tokio::test]
async fn wrong_keys_and_dead_servers_are_told_apart() {
    let (server, folder) = (S3Server::start().await, tempfile::tempdir().unwrap());
    let (key, file) = (key(Area::Jobs, "0192", "output.mp4"), local(&folder, b"some"));
    let wrong = BucketSettings { keys: Some(BucketKeys::new(KEY, "wrong")), ..server.settings() };
    let refused =
        Artifacts::in_bucket(&wrong, None).unwrap().put_file(&key, &file, "video/mp4").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Remote, "{refused}");
    let dead = BucketSettings { endpoint: Some("http://127.0.0.1:1".into()), ..server.settings() };
    let silent = Artifacts::in_bucket(&dead, None).unwrap().head(&key).await.unwrap_err();
    assert_eq!(silent.kind(), ErrorKind::Network, "{silent}");
    assert!(silent.kind().is_retryable() && !silent.to_string().contains("127.0.0.1"), "{silent}");
}

#[test]
fn settings_that_make_no_address_are_refused_and_never_show_the_secret() {
    for endpoint in ["minio.example", "http://minio.example", "://"] {
        let refused = Artifacts::in_bucket(&settings(Some(endpoint), true), None);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput, "{endpoint}");
    }
    let bad = BucketSettings { prefix: "a//../b".into(), ..settings(None, true) };
    assert_eq!(Artifacts::in_bucket(&bad, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    let shown = format!("{bad:?} {:?}", Artifacts::in_bucket(&settings(None, true), None));
    assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
}
