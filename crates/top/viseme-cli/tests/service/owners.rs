//! Nobody comes in without a token, and nobody sees what is another's.

use crate::harness::{Caller, Form, Server, golden, redacted};
use insta::assert_json_snapshot;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use viseme_jobs::LinkSigner;
use viseme_testing::clips;

const STUDIO: &str = "0123456789abcdef";
const APP: &str = "fedcba9876543210";

/// A server with two clients.
fn start(arguments: &[&str]) -> (Server, Caller, Caller) {
    let tokens = [format!("studio={STUDIO}"), format!("app={APP}")];
    let tokens = tokens.iter().flat_map(|token| ["--token", token.as_str()]);
    let server = Server::start(&tokens.chain(arguments.iter().copied()).collect::<Vec<_>>());
    let (studio, app) = (server.with_token(STUDIO), server.with_token(APP));
    (server, studio, app)
}

#[test]
fn a_job_and_its_files_are_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let (server, studio, app) = start(&[]);
    let generate = |who: &Caller| {
        who.with_header("idempotency-key", "same")
            .post_form("/api/lip-sync/generate", Form::of(&clip, &audio))
    };
    let id = generate(&studio).with_status(200).text("job_id");
    for (method, path) in [
        ("GET", format!("/v1/jobs/{id}")),
        ("GET", format!("/v1/jobs/{id}/result")),
        ("GET", format!("/v1/jobs/{id}/events")),
        ("POST", format!("/v1/jobs/{id}/cancel")),
        ("POST", format!("/v1/jobs/{id}/retry")),
        ("DELETE", format!("/v1/jobs/{id}")),
        ("GET", format!("/api/lip-sync/status/{id}")),
        ("GET", format!("/api/lip-sync/download/{id}")),
        ("DELETE", format!("/api/lip-sync/cleanup/{id}")),
    ] {
        let body = (method == "POST").then_some(("application/json", Vec::new()));
        assert_eq!(app.send(method, &path, body.clone()).status, 404, "{method} {path}");
        assert_eq!(server.send(method, &path, body).status, 401, "{method} {path}");
    }
    for list in ["/v1/jobs", "/api/lip-sync/jobs"] {
        assert_eq!(app.get(list).with_status(200).json()["total"], 0);
        assert_eq!(studio.get(list).with_status(200).json()["total"], 1);
    }
    // The same files and the same key of somebody else are another job.
    assert_ne!(generate(&app).with_status(200).text("job_id"), id);
    studio.get(&format!("/api/lip-sync/download/{id}")).with_status(200);
}

#[test]
fn pictures_of_one_name_are_two_for_two_owners() {
    let folder = tempfile::tempdir().unwrap();
    let picture = |name: &str| std::fs::read(clips::still(folder.path(), name, 64, 64)).unwrap();
    let (png, jpeg) = (picture("a.png"), picture("a.jpg"));
    let (server, studio, app) = start(&["--workers", "0"]);
    studio.put("/v1/images/poster", "image/png", &png).with_status(201);
    app.get("/v1/images/poster").with_status(404);
    assert_eq!(app.get("/v1/images").json()["total"], 0);
    let speak = json!({ "imageId": "poster", "text": "Hello." });
    app.post("/api/lipsync/generate-talking-photo", &speak).with_status(404);
    app.put("/v1/images/poster", "image/jpeg", &jpeg).with_status(201);
    assert_eq!(studio.get("/v1/images/poster").body, png);
    app.delete("/v1/images/poster").with_status(204);
    assert_eq!(studio.get("/v1/images/poster").with_status(200).body, png);
    server.get("/v1/images/poster").with_status(401);
}

#[test]
fn nothing_but_how_it_is_is_open() {
    let (server, studio, _) = start(&["--workers", "0"]);
    let open =
        ["/", "/health", "/health/live", "/health/ready", "/api/lip-sync/health", "/openapi.json", "/docs"];
    let endpoints: Vec<String> = serde_json::from_value(studio.get("/").json()["endpoints"].clone()).unwrap();
    assert!(endpoints.len() > 20, "{endpoints:?}");
    for endpoint in endpoints {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let path = path.replace(['{', '}'], "");
        let body = (method != "GET" && method != "DELETE").then_some(("application/json", b"{}".to_vec()));
        let status = server.send(method, &path, body).status;
        let is_open = open.contains(&path.as_str());
        // Links are checked by their signature: without one they are not understood.
        let expected = if is_open {
            200
        } else if path.starts_with("/files/") {
            400
        } else {
            401
        };
        assert_eq!(status, expected, "{endpoint}");
    }
    let wrong = server.with_token("0123456789abcdeF");
    assert_json_snapshot!("wrong_token", redacted(&wrong.get("/v1/jobs").with_status(401).json()));
    assert_json_snapshot!(
        "wrong_token_uploads",
        redacted(&wrong.get("/api/lip-sync/jobs").with_status(401).json())
    );
    server.with_header("x-api-key", STUDIO).get("/v1/jobs").with_status(200);
    server.with_header("authorization", &format!("Basic {STUDIO}")).get("/v1/jobs").with_status(401);
}

