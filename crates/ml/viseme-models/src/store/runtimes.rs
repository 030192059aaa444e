//! ONNX Runtime's library, taken from its Python wheel.
//!
//! ```text
//! MODELS_DIR/runtimes/
//!   cpu/                    libonnxruntime.so.1.31.1, its licences, and
//!     installed.json        what it is: the folder is renamed into place when all of it is there
//!   NAME.whl.part           a download that was cut; the next install goes on from it
//! ```

use super::Store;
use super::wheel::{Member, extract};
use crate::Digest;
use crate::download::{Address, Wanted, download};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use viseme_core::{Error, ErrorKind, Observer, Progress, Result, Stage};

const WHEELS: &str = include_str!("../../manifest/runtimes.toml");
const RECORD: &str = "installed.json";

/// A wheel with ONNX Runtime for one kind of machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// "cpu", "openvino" or "cuda".
    pub flavour: String,
    /// As in [`std::env::consts::OS`].
    pub os: String,
    /// As in [`std::env::consts::ARCH`].
    pub arch: String,
    /// ONNX Runtime's version.
    pub version: String,
    /// Where it is.
    pub url: String,
    /// Its hash.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// What of it is installed.
    pub files: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Wheels {
    wheel: Vec<Wheel>,
}

/// A library that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledRuntime {
    /// "cpu", "openvino" or "cuda".
    pub flavour: String,
    /// ONNX Runtime's version.
    pub version: String,
    /// The hash of the wheel that it came from.
    pub sha256: Digest,
    /// Where the wheel came from.
    pub from: String,
    /// What it takes on the disk.
    pub bytes: u64,
}

impl Wheel {
    /// Those for this machine.
    ///
    /// # Errors
    /// When the built-in list is broken: a fault of ours.
    pub fn for_this_machine() -> Result<Vec<Self>> {
        let wheels: Wheels =
            toml::from_str(WHEELS).map_err(|e| Error::internal(format!("the list of wheels: {e}")))?;
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        Ok(wheels.wheel.into_iter().filter(|wheel| wheel.os == os && wheel.arch == arch).collect())
    }

    /// The one of that flavour for this machine.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], naming those that there are.
    pub fn find(flavour: &str) -> Result<Self> {
        let all = Self::for_this_machine()?;
        let known: Vec<String> = all.iter().map(|wheel| wheel.flavour.clone()).collect();
        all.into_iter().find(|wheel| wheel.flavour == flavour).ok_or_else(|| {
            let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
            let hint = match known.as_slice() {
                [] => "Set ORT_DYLIB_PATH to an ONNX Runtime of your own, 1.24 or newer.".to_owned(),
                known => format!("There is: {}.", known.join(", ")),
            };
            let message = format!("there is no ONNX Runtime '{flavour}' for {os} on {arch}");
            Error::new(ErrorKind::NotFound, message).with_hint(hint)
        })
    }

    /// The name of its file.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

impl Store {
    /// Where libraries are installed: what [`Runtimes::find`](crate::Runtimes::find) asks for.
    #[must_use]
    pub fn runtimes_folder(&self) -> PathBuf {
        self.root.join("runtimes")
    }

    /// Downloads and unpacks a wheel, unless the same is installed already. Of a mirror it is asked as
    /// `BASE/runtimes/NAME.whl`.
    ///
    /// # Errors
    /// Those of [`download`]; [`ErrorKind::Remote`] when the wheel holds not what it should. What was installed before
    /// stays then.
    pub fn install_runtime(&self, wheel: &Wheel, observer: &dyn Observer) -> Result<InstalledRuntime> {
        let folder = self.runtimes_folder();
        std::fs::create_dir_all(&folder).map_err(|source| {
            Error::io(format_args!("create {}", folder.display()), source)
                .with_hint("Set MODELS_DIR to a folder that can be written.")
        })?;
        let _lock = self.lock(&format!("runtime-{}", wheel.flavour), observer)?;
        let target = folder.join(&wheel.flavour);
        if let Some(installed) = record(&target)?.filter(|installed| installed.sha256 == wheel.sha256) {
            return Ok(installed);
        }
        let path = folder.join(wheel.name());
        let from = self.fetch_wheel(wheel, &path, observer)?;
        let installed = InstalledRuntime {
            flavour: wheel.flavour.clone(),
            version: wheel.version.clone(),
            sha256: wheel.sha256,
            from,
            bytes: wheel.files.iter().map(|file| file.bytes).sum(),
        };
        unpack(wheel, &path, &target, &installed, observer)?;
        // Best effort: what is left costs room alone.
        let _ = std::fs::remove_file(&path);
        Ok(installed)
    }

