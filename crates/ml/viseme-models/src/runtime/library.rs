//! The shared library of ONNX Runtime: where it is looked for, and whether it can be used.

use super::Device;
use super::providers;
use ort::environment::Environment;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Error, ErrorKind, Result};

/// Names one library file, before every other place.
const VARIABLE: &str = "ORT_DYLIB_PATH";
/// The command that mends a missing library.
pub(crate) const REMEDY: &str = "Get it with `viseme models runtime install cpu`, or set ORT_DYLIB_PATH.";

/// The loaded library. A process can load one alone, and it stays loaded until the process ends.
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// Its version, "1.31.1", as far as it can be told.
    pub version: String,
    /// What it was built for. Whether such a device can be used shows when a model is loaded on it.
    pub devices: Vec<Device>,
    pub(super) environment: Environment,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("path", &self.path)
            .field("version", &self.version)
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

/// The one library of this process.
static LOADED: Mutex<Option<Arc<Library>>> = Mutex::new(None);

impl Library {
    /// Loads the first library that is there: the one that `ORT_DYLIB_PATH` names, else one that was installed into the
    /// folder `runtimes`, of the flavour that suits `device` and this machine best. The system's own folders are not
    /// searched: what lies there may be of any version.
    ///
    /// # Errors
    /// `MissingTool`, with the command that mends it, when there is none or it cannot be used.
    pub fn find(runtimes: Option<&Path>, device: Option<Device>) -> Result<Arc<Self>> {
        if let Some(path) = named() {
            return Self::load(&path);
        }
        match runtimes.and_then(|folder| installed(folder, device)) {
            Some(path) => Self::load(&path),
            None => {
                Err(Error::new(ErrorKind::MissingTool, "ONNX Runtime is not installed").with_hint(REMEDY))
            }
        }
    }

    /// Whether `ORT_DYLIB_PATH` names a library.
    #[must_use]
    pub fn is_named() -> bool {
        named().is_some()
    }

    /// Loads the library at `path`.
    ///
    /// # Errors
    /// `MissingTool` when it is not there, is no such library, is older than 1.24, or when another one has been loaded
    /// before.
    pub fn load(path: &Path) -> Result<Arc<Self>> {
        let failed = |what: &dyn fmt::Display| {
            Error::new(ErrorKind::MissingTool, format!("cannot use ONNX Runtime: {what}")).with_hint(REMEDY)
        };
        let path = path.canonicalize().map_err(|e| failed(&format_args!("{}: {e}", path.display())))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.as_ref() {
            if library.path == path {
                return Ok(Arc::clone(library));
            }
            let other = library.path.display();
            return Err(failed(&format_args!("{other} is loaded already, and a process can load but one")));
        }
        // The binding asserts what a library that is none of Microsoft's may not keep.
        let opened = catch_unwind(AssertUnwindSafe(|| open(&path)))
            .unwrap_or_else(|_| Err(format!("{} is not ONNX Runtime", path.display())));
        let library = Arc::new(opened.map_err(|what| failed(&what))?);
        *loaded = Some(Arc::clone(&library));
        Ok(library)
    }
}

fn named() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn open(path: &Path) -> Result<Library, String> {
    let environment = ort::init_from(path)
        .map_err(|error| error.to_string())?
        .with_name("viseme")
        .with_telemetry(false)
        // What it logs comes back as errors where it matters; a library does not write to the terminal.
        .with_logger(Arc::new(|_, _, _, _, _| {}))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Library { path: path.to_owned(), version: version(path), devices: providers::built_in(), environment })
}

/// "git-branch=rel-1.31.1" is in the build information of releases; others have the version in the name of the file.
fn version(path: &Path) -> String {
    let from_build = ort::info().split_once("git-branch=rel-").map(|(_, rest)| rest);
    let name = path.file_name().and_then(|name| name.to_str());
    let from_name = name.and_then(|name| name.split_once(".so.")).map(|(_, rest)| rest);
    let digits =
        |text: &str| -> String { text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect() };
    from_name.or(from_build).map(digits).filter(|v| !v.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The library file of the best flavour installed in `folder`.
fn installed(folder: &Path, device: Option<Device>) -> Option<PathBuf> {
    let order: &[&str] = match device {
        Some(Device::Cuda | Device::TensorRt) => &["cuda"],
        Some(Device::OpenVino) => &["openvino"],
        Some(Device::Cpu) => &["cpu", "openvino", "cuda"],
        _ if Device::Cuda.is_present() => &["cuda", "openvino", "cpu"],
        _ => &["openvino", "cpu", "cuda"],
    };
    order.iter().find_map(|flavour| library_file(&folder.join(flavour)))
}

/// The ONNX Runtime library in the folder of one flavour.
pub(crate) fn library_file(folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library_name))
        .collect();
    found.sort();
    found.pop()
}

/// `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib`, `onnxruntime.dll`; not the providers beside it.
fn is_library_name(name: &str) -> bool {
    ["libonnxruntime.so", "libonnxruntime.1", "libonnxruntime.dylib", "onnxruntime.dll"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so.1.31.1");
        std::fs::write(&text, "not a library").unwrap();
        for path in [&text, &folder.path().join("missing.so")] {
            let error = Library::load(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingTool);
            assert!(error.hint().unwrap().contains("viseme models runtime install"), "{error}");
        }
        assert_eq!(library_file(folder.path()), Some(text));
    }

    #[test]
    fn the_library_is_told_from_its_providers() {
        assert!(is_library_name("libonnxruntime.so.1.31.1"));
        assert!(is_library_name("libonnxruntime.1.31.1.dylib"));
        assert!(!is_library_name("libonnxruntime_providers_cuda.so"));
        assert!(!is_library_name("onnxruntime_pybind11_state.cpython-311-x86_64-linux-gnu.so"));
    }
}