#[test]
fn a_link_opens_one_file_for_some_time() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let (server, studio, _) = start(&[]);
    let id = studio.post_form("/lipsync", Form::of(&clip, &audio)).with_status(202).text("task_id");
    let job = studio.completed(&id);
    let link = job["result"]["video_url"].as_str().unwrap();
    let whole = server.get(link).with_status(200);
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(&whole.body[4..8], b"ftyp");
    let moov = whole.body.windows(4).position(|bytes| bytes == b"moov").unwrap();
    let mdat = whole.body.windows(4).position(|bytes| bytes == b"mdat").unwrap();
    assert!(moov < mdat, "it can be played before it has arrived");
    let part = server.with_header("range", "bytes=-10").get(link);
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[whole.body.len() - 10..]));
    let (path, query) = link.split_once('?').unwrap();
    let last = if query.ends_with('0') { "1" } else { "0" };
    let altered = [
        format!("{path}?{}{last}", &query[..query.len() - 1]),
        format!("{path}?{}", query.replace("expires=1", "expires=2")),
        format!("{}?{query}", path.replace("output.mp4", "video")),
        format!("{}?{query}", path.replace(&id, "0192f0c1-7b3a-7000-8000-000000000000")),
    ];
    for link in altered {
        assert_eq!(server.get(&link).status, 403, "{link}");
    }
    let key = std::fs::read(server.data().join("link.key")).unwrap();
    let route = format!("/files/jobs/{id}/output.mp4");
    let at = |time: Timestamp| format!("{route}?{}", LinkSigner::new(&key).unwrap().query(&route, time));
    let now = Timestamp::now();
    server.get(&at(now + 1.hour())).with_status(200);
    let expired = server.get(&at(now - 1.second())).with_status(403);
    assert_json_snapshot!("expired_link", redacted(&expired.json()));
    studio.delete(&format!("/v1/jobs/{id}")).with_status(204);
    assert_eq!(server.get(link).status, 404);
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("web");
    std::fs::create_dir(&web).unwrap();
    std::fs::write(web.join("index.html"), "<p>page</p>").unwrap();
    std::fs::write(web.join("app.js"), "1").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let server = Server::start(&["--workers", "0", "--web", web.to_str().unwrap()]);
    assert_eq!(server.get("/web/app.js").with_status(200).body, b"1");
    let page = server.with_header("accept", "text/html").get("/").with_status(200);
    assert_eq!(page.body, b"<p>page</p>");
    for path in [
        "/web/../secret.txt",
        "/web/..%2fsecret.txt",
        "/web/%2e%2e/secret.txt",
        "/web/..%5csecret.txt",
        "/web//etc/passwd",
        "/files/jobs/../../link.key?expires=9999999999&signature=0",
        "/files/jobs/..%2f..%2flink.key/x?expires=9999999999&signature=0",
        "/v1/jobs/..%2f..%2fetc",
        "/v1/images/..%2f..%2flink.key",
        "/api/lip-sync/download/..%2f..%2flink.key",
        "/api/lip-sync/status/%00",
    ] {
        let status = server
            .raw(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes());
        assert!([400, 403, 404].contains(&status), "{path}: {status}");
    }
}

#[test]
fn pages_of_other_sites_are_kept_out_where_there_are_no_tokens() {
    let server = Server::start(&["--workers", "0"]);
    let with = |name: &str, value: &str| server.with_header(name, value).get("/v1/jobs").status;
    assert_eq!(with("origin", "https://evil.example"), 403);
    assert_eq!(with("origin", "http://localhost:5173"), 200);
    let rebound = b"GET /v1/jobs HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    assert_eq!(server.raw(rebound), 403);
}
