//! Reading the TOML, and what must hold in it.

use super::{Evidence, FileEntry, Form, Manifest, Model};
use viseme_core::{Error, Result};

impl Manifest {
    /// Reads TOML.
    ///
    /// # Errors
    /// With the line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)
            .map_err(|source| Error::invalid_input(format!("not a manifest: {}", one_line(&source))))?;
        for model in &manifest.models {
            check_model(model).map_err(|why| {
                Error::invalid_input(format!("model '{}' in the manifest: {why}", model.id))
            })?;
        }
        Ok(manifest)
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_model(model: &Model) -> Result<(), String> {
    check_name(&model.id)?;
    if !model.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err("its id may have lower-case letters, digits and _ only".to_owned());
    }
    if model.forms.is_empty() {
        return Err("it has no form".to_owned());
    }
    model.forms.iter().try_for_each(check_form)
}

fn check_form(form: &Form) -> Result<(), String> {
    if form.files.is_empty() {
        return Err(format!("its form '{}' has no file", form.name));
    }
    let mut names = Vec::new();
    for file in &form.files {
        check_file(file)?;
        names.extend(file.installed_names());
    }
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two files of '{}' are named {}", form.name, pair[0])),
        None => Ok(()),
    }
}

fn check_file(file: &FileEntry) -> Result<(), String> {
    check_name(&file.name)?;
    file.installed_names().into_iter().try_for_each(check_name)?;
    if (file.evidence == Evidence::None) != file.sha256.is_none() {
        return Err(format!("{}: evidence and sha256 do not fit each other", file.name));
    }
    if file.graphs.iter().any(|graph| graph.conversion.is_none()) && file.graphs.len() > 1 {
        return Err(format!("{}: one ONNX file is one graph", file.name));
    }
    Ok(())
}

/// A name that stays within its folder, on every system, and out of the way of the store's own files.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let good = name.len() <= 100 && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if good && name.bytes().all(plain) && name != crate::store::RECORD {
        Ok(())
    } else {
        Err(format!("'{name}' is not a plain file name"))
    }
}

/// The nets whose checkpoints can be read, by the names they have in the manifest.
pub(super) mod architecture {
    use crate::Architecture;
    use serde::{Deserialize, Deserializer, Serializer};

    const NAMES: [(&str, Architecture); 5] = [
        ("wav2lip", Architecture::Wav2Lip),
        ("syncnet_lip", Architecture::SyncNetLip),
        ("syncnet_audio", Architecture::SyncNetAudio),
        ("s3fd", Architecture::S3fd),
        ("lr_asd", Architecture::LrAsd),
    ];

    pub(in crate::manifest) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Architecture, D::Error> {
        let name = String::deserialize(d)?;
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, architecture)| *architecture).ok_or_else(|| {
            serde::de::Error::custom(format!("no checkpoint of the architecture '{name}' can be read"))
        })
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(in crate::manifest) fn serialize<S: Serializer>(
        value: &Architecture,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        let found = NAMES.iter().find(|(_, architecture)| architecture == value);
        s.serialize_str(found.map_or("", |(name, _)| name))
    }
}

/// A value, or the word "unknown": leaving it out is an oversight, saying so is a fact.
pub(super) mod or_unknown {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OrUnknown<T> {
        Known(T),
        Unknown(Unknown),
    }

    #[derive(Deserialize)]
    enum Unknown {
        #[serde(rename = "unknown")]
        Unknown,
    }

    pub(in crate::manifest) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de>,
    {
        Ok(match OrUnknown::deserialize(deserializer)? {
            OrUnknown::Known(value) => Some(value),
            OrUnknown::Unknown(Unknown::Unknown) => None,
        })
    }

    #[expect(clippy::ref_option, reason = "serde passes references to the field")]
    pub(in crate::manifest) fn serialize<S, T>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Serialize,
    {
        match value {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[model]]
        id = "example"
        purpose = "Shows the format"
        used_by = "this test"
        licence = "MIT"
        commercial_use = "yes"
        source = "https://example.org"
        [[model.form]]
        name = "onnx"
        [[model.form.file]]
        name = "example.onnx"
        urls = ["https://example.org/example.onnx"]
        sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        bytes = "unknown"
        evidence = "one"
        [[model.form.file.graph]]
        part = "whole"
        inputs = [{ name = "input", shape = ["batch", 3, 112, 112] }]
    "#;

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let file = &manifest.model("example").unwrap().forms[0].files[0];
        assert_eq!(file.bytes, None);
        assert!(file.sha256.is_some() && file.is_onnx());
        assert_eq!(file.graphs[0].inputs[0].shape[1], crate::manifest::Axis::Fixed(3));
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        for (from, to, expected) in [
            ("id = \"example\"", "id = \"../up\"", "plain file name"),
            ("id = \"example\"", "id = \"Example\"", "lower-case"),
            ("name = \"example.onnx\"", "name = \"../../etc/passwd\"", "plain file name"),
            ("name = \"example.onnx\"", "name = \"installed.json\"", "plain file name"),
            ("bytes = \"unknown\"", "", "missing field `bytes`"),
            ("e3b0c44298fc", "e3b0", "data did not match"),
            ("evidence = \"one\"", "evidence = \"none\"", "evidence and sha256"),
            ("licence = \"MIT\"", "license = \"MIT\"", "unknown field"),
            ("commercial_use = \"yes\"", "commercial_use = \"maybe\"", "unknown variant"),
        ] {
            let error = Manifest::parse(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(expected), "{to}: {error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn names_are_taken_once() {
        let mut manifest = Manifest::parse(GOOD).unwrap();
        assert!(manifest.add(Manifest::parse(GOOD).unwrap()).is_err());
    }
}
