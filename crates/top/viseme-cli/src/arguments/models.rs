//! The arguments of `viseme models`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Models live in MODELS_DIR, else in the data folder of this account (viseme models path). \
                        VISEME_MODELS_MIRROR names a server to ask in place of the public ones."
)]
pub(crate) struct ModelsArguments {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models there are, and which are installed.
    List(ListArguments),
    /// Say all that is known of a model: files, licence, tensors.
    Info(InfoArguments),
    /// Download models.
    Pull(PullArguments),
    /// Check that installed files are what they were.
    Verify(VerifyArguments),
    /// Remove models from this machine.
    Rm(RmArguments),
    /// Print the folder of all models, or of one.
    Path(PathArguments),
    /// Install a file that you already have.
    Import(ImportArguments),
    /// Get ONNX Runtime, which runs large models faster and on GPUs.
    Runtime(RuntimeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeArguments {
    #[command(subcommand)]
    pub(crate) command: RuntimeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RuntimeCommand {
    /// List the flavours for this machine, and which are installed.
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a flavour: cpu, openvino or cuda.
    Install {
        /// Which flavour
        #[arg(default_value = "cpu")]
        flavour: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Show no progress
        #[arg(short, long)]
        quiet: bool,
    },
    /// Remove a flavour.
    Rm {
        /// Which flavour
        flavour: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What is printed by commands that take their time.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// The model
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The models
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// You keep to the licence of models that are not free for commercial use
    #[arg(long)]
    pub(crate) accept_license: bool,
    /// Take files whose hash nobody published; it is noted, and later downloads must have it
    #[arg(long)]
    pub(crate) trust_first_download: bool,
    /// Which of its forms to install (see `viseme models info`)
    #[arg(long)]
    pub(crate) form: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The models; all that are installed when none is named
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RmArguments {
    /// The models
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PathArguments {
    /// The model
    pub(crate) id: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct ImportArguments {
    /// The model that it is a file of; not needed for files whose hash is known
    pub(crate) id: Option<String>,
    /// The file: ONNX, or the original checkpoint of Wav2Lip, SyncNet or S3FD
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
