//! `viseme models`: the real binary against a server that misbehaves.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod common;

use common::{Said, names, run, said, viseme};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use viseme_models::Digest;
use viseme_testing::{Answer, HostileServer};

/// A small ONNX file: one of our own nets.
const NET: &[u8] = include_bytes!("../../../ml/viseme-face/nets/landmarks.onnx");

/// A server, a folder, and a manifest of our own in it.
struct Stage {
    server: HostileServer,
    folder: tempfile::TempDir,
}

impl Stage {
    /// `example`: one file of known hash, not for commercial use. `unknown`: an ONNX file of unknown hash. `pair`: two
    /// files.
    fn new(answers: &[Answer]) -> Self {
        let stage = Self { server: HostileServer::start(), folder: tempfile::tempdir().unwrap() };
        stage.server.serve("/example.onnx", &body(), answers);
        stage.server.serve("/unknown.onnx", NET, answers);
        let model = |id: &str, commercial: &str| {
            format!(
                "[[model]]\nid = '{id}'\npurpose = 'Shows'\nused_by = 'tests'\nlicence = 'For tests alone'\n\
                 commercial_use = '{commercial}'\nsource = 'https://example.org'\n[[model.form]]\nname = 'onnx'\n"
            )
        };
        let file = |name: &str, known: bool| {
            let (hash, bytes, evidence) = if known {
                (Digest::of(&body()).to_string(), body().len().to_string(), "measured")
            } else {
                ("unknown".to_owned(), "'unknown'".to_owned(), "none")
            };
            format!(
                "[[model.form.file]]\nname = '{name}'\nurls = ['{}']\nsha256 = '{hash}'\nbytes = {bytes}\n\
                 evidence = '{evidence}'\n[[model.form.file.graph]]\npart = '{name}'\n",
                stage.server.url(&format!("/{name}"))
            )
        };
        let manifest = [
            model("example", "no") + &file("example.onnx", true),
            model("unknown", "yes") + &file("unknown.onnx", false),
            model("pair", "yes") + &file("example.onnx", true) + &file("second.onnx", true),
        ];
        std::fs::write(stage.path("own.toml"), manifest.concat()).unwrap();
        stage
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = viseme(self.folder.path());
        command.arg("models").args(arguments);
        command.env("MODELS_DIR", self.path("store")).env("VISEME_MODELS_MANIFEST", self.path("own.toml"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs and expects success.
    fn works(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
        said.stdout
    }

    /// Runs, expects this exit code and one clear error, and gives what was said.
    fn fails(&self, arguments: &[&str], code: i32) -> String {
        let Said { code: actual, stdout, stderr } = self.run(arguments);
        assert_eq!(actual, Some(code), "{arguments:?}: {stderr}");
        assert_eq!(stdout, "");
        assert_eq!(stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        stderr
    }

    /// What lies in the folder of the model.
    fn files(&self, id: &str) -> Vec<String> {
        let folder = self.path("store").join(id);
        if folder.is_dir() { names(&folder) } else { Vec::new() }
    }

    /// Starts the binary and lets it run.
    fn spawn(&self, arguments: &[&str]) -> std::process::Child {
        #[expect(clippy::disallowed_methods, reason = "assert_cmd cannot signal a running child")]
        std::process::Command::new(assert_cmd::cargo::cargo_bin!("viseme"))
            .arg("models")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MODELS_DIR", self.path("store"))
            .env("VISEME_MODELS_MANIFEST", self.path("own.toml"))
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until some of the file has come, but not all.
    fn wait_for_part(&self, id: &str, name: &str) {
        let part = self.path("store").join(id).join(format!("{name}.part"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while part.metadata().map_or(0, |found| found.len()) < 10_000 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn body() -> Vec<u8> {
    (0..500_000u32).flat_map(u32::to_le_bytes).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_list_the_info_and_the_help_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let clean = |arguments: &[&str]| {
        let output = viseme(folder.path()).args(arguments).env("MODELS_DIR", "/models").output().unwrap();
        assert_eq!(said(&output).code, Some(0));
        said(&output).stdout
    };
    insta::assert_snapshot!("models_list", clean(&["models", "list"]));
    insta::assert_snapshot!("models_info", clean(&["models", "info", "wav2lip_gan"]));
    insta::assert_snapshot!("help_models", clean(&["models", "--help"]));
    insta::assert_snapshot!("help_models_pull", clean(&["models", "pull", "--help"]));
    let list = json(&clean(&["models", "list", "--json"]));
    let syncnet = list.as_array().unwrap().iter().find(|model| model["id"] == "syncnet_v2").unwrap();
    assert_eq!((&syncnet["state"], &syncnet["commercial_use"]), (&Value::from("missing"), &"unclear".into()));
    let info = json(&clean(&["models", "info", "wav2lip_gan", "--json"]));
    assert_eq!(info["form"][0]["file"][0]["bytes"], 435_801_865);
    assert_eq!(info["form"][1]["file"][0]["sha256"], "unknown");
    assert_eq!(clean(&["models", "path", "yunet"]), "/models/yunet\n");
}

#[test]
fn a_model_is_pulled_found_verified_and_removed() {
    let stage = Stage::new(&[Answer::Whole]);
    let said = stage.run(&["pull", "example", "--accept-license"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""));
    assert!(said.stderr.contains("example is installed: 2.00 MB"), "{}", said.stderr);
    assert_eq!(stage.files("example"), ["example.onnx", "installed.json"]);
    let again = stage.run(&["pull", "example"]);
    assert!(
        again.stderr.contains("installed already"),
        "no licence is asked for what is here: {}",
        again.stderr
    );
    assert_eq!(stage.server.asked().len(), 1);
    let folder = stage.works(&["path", "example"]);
    let file = Path::new(folder.trim()).join("example.onnx");
    assert_eq!(std::fs::read(&file).unwrap(), body());
    let list = json(&stage.works(&["list", "--json"]));
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "example" && model["state"] == "installed")
    );
    let checks = json(&stage.works(&["verify", "--json"]));
    assert_eq!((checks.as_array().unwrap().len(), &checks[0]["ok"]), (1, &Value::Bool(true)));

    let mut damaged = body();
    damaged[1_000_000] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let said = stage.run(&["verify"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stdout.contains("✖ example/example.onnx has changed"), "{}", said.stdout);
    assert!(said.stderr.contains("viseme models rm example"), "{}", said.stderr);
    std::fs::remove_file(&file).unwrap();
    assert!(stage.run(&["verify", "example"]).stdout.contains("is gone"));

    let removed = json(&stage.works(&["rm", "example", "pair", "--json"]));
    assert_eq!((&removed[0]["id"], &removed[1]["bytes"]), (&Value::from("example"), &Value::Null));
    assert_eq!(stage.files("example"), [""; 0]);
}

#[test]
fn licences_are_shown_before_anything_is_asked() {
    let stage = Stage::new(&[Answer::Whole]);
    let refused = stage.fails(&["pull", "example"], 1);
    assert!(refused.contains("not free for commercial use: For tests alone"), "{refused}");
    assert!(refused.contains("viseme models pull example --accept-license"), "{refused}");
    assert_eq!(stage.server.asked().len(), 0);
}

#[test]
fn mistakes_are_the_users() {
    let stage = Stage::new(&[Answer::Whole]);
    assert!(stage.fails(&["pull", "wav3lip"], 1).contains("viseme models list"));
    assert!(stage.fails(&["info", "wav3lip"], 1).contains("no model named 'wav3lip'"));
    assert!(
        stage.fails(&["pull", "example", "--form", "pth", "--accept-license"], 1).contains("comes as: onnx")
    );
    assert!(stage.fails(&["pull", "rife_4_26"], 1).contains("viseme models import rife_4_26"));
    assert!(stage.fails(&["import", "nowhere.onnx"], 1).contains("nowhere.onnx is no file"));
    std::fs::write(stage.path("own.toml"), "[[model]]\nid = 'x'").unwrap();
    assert!(stage.fails(&["list"], 1).contains("own.toml"));
}

#[test]
fn another_file_never_gets_the_name() {
    for (answers, expected) in [
        (vec![Answer::Announcing(3_000_000)], "expected 2000000"),
        (vec![Answer::Status(404)], "404"),
        (vec![Answer::Redirect("file:///etc/passwd".to_owned())], "must not"),
        (vec![Answer::CutAfter(5000), Answer::Status(410)], "410"),
    ] {
        let stage = Stage::new(&answers);
        let error = stage.fails(&["pull", "example", "--accept-license"], 2);
        assert!(error.contains(expected), "{error}");
        assert!(!stage.path("store/example/example.onnx").exists());
    }
    let stage = Stage::new(&[Answer::Whole]);
    stage.server.serve("/example.onnx", &vec![0; 2_000_000], &[Answer::Whole]);
    assert!(stage.fails(&["pull", "example", "--accept-license"], 2).contains("SHA-256"));
    assert_eq!(stage.files("example"), [""; 0]);
}

#[test]
fn a_model_of_several_files_goes_on_with_the_missing_one() {
    let stage = Stage::new(&[Answer::Whole]);
    assert!(stage.fails(&["pull", "pair"], 2).contains("second.onnx"));
    assert_eq!(stage.files("pair"), ["example.onnx", "installed.json"]);
    let info = json(&stage.works(&["info", "pair", "--json"]));
    assert_eq!(
        (&info["status"]["state"], &info["status"]["missing"][0]),
        (&Value::from("partial"), &"second.onnx".into())
    );
    stage.server.serve("/second.onnx", &body(), &[Answer::Whole]);
    let pulled = json(&stage.works(&["pull", "pair", "--json"]));
    assert_eq!(pulled[0]["files"].as_array().unwrap().len(), 1);
    let asked = stage.server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/example.onnx").count(), 1);
}

#[test]
fn a_file_of_unknown_hash_needs_trust_once_and_must_stay_the_same() {
    let stage = Stage::new(&[Answer::Whole]);
    let refused = stage.fails(&["pull", "unknown"], 1);
    assert!(refused.contains("--trust-first-download"), "{refused}");
    // What is no ONNX file is not trusted.
    stage.server.serve("/unknown.onnx", b"<html>please log in</html>", &[Answer::Whole]);
    assert!(stage.fails(&["pull", "unknown", "--trust-first-download"], 2).contains("no ONNX file"));
    assert_eq!(stage.files("unknown"), [""; 0]);
    stage.server.serve("/unknown.onnx", NET, &[Answer::Whole]);
    stage.works(&["pull", "unknown", "--trust-first-download"]);
    // The noted hash outlives the file.
    stage.works(&["rm", "unknown"]);
    stage.works(&["pull", "unknown"]);
    stage.works(&["rm", "unknown"]);
    let mut changed = NET.to_vec();
    changed[NET.len() / 2] ^= 1;
    stage.server.serve("/unknown.onnx", &changed, &[Answer::Whole]);
    assert!(stage.fails(&["pull", "unknown", "--trust-first-download"], 2).contains("SHA-256"));
}

#[test]
fn a_mirror_is_asked_in_place_of_the_public_addresses() {
    let stage = Stage::new(&[Answer::Status(500)]);
    stage.server.serve("/mirror/example/example.onnx", &body(), &[Answer::Whole]);
    let pull = |mirror: &str| {
        let mut command = stage.command(&["pull", "example", "--accept-license"]);
        said(&command.env("VISEME_MODELS_MIRROR", mirror).output().unwrap())
    };
    let plain = pull("http://mirror.example.org/models");
    assert_eq!(plain.code, Some(1));
    assert!(plain.stderr.contains("VISEME_MODELS_ALLOW_HTTP=1"), "{}", plain.stderr);
    assert_eq!(pull(&stage.server.url("/mirror/")).code, Some(0));
    assert_eq!(stage.server.asked().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_killed_pull_leaves_no_bad_file_and_is_resumed() {
    let stage = Stage::new(&[Answer::Slowly(Duration::from_millis(100)), Answer::Whole]);
    let mut child = stage.spawn(&["pull", "example", "--accept-license"]);
    stage.wait_for_part("example", "example.onnx");
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(stage.files("example"), ["example.onnx.part", "example.onnx.part.json"]);
    stage.works(&["pull", "example", "--accept-license"]);
    assert!(stage.server.asked()[1].from.is_some_and(|from| from >= 10_000));
    assert_eq!(stage.files("example"), ["example.onnx", "installed.json"]);
    assert_eq!(std::fs::read(stage.path("store/example/example.onnx")).unwrap(), body());
}

#[cfg(unix)]
#[test]
fn an_interrupted_pull_exits_with_130_and_is_resumed() {
    let stage = Stage::new(&[Answer::StallFor(Duration::from_mins(1)), Answer::Whole]);
    let mut child = stage.spawn(&["pull", "example", "--accept-license"]);
    stage.wait_for_part("example", "example.onnx");
    let pid = rustix::process::Pid::from_child(&child);
    let asked = Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(10), "the server is silent for a minute");
    stage.works(&["pull", "example", "--accept-license"]);
    assert!(stage.server.asked()[1].from.is_some());
}

#[test]
fn two_pulls_at_once_download_once() {
    let stage = Stage::new(&[Answer::Slowly(Duration::from_millis(20))]);
    let pulls: Vec<_> = (0..2).map(|_| stage.spawn(&["pull", "example", "--accept-license"])).collect();
    let said: Vec<_> = pulls.into_iter().map(|pull| said(&pull.wait_with_output().unwrap())).collect();
    assert!(said.iter().all(|said| said.code == Some(0)), "{said:?}");
    assert!(said.iter().any(|said| said.stderr.contains("waiting for another process")), "{said:?}");
    assert_eq!(stage.server.asked().len(), 1);
    assert_eq!(stage.files("example"), ["example.onnx", "installed.json"]);
}

#[test]
fn a_full_disk_is_said_and_nothing_is_left() {
    let stage = Stage::new(&[Answer::Whole]);
    std::fs::create_dir(stage.path("store")).unwrap();
    // A file system of 1 MB of its own, which only this run sees.
    let script = "mount -t tmpfs -o size=1000k tmpfs store || exit 77; \"$0\" models pull example --accept-license; \
        code=$?; echo left: $(ls -A store/example) >&2; exit $code";
    let output = assert_cmd::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(assert_cmd::cargo::cargo_bin!("viseme"))
        .current_dir(stage.folder.path())
        .env("MODELS_DIR", stage.path("store"))
        .env("VISEME_MODELS_MANIFEST", stage.path("own.toml"))
        .output();
    let said = match output {
        Ok(output) => said(&output),
        Err(error) => return viseme_testing::skipped(&format!("a full disk: unshare does not run: {error}")),
    };
    if said.code != Some(2) && (said.stderr.contains("unshare") || said.code == Some(77)) {
        return viseme_testing::skipped(&format!("a full disk: cannot mount here: {}", said.stderr.trim()));
    }
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("No space left") && said.stderr.contains("MODELS_DIR"), "{}", said.stderr);
    assert!(said.stderr.lines().any(|line| line == "left:"), "{}", said.stderr);
}

#[test]
fn a_file_that_is_here_is_imported() {
    let stage = Stage::new(&[Answer::Whole]);
    std::fs::write(stage.path("mine.onnx"), body()).unwrap();
    // The hash says what it is, whatever it is called or said to be.
    let imported = json(&stage.works(&["import", "mine.onnx", "--json"]));
    assert_eq!(
        (&imported["id"], &imported["files"][0]["origin"]["checked"]),
        (&"example".into(), &"manifest".into())
    );
    stage.works(&["rm", "example"]);
    let other = stage.run(&["import", "unknown", "mine.onnx"]);
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert!(other.stderr.contains("it is installed as example"), "{}", other.stderr);

    std::fs::write(stage.path("net.onnx"), NET).unwrap();
    assert!(stage.fails(&["import", "net.onnx"], 1).contains("viseme models import ID FILE"));
    let taken = stage.run(&["import", "unknown", "net.onnx"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    assert!(taken.stderr.contains("could not be checked"), "{}", taken.stderr);
    assert_eq!(std::fs::read(stage.path("store/unknown/unknown.onnx")).unwrap(), NET);
    std::fs::write(stage.path("cut.onnx"), &NET[..NET.len() / 2]).unwrap();
    stage.works(&["rm", "unknown"]);
    assert!(stage.fails(&["import", "unknown", "cut.onnx"], 1).contains("cut.onnx is no ONNX file"));
    // Our landmark net is no face detector: its tensors have other names.
    assert!(stage.fails(&["import", "scrfd_2_5g", "net.onnx"], 1).contains("expected input.1"));
    assert!(
        stage.files("scrfd_2_5g").is_empty()
            || stage.files("scrfd_2_5g").iter().all(|name| !name.contains("onnx"))
    );
}

#[test]
fn real_models_are_known_by_their_hash() {
    let shared = viseme_testing::skip_without_shared!();
    let folder = tempfile::tempdir().unwrap();
    for (file, id) in [
        ("silero_vad_16k_op15.onnx", "silero_vad"),
        ("scrfd_2.5g_bnkps.onnx", "scrfd_2_5g"),
        ("yunet_n_dynamic.onnx", "yunet"),
        ("MobileFaceNet_foamliu.onnx", "mobilefacenet"),
        ("lr_asd_finetuning_TalkSet.model", "lr_asd"),
    ] {
        let path = shared.join("weights").join(file);
        let arguments = ["models", "import", path.to_str().unwrap(), "--json"];
        let output =
            viseme(folder.path()).args(arguments).env("MODELS_DIR", folder.path().join("store")).output();
        let said = said(&output.unwrap());
        assert_eq!(said.code, Some(0), "{file}: {}", said.stderr);
        let imported = json(&said.stdout);
        assert_eq!(
            (&imported["id"], &imported["missing"]),
            (&Value::from(id), &Value::Array(Vec::new())),
            "{file}"
        );
    }
    assert_eq!(run(folder.path(), &["models", "info", "yunet"]).code, Some(0));
}
