//! Which detector a job asks for.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use viseme_core::{Error, Result};

/// Which detector looks for faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectorChoice {
    /// Our own net, in the binary.
    #[default]
    Native,
    /// SCRFD of `InsightFace`: `det_10g` where it is installed, else the 2.5G one. Not for commercial use.
    Scrfd,
    /// `YuNet`.
    Yunet,
    /// S3FD, as the original `Wav2Lip`. Slow, and without points.
    S3fd,
    /// The best that is installed, our own net where there is none.
    Auto,
}

impl DetectorChoice {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Native, Self::Scrfd, Self::Yunet, Self::S3fd, Self::Auto];

    /// The name on the command line and in a job.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Scrfd => "scrfd",
            Self::Yunet => "yunet",
            Self::S3fd => "s3fd",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for DetectorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DetectorChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name).ok_or_else(|| {
            Error::invalid_input(format!("there is no face detector '{name}'"))
                .with_hint(format!("Known detectors: {}.", Self::ALL.map(Self::name).join(", ")))
        })
    }
}
