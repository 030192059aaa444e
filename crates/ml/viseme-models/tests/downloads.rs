//! Downloads from a server that misbehaves: the file comes whole and right, or there is no file and a clear error.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;
use std::time::{Duration, Instant};
use viseme_core::{Error, ErrorKind, Result, Silent};
use viseme_models::Digest;
use viseme_models::download::{Address, Downloaded, Patience, Wanted, download};
use viseme_testing::observers::TestObserver;
use viseme_testing::{Answer, HostileServer};

/// Short waits, so that the tests are quick.
fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(5),
        read: Duration::from_millis(300),
        retries: 3,
        pause: Duration::from_millis(1),
    }
}

fn body() -> Vec<u8> {
    (0..200_000u32).flat_map(u32::to_le_bytes).collect()
}

/// Wants the file at `path`, with its known hash and size.
fn wanted(server: &HostileServer, path: &str) -> Wanted {
    let addresses = vec![Address::new(&server.url(path), false).unwrap()];
    Wanted { addresses, sha256: Some(Digest::of(&body())), bytes: Some(body().len() as u64) }
}

fn get(wanted: &Wanted, target: &Path) -> Result<Downloaded> {
    download(wanted, target, &patience(), &Silent, &mut |_| Ok(()), &mut |_, _| {})
}

/// A server with one page, and a folder.
fn stage(answers: &[Answer]) -> (HostileServer, tempfile::TempDir) {
    let server = HostileServer::start();
    server.serve("/model.onnx", &body(), answers);
    (server, tempfile::tempdir().unwrap())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Checks that the file came whole and nothing else is left.
fn came(folder: &Path) {
    assert_eq!(std::fs::read(folder.join("model.onnx")).unwrap(), body());
    assert_eq!(names(folder), ["model.onnx"]);
}

/// Checks that there is no file, and that it is said in one line why.
fn failed(result: Result<Downloaded>, folder: &Path, kind: ErrorKind, expected: &str) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!error.to_string().contains('\n'));
    assert!(!folder.join("model.onnx").exists());
    error
}

#[test]
fn a_whole_file_comes() {
    let (server, folder) = stage(&[Answer::Whole]);
    let mut seen = Vec::new();
    let got = download(
        &wanted(&server, "/model.onnx"),
        &folder.path().join("model.onnx"),
        &patience(),
        &Silent,
        &mut |part| {
            assert_eq!(std::fs::read(part).unwrap(), body());
            Ok(())
        },
        &mut |done, total| seen.push((done, total)),
    )
    .unwrap();
    assert_eq!((got.sha256, got.bytes), (Digest::of(&body()), 800_000));
    assert_eq!(seen.last(), Some(&(800_000, Some(800_000))));
    assert!(seen.is_sorted());
    came(folder.path());
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let (server, folder) =
        stage(&[Answer::CutAfter(100_000), Answer::CutAfter(300_000), Answer::Status(503), Answer::Whole]);
    get(&wanted(&server, "/model.onnx"), &folder.path().join("model.onnx")).unwrap();
    came(folder.path());
    let from: Vec<_> = server.asked().iter().map(|asked| asked.from).collect();
    assert_eq!(from, [None, Some(100_000), Some(400_000), Some(400_000)]);
    assert!(server.asked()[1].if_range.is_some());
}

#[test]
fn a_later_call_goes_on_too() {
    let (server, folder) = stage(&[Answer::CutAfter(100_000), Answer::Status(404), Answer::Whole]);
    let target = folder.path().join("model.onnx");
    failed(get(&wanted(&server, "/model.onnx"), &target), folder.path(), ErrorKind::Remote, "404");
    assert_eq!(names(folder.path()), ["model.onnx.part", "model.onnx.part.json"]);
    get(&wanted(&server, "/model.onnx"), &target).unwrap();
    assert_eq!(server.asked().last().unwrap().from, Some(100_000));
    came(folder.path());
}