    fn fetch_wheel(&self, wheel: &Wheel, path: &Path, observer: &dyn Observer) -> Result<String> {
        let url = match &self.mirror {
            Some(base) => format!("{base}/runtimes/{}", wheel.name()),
            None => wheel.url.clone(),
        };
        let wanted = Wanted {
            addresses: vec![Address::new(&url, self.allow_plain_http)?],
            sha256: Some(wheel.sha256),
            bytes: Some(wheel.bytes),
        };
        let mut show = |done, _| {
            observer.progress(Progress { stage: Stage::Models, done, total: Some(wheel.bytes) });
        };
        let got = download(&wanted, path, &self.patience, observer, &mut |_| Ok(()), &mut show)?;
        Ok(got.address.to_string())
    }

    /// The libraries that are installed, by flavour.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn installed_runtimes(&self) -> Result<Vec<InstalledRuntime>> {
        let Ok(entries) = std::fs::read_dir(self.runtimes_folder()) else { return Ok(Vec::new()) };
        let mut found: Vec<InstalledRuntime> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter_map(|folder| record(&folder).transpose())
            .collect::<Result<_>>()?;
        found.sort_by(|a, b| a.flavour.cmp(&b.flavour));
        Ok(found)
    }

    /// Removes a library; `None` when there was none of that flavour.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_runtime(&self, flavour: &str, observer: &dyn Observer) -> Result<Option<InstalledRuntime>> {
        // Never a path of the caller's making.
        let Some(installed) = self.installed_runtimes()?.into_iter().find(|found| found.flavour == flavour)
        else {
            return Ok(None);
        };
        let _lock = self.lock(&format!("runtime-{flavour}"), observer)?;
        let folder = self.runtimes_folder().join(&installed.flavour);
        std::fs::remove_dir_all(&folder)
            .map_err(|source| Error::io(format_args!("remove {}", folder.display()), source))?;
        Ok(Some(installed))
    }
}

/// Unpacks into a folder beside `target`, which takes its name when all of it is there. The lock is held: nobody else
/// writes there.
fn unpack(
    wheel: &Wheel,
    path: &Path,
    target: &Path,
    installed: &InstalledRuntime,
    observer: &dyn Observer,
) -> Result<()> {
    let fresh = target.with_file_name(format!(".new-{}", wheel.flavour));
    let _ = std::fs::remove_dir_all(&fresh);
    let filled = fill(&fresh, wheel, path, installed, observer).and_then(|()| {
        let failed = |source| Error::io(format_args!("write {}", target.display()), source);
        if target.exists() {
            std::fs::remove_dir_all(target).map_err(failed)?;
        }
        std::fs::rename(&fresh, target).map_err(failed)
    });
    filled.inspect_err(|_| drop(std::fs::remove_dir_all(&fresh)))
}

fn fill(
    fresh: &Path,
    wheel: &Wheel,
    path: &Path,
    installed: &InstalledRuntime,
    observer: &dyn Observer,
) -> Result<()> {
    let failed = |source| Error::io(format_args!("write {}", fresh.display()), source);
    std::fs::create_dir(fresh).map_err(failed)?;
    extract(path, &wheel.files, fresh, observer)?;
    let json = serde_json::to_vec_pretty(installed).map_err(|e| Error::internal(e.to_string()))?;
    std::fs::write(fresh.join(RECORD), json).map_err(failed)
}

/// What is installed in a folder.
fn record(folder: &Path) -> Result<Option<InstalledRuntime>> {
    let path = folder.join(RECORD);
    if !path.is_file() {
        return Ok(None);
    }
    let read = |source| Error::io(format_args!("read {}", path.display()), source);
    let text = std::fs::read(&path).map_err(read)?;
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        Error::internal(format!("{} is broken: {error}", path.display()))
            .with_hint(format!("Remove the folder {}.", folder.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_read_and_names_public_addresses() {
        let wheels: Wheels = toml::from_str(WHEELS).unwrap();
        for wheel in &wheels.wheel {
            assert!(wheel.url.starts_with("https://files.pythonhosted.org/packages/"), "{}", wheel.url);
            assert!(Path::new(wheel.name()).extension() == Some("whl".as_ref()));
            let names: Vec<&str> = wheel.files.iter().map(Member::name).collect();
            assert!(names.contains(&"LICENSE") && names.contains(&"ThirdPartyNotices.txt"), "{names:?}");
            assert!(
                names.iter().any(|name| name.starts_with("libonnxruntime.") || *name == "onnxruntime.dll")
            );
        }
        for machine in
            [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64"), ("windows", "x86_64")]
        {
            let found = wheels
                .wheel
                .iter()
                .find(|w| (w.os.as_str(), w.arch.as_str()) == machine && w.flavour == "cpu");
            assert!(found.is_some(), "{machine:?}");
        }
        assert_eq!(Wheel::find("rocm").unwrap_err().kind(), ErrorKind::NotFound);
    }
}
