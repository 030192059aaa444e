//! The arguments of the commands that compare lips with speech.

use super::{ComputeArguments, LimitArguments, WeightsArgument, parse_face};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ScoreArguments {
    /// The video
    pub(crate) video: PathBuf,
    /// The speech that the lips should follow [default: the video's own sound]
    #[arg(long, value_name = "SPEECH")]
    pub(crate) audio: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) look: LookArguments,
}

#[derive(Debug, Args)]
pub(crate) struct OffsetArguments {
    /// The video, with its sound
    pub(crate) video: PathBuf,
    /// Write the video with the sound moved, picture and sound copied as they are
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) look: LookArguments,
}

/// Whose lips are compared with the speech, and how that is told.
#[derive(Debug, Args)]
pub(crate) struct LookArguments {
    /// Whose lips: the largest face, all faces, or the n-th in order of appearance
    #[arg(long, value_name = "largest|all|N", default_value = "largest", value_parser = parse_face)]
    pub(crate) face: viseme::FaceChoice,
    /// The weights of the face nets: `clean` were trained on data of clear rights alone
    #[arg(long, default_value = "default")]
    pub(crate) weights: WeightsArgument,
    #[command(flatten)]
    pub(crate) compute: ComputeArguments,
    /// Print one JSON report
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

impl LookArguments {
    /// What is to be scored.
    pub(crate) fn of(&self, video: PathBuf, audio: Option<PathBuf>) -> viseme::ScoreSpec {
        viseme::ScoreSpec {
            audio,
            face: self.face,
            weights: self.weights.into(),
            runtime: self.compute.request(),
            limits: self.limits.limits(),
            ..viseme::ScoreSpec::new(video)
        }
    }
}
