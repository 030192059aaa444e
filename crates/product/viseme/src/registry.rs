//! Which engines there are.

use crate::spec::JobSpec;
use viseme_core::{Error, Result};
use viseme_engines::{LocalEngine, NativeEngine, NativeOptions};
use viseme_models::Runtime;

/// The name of the engine that needs no download.
pub(crate) const NATIVE: &str = "native";

/// An engine that a job can name.
#[derive(Debug, Clone, Copy)]
pub struct EngineEntry {
    /// The name in [`EngineChoice`](crate::EngineChoice) and on the command line.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// Makes the engine as a job wants it.
    pub(crate) open: fn(&JobSpec, &dyn Runtime) -> Result<Box<dyn LocalEngine>>,
}

const ENGINES: &[EngineEntry] = &[EngineEntry {
    name: NATIVE,
    description: "moves the mouth that the video shows, at full resolution; nothing to download",
    open: native,
}];

/// All engines, the best first.
#[must_use]
pub fn engines() -> &'static [EngineEntry] {
    ENGINES
}

/// The engine of that name.
///
/// # Errors
/// `InvalidInput` naming the engines that there are.
pub(crate) fn find(name: &str) -> Result<&'static EngineEntry> {
    ENGINES.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<&str> = ENGINES.iter().map(|entry| entry.name).collect();
        Error::invalid_input(format!("there is no engine '{name}'"))
            .with_hint(format!("Known engines: {}.", known.join(", ")))
    })
}

fn native(spec: &JobSpec, runtime: &dyn Runtime) -> Result<Box<dyn LocalEngine>> {
    let options = NativeOptions { expression: spec.engine.expression, animate_still: spec.still.animate };
    Ok(Box::new(NativeEngine::new(options, runtime)?))
}
