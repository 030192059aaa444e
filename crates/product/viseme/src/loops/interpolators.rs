//! What makes the pictures at the boundaries of a loop, loaded when a job has any.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Result, Warning, WarningCode};
use viseme_engines::{FrameInterpolator, Rife};
use viseme_media::VideoInfo;
use viseme_models::{ModelFile, Runtimes, Store};

/// The name of our own flow in reports.
pub(crate) const NATIVE: &str = "native";
/// The name of the net in the store, and of its part.
const RIFE: &str = "rife_4_26";
const PART: &str = "interpolator";

/// What makes the pictures between the rounds of a loop, in the modes that blend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterpolatorChoice {
    /// RIFE where it is installed, our own flow otherwise.
    #[default]
    Auto,
    /// Our own flow, which the landmarks of the faces steer. Nothing needs to be installed.
    Native,
    /// The net RIFE, which must be installed.
    Rife,
}

impl FromStr for InterpolatorChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "native" => Ok(Self::Native),
            "rife" => Ok(Self::Rife),
            _ => Err(Error::invalid_input(format!("'{text}' does not make pictures between two"))
                .with_hint("It can be auto, native or rife.")),
        }
    }
}

/// Where the interpolators come from.
#[derive(Debug)]
pub(crate) enum Interpolators {
    /// The caller's, if any.
    Given(Option<Arc<dyn FrameInterpolator>>),
    /// Those of this machine.
    Installed(Arc<Runtimes>),
}

/// An interpolator that was loaded.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    pub(crate) net: Arc<dyn FrameInterpolator>,
    /// Its file, where it has one: what it makes depends on that.
    pub(crate) file: Option<PathBuf>,
}

/// An interpolator, none where our own flow does it; and why it is not the one that could have been expected.
type Opened = (Option<Interpolator>, Option<Warning>);

impl Interpolators {
    /// Loads what `choice` names, for the pictures of a video.
    ///
    /// # Errors
    /// `ModelMissing` or `MissingTool`, with the command that mends it, for a net that was named and cannot be had; whatever
    /// loading it meets.
    pub(crate) fn open(&self, choice: InterpolatorChoice, video: &VideoInfo) -> Result<Opened> {
        let opened = match self {
            Self::Given(net) => Ok(net.clone().map(|net| Interpolator { net, file: None })),
            Self::Installed(_) if choice == InterpolatorChoice::Native => Ok(None),
            Self::Installed(runtimes) => rife(runtimes).map(Some),
        };
        let interpolator = match opened {
            Err(error) if choice == InterpolatorChoice::Auto => return without(error),
            opened => opened?,
        };
        let is_unfit = |found: &&Interpolator| !found.net.takes(video.width, video.height);
        let Some(unfit) = interpolator.as_ref().filter(is_unfit) else {
            return Ok((interpolator, None));
        };
        let message = format!(
            "{} makes no pictures of {}x{}: our own flow does",
            unfit.net.name(),
            video.width,
            video.height
        );
        Ok((None, Some(Warning::new(WarningCode::FellBack, message))))
    }
}

/// What a job does without a net that nobody asked for by name.
fn without(error: Error) -> Result<Opened> {
    match error.kind() {
        ErrorKind::ModelMissing => Ok((None, None)),
        // It is installed, and what runs it is not.
        ErrorKind::MissingTool => {
            let hint = error.hint().unwrap_or_default();
            let message = format!("{error}; our own flow makes the pictures between the rounds. {hint}");
            Ok((None, Some(Warning::new(WarningCode::FellBack, message.trim()))))
        }
        _ => Err(error),
    }
}

fn rife(runtimes: &Runtimes) -> Result<Interpolator> {
    // Without a folder for models nothing is installed.
    let store = Store::open().map_err(|error| Error::new(ErrorKind::ModelMissing, error.to_string()))?;
    rife_from(&store, runtimes)
}

fn rife_from(store: &Store, runtimes: &Runtimes) -> Result<Interpolator> {
    let path = store.model(RIFE)?.graph(PART)?.path.clone();
    let net = Arc::new(Rife::load(runtimes, &ModelFile::file(RIFE, &path))?);
    Ok(Interpolator { net, file: Some(path) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use viseme_core::Silent;
    use viseme_models::store::StoreOptions;
    use viseme_models::{Digest, RuntimeKind, RuntimeRequest};
    use viseme_testing::FakeInterpolator;
    use viseme_testing::fake_interpolator::{DISSOLVE, REPEATED_EDGES};
    use viseme_testing::fake_media::video_info;

    /// What there is of a store in `folder` that holds `onnx` as its RIFE, if anything, where rten alone runs models.
    fn found(folder: &Path, onnx: Option<&[u8]>) -> Result<Interpolator> {
        let options = StoreOptions::from_environment().unwrap();
        let root = folder.join("models");
        let store = Store::with_options(StoreOptions { root, ..options }).unwrap();
        if let Some(onnx) = onnx {
            let path = folder.join("rife.onnx");
            std::fs::write(&path, onnx).unwrap();
            store.import(Some(RIFE), &path, &Silent).unwrap();
        }
        let request = RuntimeRequest { runtime: Some(RuntimeKind::Rten), ..RuntimeRequest::default() };
        rife_from(&store, &Runtimes::find(request, None).unwrap())
    }

    #[test]
    fn an_installed_net_is_found_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let rife = found(folder.path(), Some(DISSOLVE)).unwrap();
        let digest = Digest::of_file(&rife.file.unwrap(), &mut |_| Ok(())).unwrap();
        assert_eq!((rife.net.name(), digest), ("rife", Digest::of(DISSOLVE)));
    }

    #[test]
    fn what_nobody_asked_for_by_name_may_be_missing() {
        let found = |onnx| found(tempfile::tempdir().unwrap().path(), onnx);
        let error = found(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelMissing);
        let (net, warning) = without(error).unwrap();
        assert!(net.is_none() && warning.is_none());
        let error = found(Some(REPEATED_EDGES)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingTool);
        let warning = without(error).unwrap().1.unwrap();
        assert_eq!(warning.code, WarningCode::FellBack);
        // The hint of this runtime, which was asked for by name, is to leave the choice open.
        for part in ["our own flow makes the pictures", "Leave --runtime out."] {
            assert!(warning.message.contains(part), "{}", warning.message);
        }
        let error = found(Some(viseme_testing::runtimes::NEIGHBOURS)).unwrap_err();
        assert!(without(error).is_err(), "a file that is no such net is told");
    }

    #[test]
    fn a_picture_too_large_for_the_net_is_left_to_our_flow() {
        let given = Interpolators::Given(Some(Arc::new(FakeInterpolator::new(1.0))));
        let open = |width| given.open(InterpolatorChoice::Auto, &video_info(width, 100)).unwrap();
        let (net, warning) = open(FakeInterpolator::MOST_COLUMNS);
        assert!(net.is_some() && warning.is_none());
        let (net, warning) = open(FakeInterpolator::MOST_COLUMNS + 1);
        assert!(net.is_none());
        assert_eq!(warning.unwrap().message, "fake makes no pictures of 1001x100: our own flow does");
    }

    #[test]
    fn choices_have_the_same_names_in_json_and_on_the_command_line() {
        for choice in [InterpolatorChoice::Auto, InterpolatorChoice::Native, InterpolatorChoice::Rife] {
            let name = serde_json::to_value(choice).unwrap();
            assert_eq!(name.as_str().unwrap().parse::<InterpolatorChoice>().unwrap(), choice);
        }
        assert!("flow".parse::<InterpolatorChoice>().is_err());
    }
}
