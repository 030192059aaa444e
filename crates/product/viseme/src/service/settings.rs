//! How a service is set up, and the environment that says so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use viseme_core::{Error, Result};
use viseme_models::Device;

/// Between two tries of a remote engine.
const RETRY_WAIT: Duration = Duration::from_secs(2);

/// How a [`LipsyncService`](crate::LipsyncService) is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct LipsyncSettings {
    /// Whether somebody expects `HeyGen` to be used. The key itself is the remote engine's.
    pub has_heygen_key: bool,
    /// Weights of Wav2Lip that are not installed: the authors' checkpoint, or ONNX made of it.
    pub wav2lip_checkpoint: Option<PathBuf>,
    /// Whether a graphics card may be used where there is one.
    pub gpu: bool,
    /// Where outputs lie whose names say no folder; the working folder when none.
    pub output_folder: Option<PathBuf>,
    /// What an hour of this machine costs in US dollars.
    pub gpu_usd_per_hour: f64,
    /// How long is waited before a remote engine is asked again.
    pub retry_wait: Duration,
}

impl Default for LipsyncSettings {
    /// As without any variable in the environment.
    fn default() -> Self {
        Self {
            has_heygen_key: false,
            wav2lip_checkpoint: None,
            gpu: true,
            output_folder: None,
            gpu_usd_per_hour: 0.0,
            retry_wait: RETRY_WAIT,
        }
    }
}

impl LipsyncSettings {
    /// Reads `HEYGEN_API_KEY`, `WAV2LIP_MODEL_PATH`, `LIPSYNC_GPU_ENABLED` (`true` or `false`), `LIPSYNC_OUTPUT_DIR` and
    /// `LIPSYNC_GPU_USD_PER_HOUR`. Empty ones count as not set.
    ///
    /// # Errors
    /// `InvalidInput` for one that says nothing.
    pub fn from_environment() -> Result<Self> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The same, of variables of the caller's.
    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let settings = Self {
            has_heygen_key: set("HEYGEN_API_KEY").is_some(),
            wav2lip_checkpoint: set("WAV2LIP_MODEL_PATH").map(PathBuf::from),
            output_folder: set("LIPSYNC_OUTPUT_DIR").map(PathBuf::from),
            ..Self::default()
        };
        Ok(Self {
            gpu: read("LIPSYNC_GPU_ENABLED", &set, switch)?.unwrap_or(settings.gpu),
            gpu_usd_per_hour: read("LIPSYNC_GPU_USD_PER_HOUR", &set, price)?.unwrap_or(0.0),
            ..settings
        })
    }

    /// The device that models are to run on; none where the best may be taken.
    pub(super) fn device(&self) -> Option<Device> {
        (!self.gpu).then_some(Device::Cpu)
    }
}

fn read<T>(
    name: &'static str,
    set: &impl Fn(&'static str) -> Option<OsString>,
    value: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(text) = set(name) else { return Ok(None) };
    let read = text.to_str().and_then(|text| value(text.trim()));
    let fault = || Error::invalid_input(format!("{name} says '{}'", text.display()));
    read.map(Some)
        .ok_or_else(|| fault().with_hint(format!("Write {name} as in the documentation, or leave it out.")))
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn price(text: &str) -> Option<f64> {
    text.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::ErrorKind;

    fn settings(variables: &[(&str, &str)]) -> Result<LipsyncSettings> {
        let value =
            |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into());
        LipsyncSettings::from_variables(value)
    }

    #[test]
    fn variables_say_how_it_is_set_up() {
        assert_eq!(settings(&[]).unwrap(), LipsyncSettings::default());
        assert_eq!(
            settings(&[("HEYGEN_API_KEY", ""), ("LIPSYNC_GPU_ENABLED", "")]).unwrap(),
            LipsyncSettings::default()
        );
        let all = settings(&[
            ("HEYGEN_API_KEY", "a-key-that-nobody-sees"),
            ("WAV2LIP_MODEL_PATH", "/models/wav2lip.pth"),
            ("LIPSYNC_GPU_ENABLED", "False"),
            ("LIPSYNC_OUTPUT_DIR", "./outputs/lipsync"),
            ("LIPSYNC_GPU_USD_PER_HOUR", "3.06"),
        ])
        .unwrap();
        let expected = LipsyncSettings {
            has_heygen_key: true,
            wav2lip_checkpoint: Some("/models/wav2lip.pth".into()),
            gpu: false,
            output_folder: Some("./outputs/lipsync".into()),
            gpu_usd_per_hour: 3.06,
            ..LipsyncSettings::default()
        };
        assert_eq!(all, expected);
        assert_eq!((all.device(), LipsyncSettings::default().device()), (Some(Device::Cpu), None));
        assert!(!format!("{all:?}").contains("nobody"));
    }

    #[test]
    fn a_variable_that_says_nothing_is_told_by_name() {
        for variable in [("LIPSYNC_GPU_ENABLED", "maybe"), ("LIPSYNC_GPU_USD_PER_HOUR", "-1")] {
            let error = settings(&[variable]).unwrap_err();
            assert!(
                error.kind() == ErrorKind::InvalidInput && error.to_string().contains(variable.0),
                "{error}"
            );
        }
    }
}