#[test]
fn a_server_that_is_cut_again_and_again_is_given_up() {
    let (server, folder) = stage(&[Answer::CutAfter(10)]);
    let target = folder.path().join("model.onnx");
    let error = failed(get(&wanted(&server, "/model.onnx"), &target), folder.path(), ErrorKind::Network, "");
    assert!(error.kind().is_retryable());
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_damaged_part_is_noticed_and_all_of_it_comes_again() {
    let (server, folder) = stage(&[Answer::Whole]);
    let target = folder.path().join("model.onnx");
    for junk in [vec![7; 1000], vec![7; 800_000], vec![7; 900_000]] {
        let _ = std::fs::remove_file(&target);
        std::fs::write(folder.path().join("model.onnx.part"), junk).unwrap();
        get(&wanted(&server, "/model.onnx"), &target).unwrap();
        came(folder.path());
    }
}

#[test]
fn a_file_that_changed_on_the_server_is_not_mixed_with_the_old_one() {
    let (server, folder) = stage(&[Answer::CutAfter(100_000), Answer::Status(404)]);
    let target = folder.path().join("model.onnx");
    // No hash is known: the tag alone tells.
    let unknown = Wanted { sha256: None, bytes: None, ..wanted(&server, "/model.onnx") };
    failed(get(&unknown, &target), folder.path(), ErrorKind::Remote, "404");
    let other = vec![9; 500_000];
    server.serve("/model.onnx", &other, &[Answer::Whole]);
    get(&unknown, &target).unwrap();
    assert_eq!(server.asked().last().unwrap().from, Some(100_000));
    assert_eq!(std::fs::read(&target).unwrap(), other);
}

#[test]
fn servers_without_ranges_or_lengths_work() {
    for answer in [Answer::WithoutRanges, Answer::WithoutLength] {
        let (server, folder) = stage(&[Answer::CutAfter(100_000), answer]);
        get(&wanted(&server, "/model.onnx"), &folder.path().join("model.onnx")).unwrap();
        came(folder.path());
    }
}

#[test]
fn a_wrong_range_starts_over() {
    let (server, folder) = stage(&[Answer::CutAfter(100_000), Answer::WrongRange, Answer::Whole]);
    get(&wanted(&server, "/model.onnx"), &folder.path().join("model.onnx")).unwrap();
    came(folder.path());
    assert_eq!(server.asked().last().unwrap().from, None);
}

#[test]
fn another_file_is_refused() {
    let target_of = |folder: &tempfile::TempDir| folder.path().join("model.onnx");
    // Right size, wrong content.
    let (server, folder) = stage(&[Answer::Whole]);
    server.serve("/model.onnx", &vec![1; 800_000], &[Answer::Whole]);
    let wrong = get(&wanted(&server, "/model.onnx"), &target_of(&folder));
    failed(wrong, folder.path(), ErrorKind::Remote, "SHA-256");
    assert_eq!(names(folder.path()), [""; 0], "nothing of a wrong file is kept");
    // Too long and too short, announced.
    for bytes in [900_000, 700_000] {
        server.serve("/model.onnx", &vec![1; bytes], &[Answer::Whole]);
        let wrong = get(&wanted(&server, "/model.onnx"), &target_of(&folder));
        failed(wrong, folder.path(), ErrorKind::Remote, "expected 800000");
    }
    // Longer than it may be, without saying so.
    server.serve("/model.onnx", &vec![1; 900_000], &[Answer::WithoutLength]);
    let wrong = get(&wanted(&server, "/model.onnx"), &target_of(&folder));
    failed(wrong, folder.path(), ErrorKind::Remote, "more than 800000");
    assert_eq!(names(folder.path()), [""; 0]);
    // Shorter than announced, without end.
    server.serve("/model.onnx", &body()[..1000], &[Answer::Announcing(800_000)]);
    let wrong = get(&wanted(&server, "/model.onnx"), &target_of(&folder));
    failed(wrong, folder.path(), ErrorKind::Network, "");
}

#[test]
fn what_the_check_refuses_gets_no_name() {
    let (server, folder) = stage(&[Answer::Whole]);
    let refused = download(
        &wanted(&server, "/model.onnx"),
        &folder.path().join("model.onnx"),
        &patience(),
        &Silent,
        &mut |_| Err(Error::invalid_input("no ONNX file")),
        &mut |_, _| {},
    );
    failed(refused, folder.path(), ErrorKind::InvalidInput, "no ONNX file");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn redirects_are_followed_within_bounds() {
    let (server, folder) = stage(&[Answer::Whole]);
    let target = folder.path().join("model.onnx");
    server.serve("/moved", b"", &[Answer::Redirect(server.url("/again"))]);
    server.serve("/again", b"", &[Answer::Redirect("/model.onnx?signed=1".to_owned())]);
    get(&wanted(&server, "/moved"), &target).unwrap();
    came(folder.path());
    std::fs::remove_file(&target).unwrap();
    server.serve("/circle", b"", &[Answer::Redirect("/circle".to_owned())]);
    failed(get(&wanted(&server, "/circle"), &target), folder.path(), ErrorKind::Remote, "more than 5 times");
    for out in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://192.0.2.1/x",
        "http://169.254.169.254/",
        "data:,x",
    ] {
        server.serve("/out", b"", &[Answer::Redirect(out.to_owned())]);
        let asked = server.asked().len();
        failed(get(&wanted(&server, "/out"), &target), folder.path(), ErrorKind::Remote, "must not");
        assert_eq!(server.asked().len(), asked + 1, "{out}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn another_address_is_tried() {
    let (server, folder) = stage(&[Answer::Whole]);
    server.serve("/gone", b"", &[Answer::Status(404)]);
    server.serve("/wrong", b"something else", &[Answer::Whole]);
    server.serve("/noise", b"", &[Answer::Noise]);
    let mut all = wanted(&server, "/gone");
    for path in ["/wrong", "/noise", "/model.onnx"] {
        all.addresses.extend(wanted(&server, path).addresses);
    }
    let got = get(&all, &folder.path().join("model.onnx")).unwrap();
    assert!(got.address.to_string().ends_with("/model.onnx"));
    came(folder.path());
}

#[test]
fn silence_and_trickles_are_given_up() {
    let stall = Answer::StallFor(Duration::from_secs(20));
    let drip = Answer::Drip(Duration::from_millis(50));
    for (answer, expected) in [(stall, "too long"), (drip, "next to nothing")] {
        let (server, folder) = stage(&[answer]);
        let started = Instant::now();
        let result = get(&wanted(&server, "/model.onnx"), &folder.path().join("model.onnx"));
        failed(result, folder.path(), ErrorKind::TimedOut, expected);
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // The port was free a moment ago.
    let address = HostileServer::start().url("/model.onnx");
    let wanted =
        Wanted { addresses: vec![Address::new(&address, false).unwrap()], sha256: None, bytes: None };
    let target = folder.path().join("model.onnx");
    failed(get(&wanted, &target), folder.path(), ErrorKind::Network, "127.0.0.1");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_cancelled_download_stops_at_once_and_can_go_on() {
    let (server, folder) = stage(&[Answer::StallFor(Duration::from_secs(20)), Answer::Whole]);
    let target = folder.path().join("model.onnx");
    let patience = Patience { read: Duration::from_secs(20), ..patience() };
    let observer = TestObserver::cancelling_after(12);
    let started = Instant::now();
    let wanted = wanted(&server, "/model.onnx");
    let result = download(&wanted, &target, &patience, &observer, &mut |_| Ok(()), &mut |_, _| {});
    failed(result, folder.path(), ErrorKind::Cancelled, "interrupted");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    get(&wanted, &target).unwrap();
    assert!(server.asked().last().unwrap().from.is_some());
    came(folder.path());
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let (server, folder) = stage(&[Answer::Whole]);
    let target = folder.path().join("nowhere").join("model.onnx");
    assert_eq!(get(&wanted(&server, "/model.onnx"), &target).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.asked().len(), 0);
}
