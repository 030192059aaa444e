//! Golden media, made by ffmpeg's own test sources in a moment.

use std::path::{Path, PathBuf};
use viseme_core::Limits;
use viseme_imaging::Frame;
use viseme_media::{FrameSource, ReadOptions, Tools, VideoReader, probe};

/// A clip to be made. Its picture moves and its samples are the same on every machine with the same ffmpeg.
#[derive(Debug, Clone, PartialEq)]
pub struct TestClip {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second, in ffmpeg's words: "25", "30000/1001".
    pub rate: &'static str,
    /// Length in seconds.
    pub duration_s: f64,
    /// ffmpeg's pixel format: "yuv420p", "yuv422p10le".
    pub pixel_format: &'static str,
    /// Leaves out every third frame, so that frames are shown for one and for two steps in turn.
    pub variable_rate: bool,
    /// Whether it has sound: a stereo tone.
    pub sound: bool,
}

impl Default for TestClip {
    fn default() -> Self {
        Self {
            width: 320,
            height: 240,
            rate: "25",
            duration_s: 1.0,
            pixel_format: "yuv420p",
            variable_rate: false,
            sound: false,
        }
    }
}

impl TestClip {
    /// Makes the clip as `name` (`.mp4`, `.mov` or `.mkv`) in `folder`, losslessly encoded.
    #[must_use]
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let (width, height, rate, duration) = (self.width, self.height, self.rate, self.duration_s);
        let picture = format!("testsrc2=size={width}x{height}:rate={rate}:duration={duration}");
        let tone = format!("sine=frequency=330:sample_rate=44100:duration={duration}");
        let thinning = if self.variable_rate { "select='mod(n,3)-1'," } else { "" };
        let filter = format!("{thinning}format={}", self.pixel_format);
        let mut arguments = vec!["-f", "lavfi", "-i", &picture];
        if self.sound {
            arguments.extend(["-f", "lavfi", "-i", &tone, "-c:a", "aac", "-ac", "2"]);
        }
        arguments.extend(["-vf", &filter, "-fps_mode", "passthrough", "-c:v", "libx264", "-qp", "0"]);
        arguments.extend(["-preset", "ultrafast", "-g", "10", "-threads", "1", "-shortest"]);
        ffmpeg(&arguments, &path);
        path
    }
}

/// A lossless clip of shots of `shot_s` seconds, each of flat colours side by side (in ffmpeg's words), as `name` in
/// `folder`. A colour fills 160 × 240 pixels.
#[must_use]
pub fn colours(folder: &Path, name: &str, shots: &[&[&str]], shot_s: f64) -> PathBuf {
    let path = folder.join(name);
    let mut graph: Vec<String> = Vec::new();
    for (shot, colours) in shots.iter().enumerate() {
        let source = |(place, colour): (usize, &&str)| {
            format!("color=c={colour}:size=160x240:rate=25:duration={shot_s}[c{shot}_{place}]")
        };
        graph.extend(colours.iter().enumerate().map(source));
        let places: Vec<String> = (0..colours.len()).map(|place| format!("[c{shot}_{place}]")).collect();
        let stack = match colours.len() {
            1 => "null".to_owned(),
            count => format!("hstack=inputs={count}"),
        };
        graph.push(format!("{}{stack}[s{shot}]", places.concat()));
    }
    let joined: Vec<String> = (0..shots.len()).map(|shot| format!("[s{shot}]")).collect();
    graph.push(format!("{}concat=n={}", joined.concat(), shots.len()));
    let graph = graph.join(";");
    ffmpeg(&["-f", "lavfi", "-i", &graph, "-c:v", "ffv1", "-pix_fmt", "yuv444p"], &path);
    path
}

/// A picture of one colour (in ffmpeg's words), as `name` in `folder`.
#[must_use]
pub fn flat(folder: &Path, name: &str, colour: &str, width: u32, height: u32) -> PathBuf {
    let path = folder.join(name);
    let picture = format!("color=c={colour}:size={width}x{height}:rate=1:duration=1");
    ffmpeg(&["-f", "lavfi", "-i", &picture, "-frames:v", "1"], &path);
    path
}

/// A picture (`.png`, `.jpg`) as `name` in `folder`.
#[must_use]
pub fn still(folder: &Path, name: &str, width: u32, height: u32) -> PathBuf {
    let path = folder.join(name);
    let picture = format!("testsrc2=size={width}x{height}:rate=1:duration=1");
    ffmpeg(&["-f", "lavfi", "-i", &picture, "-frames:v", "1"], &path);
    path
}

