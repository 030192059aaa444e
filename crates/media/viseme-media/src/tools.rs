//! Where ffmpeg and ffprobe are, and whether they are new enough.

use crate::process::{Running, Wiring};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use viseme_core::{Error, ErrorKind, Limits, Result};

/// The oldest release that has what we use: `-fps_mode` appeared in 5.1.
const MINIMUM_VERSION: (u32, u32) = (5, 1);
const INSTALL_HINT: &str = "install ffmpeg 5.1 or newer (Debian and Ubuntu: sudo apt install ffmpeg; \
    macOS: brew install ffmpeg), or set VISEME_FFMPEG and VISEME_FFPROBE to where it is";

/// The two programs that all work of this crate goes through. Locate once and keep it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tools {
    /// Path of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Path of ffprobe.
    pub ffprobe: PathBuf,
    /// What ffmpeg calls its version: "5.1.6-0+deb12u1".
    pub version: String,
}

impl Tools {
    /// Finds the programs: `VISEME_FFMPEG` and `VISEME_FFPROBE` name them, else they are looked for in `PATH`.
    ///
    /// Runs `ffmpeg -version` once, which takes about 50 ms.
    ///
    /// # Errors
    /// [`ErrorKind::MissingTool`] when one is missing, does not run, or is older than 5.1.
    pub fn locate() -> Result<Self> {
        let ffmpeg = find("ffmpeg", "VISEME_FFMPEG")?;
        let ffprobe = find("ffprobe", "VISEME_FFPROBE")?;
        let version = version_of(&ffmpeg)?;
        // Builds from the development branch carry a commit ("N-109542-g…") instead of a number: they are newer.
        if release_number(&version).is_some_and(|release| release < MINIMUM_VERSION) {
            return Err(missing(format!("ffmpeg {version} is too old")));
        }
        Ok(Self { ffmpeg, ffprobe, version })
    }
}

fn missing(message: String) -> Error {
    Error::new(ErrorKind::MissingTool, message).with_hint(INSTALL_HINT)
}

fn find(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(missing(format!("{variable} names {}, which is no file", path.display())))
        };
    }
    let file_name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join(&file_name))
        .find(|path| path.is_file())
        .ok_or_else(|| missing(format!("{name} was not found")))
}

fn version_of(ffmpeg: &Path) -> Result<String> {
    let arguments = [OsString::from("-version")];
    let output = Running::spawn(ffmpeg, &arguments, Wiring::Stdout, &Limits::default())
        .and_then(|child| child.output("run ffmpeg", 1 << 16))
        .map_err(|error| missing(format!("{} does not run: {error}", ffmpeg.display())).with_source(error))?;
    String::from_utf8_lossy(&output)
        .strip_prefix("ffmpeg version ")
        .and_then(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| missing(format!("{} is not ffmpeg", ffmpeg.display())))
}

/// Major and minor number of a release; `None` for development builds.
fn release_number(version: &str) -> Option<(u32, u32)> {
    let version = version.strip_prefix('n').unwrap_or(version);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let major = numbers.next()?.ok()?;
    Some((major, numbers.next().and_then(std::result::Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_numbers_are_read_from_every_style_of_version() {
        for (version, expected) in [
            ("5.1.9-0+deb12u1", Some((5, 1))),
            ("n7.1", Some((7, 1))),
            ("8.0", Some((8, 0))),
            ("4.4.2-0ubuntu0.22.04.1", Some((4, 4))),
            ("7-static", Some((7, 0))),
            ("N-109542-g8a2b4a1", None),
            ("git-2023-01-01", None),
        ] {
            assert_eq!(release_number(version), expected, "{version}");
        }
    }

    #[test]
    fn the_tools_of_this_machine_are_found() {
        let tools = Tools::locate().unwrap();
        assert!(tools.ffmpeg.is_file() && !tools.version.is_empty());
    }
}
