//! What runs the models: the runtimes that are there, and where each installed model will run.

use super::{Check, check};
use viseme_core::{Error, Result};
use viseme_models::store::ModelState;
use viseme_models::{Device, Library, ModelFile, RuntimeRequest, Runtimes, Store};

/// A line for each runtime and one for each installed model.
pub(super) fn checks() -> Vec<Check> {
    let store = match Store::open() {
        Ok(store) => store,
        Err(error) => return vec![check("models", Err::<String, _>(&error), None)],
    };
    let rten =
        Check { name: "rten".into(), ok: true, found: "built in, on the CPU".to_owned(), remedy: None };
    let runtimes = match Runtimes::find(RuntimeRequest::default(), Some(&store.runtimes_folder())) {
        Ok(runtimes) => runtimes,
        Err(error) => return vec![rten, check("onnx runtime", Err::<String, _>(&error), None)],
    };
    let mut checks = vec![rten, library(&runtimes)];
    match models(&store, &runtimes) {
        Ok(models) => checks.extend(models),
        Err(error) => checks.push(check("models", Err::<String, _>(&error), None)),
    }
    checks
}

/// ONNX Runtime is not needed, but one that was put there must work.
fn library(runtimes: &Runtimes) -> Check {
    let name = "onnx runtime".into();
    match runtimes.library() {
        Ok(library) => Check { name, ok: true, found: described(library), remedy: None },
        Err(error) => {
            let (found, remedy) = (error.to_string(), error.hint().map(str::to_owned));
            Check { name, ok: !Library::is_named(), found, remedy }
        }
    }
}

fn described(library: &Library) -> String {
    let device = |device: &Device| {
        let absent = if device.is_present() { "" } else { " (not on this machine)" };
        format!("{device}{absent}")
    };
    let devices: Vec<String> = library.devices.iter().map(device).collect();
    format!("{} at {}, for {}", library.version, library.path.display(), devices.join(", "))
}

/// Where each graph of each installed model will run.
fn models(store: &Store, runtimes: &Runtimes) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for model in &store.manifest().models {
        if !matches!(store.state(model)?, ModelState::Installed { .. }) {
            continue;
        }
        for graph in store.model(&model.id)?.graphs {
            let name = format!("{} {}", model.id, graph.part);
            let placed = runtimes
                .choose(&ModelFile::file(&name, &graph.path))
                .map(|choice| format!("{}: {}", choice.placement, choice.reason));
            checks.push(named(name, placed.as_deref()));
        }
    }
    Ok(checks)
}

fn named(name: String, result: Result<&str, &Error>) -> Check {
    Check { name: name.into(), ..check("", result, None) }
}
