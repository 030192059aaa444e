//! Jobs that run side by side know nothing of each other.

use crate::harness::{Bucket, Files, Server, changed_share, two_people};
use serde_json::json;
use viseme_testing::skip_without_shared;

/// The halves of the picture, as boxes of x, y, width and height.
const HALVES: [[f64; 4]; 2] = [[0.0, 0.0, 360.0, 288.0], [360.0, 0.0, 360.0, 288.0]];

/// Two clients each call somebody else of the same video by the same id, the same name and a picture of the same name, again
/// and again at the same time.
#[test]
fn two_jobs_with_different_reference_faces_never_mix() {
    let shared = skip_without_shared!();
    let folder = tempfile::tempdir().unwrap();
    let (clip, people) = two_people(&shared, folder.path());
    // Each has its own host, so that all that differs are the bytes of the picture.
    let sites = [Files::start(), Files::start()];
    let bucket = Bucket::start();
    let hosts = [sites[0].site(), sites[1].site(), bucket.site()];
    let mut arguments = vec!["--workers", "2"];
    arguments.extend(hosts.iter().flat_map(|host| ["--allow-host", host]));
    let server = Server::start(&arguments);
    let speak = |side: usize, round: usize| {
        let files = &sites[side];
        let output = format!("out-{side}-{round}.mp4");
        let done = server.post(
            "/lipsync",
            &json!({
                "video_url": files.add("two.mkv", &clip),
                "audio_url": files.add("a.wav", &shared.join("speech/sadtalker_RD_Radio31_000.wav")),
                "upload_url": bucket.put_url(&output),
                "characters": [{ "id": "hero", "name": "Hero", "reference_image_url": files.add("hero.png", &people[side]) }],
                "loop_mode": "none",
                // Each round is another job: no result stands for two.
                "expression": 1.0 - round as f64 / 100.0,
            }),
        );
        let done = done.with_status(200).json();
        assert_eq!(done["processed_characters"], json!(["hero"]), "{done:#}");
        let of_box = &done["faces"]["results"][0]["segments"][0]["avg_bbox"];
        let centre = (of_box[0].as_f64().unwrap() + of_box[2].as_f64().unwrap() / 2.0) / 720.0;
        assert_eq!(centre > 0.5, side == 1, "{side}: {of_box}");
        let [own, other] =
            [side, 1 - side].map(|half| changed_share(&clip, &bucket.file(&output), HALVES[half]));
        // The encoder alone moves a sample in millions so far; a mouth of the other half would be as large as that of its own.
        assert!(
            own > 1e-5 && other < own / 100.0,
            "side {side}, round {round}: {own} of its half, {other} of the other"
        );
    };
    std::thread::scope(|scope| {
        for side in [0, 1] {
            scope.spawn(move || (0..3).for_each(|round| speak(side, round)));
        }
    });
}