/// The frame of a video that is shown `at_s` seconds after its start, as a picture `name` in `folder`.
#[must_use]
pub fn frame_of(source: &Path, folder: &Path, name: &str, at_s: f64) -> PathBuf {
    let path = folder.join(name);
    ffmpeg(&["-ss", &at_s.to_string(), "-i", &source.to_string_lossy(), "-frames:v", "1"], &path);
    path
}

/// A sound file of `seconds` that rises and falls like syllables, as `name` in `folder`.
#[must_use]
pub fn speech(folder: &Path, name: &str, seconds: f64) -> PathBuf {
    sound(folder, name, &format!("aevalsrc='0.4*sin(1400*t)*max(0,sin(25*t))':s=16000:d={seconds}"))
}

/// The sound of a media file as `name` in `folder`, `delay_s` later; below 0 its start is cut off.
#[must_use]
pub fn sound_of(source: &Path, folder: &Path, name: &str, delay_s: f64) -> PathBuf {
    let path = folder.join(name);
    let filter = if delay_s < 0.0 {
        format!("atrim=start={},asetpts=PTS-STARTPTS", -delay_s)
    } else {
        format!("adelay={}:all=1", (delay_s * 1000.0).round())
    };
    ffmpeg(&["-i", &source.to_string_lossy(), "-vn", "-af", &filter], &path);
    path
}

/// A video as `name` in `folder` with its own sound `delay_s` later; the picture is copied.
#[must_use]
pub fn with_late_sound(source: &Path, folder: &Path, name: &str, delay_s: f64) -> PathBuf {
    let sound = sound_of(source, folder, "late.wav", delay_s);
    let path = folder.join(name);
    let (source, sound) = (source.to_string_lossy(), sound.to_string_lossy());
    let streams = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"];
    ffmpeg(&[&["-i", &source, "-i", &sound], &streams[..]].concat(), &path);
    path
}

/// Two videos side by side, 400 × 400 pixels each, from `start_s` on for `length_s`, losslessly encoded and without sound, as
/// `name` in `folder`.
#[must_use]
pub fn side_by_side(videos: [&Path; 2], folder: &Path, name: &str, start_s: f64, length_s: f64) -> PathBuf {
    let path = folder.join(name);
    let (start, length) = (start_s.to_string(), length_s.to_string());
    let [left, right] = videos.map(Path::to_string_lossy);
    let fit =
        "fps=25,scale=400:400:force_original_aspect_ratio=increase,crop=400:400,setsar=1,format=yuv420p";
    let graph = format!("[0:v]{fit}[a];[1:v]{fit}[b];[a][b]hstack");
    let input = |video| ["-ss", start.as_str(), "-t", length.as_str(), "-i", video];
    let inputs = [input(&left), input(&right)].concat();
    ffmpeg(&[&inputs[..], &["-filter_complex", &graph, "-an", "-c:v", "ffv1"]].concat(), &path);
    path
}

/// A silent sound file of `seconds` as `name` in `folder`.
#[must_use]
pub fn silence(folder: &Path, name: &str, seconds: f64) -> PathBuf {
    sound(folder, name, &format!("anullsrc=r=16000:cl=mono:d={seconds}"))
}

fn sound(folder: &Path, name: &str, source: &str) -> PathBuf {
    let path = folder.join(name);
    ffmpeg(&["-f", "lavfi", "-i", source], &path);
    path
}

/// All frames of a video, as our reader gives them.
#[must_use]
pub fn decode(path: &Path) -> Vec<Frame> {
    let (tools, limits) = (Tools::locate().expect("ffmpeg"), Limits::default());
    let info = probe(&tools, path, &limits).expect("a media file");
    let video = info.video.expect("a picture");
    let mut reader =
        VideoReader::open(&tools, path, &video, ReadOptions::default(), &limits).expect("a reader");
    std::iter::from_fn(|| reader.next_frame().expect("a frame")).collect()
}

/// A digest of the compressed picture of a video: equal where every packet is.
#[must_use]
pub fn picture_digest(path: &Path) -> String {
    let folder = path.parent().expect("a folder");
    let digest = folder.join("picture.md5");
    ffmpeg(&["-i", &path.to_string_lossy(), "-map", "0:v:0", "-c", "copy", "-f", "md5"], &digest);
    let text = std::fs::read_to_string(&digest).expect("a digest");
    std::fs::remove_file(&digest).expect("a file");
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "test clips are made with ffmpeg itself, not with what is under test"
)]
fn ffmpeg(arguments: &[&str], path: &Path) {
    let tools = Tools::locate().expect("ffmpeg");
    let output = std::process::Command::new(tools.ffmpeg)
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"])
        .args(arguments)
        .args(["-fflags", "+bitexact"])
        .arg(path)
        .output()
        .expect("ffmpeg runs");
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
}
