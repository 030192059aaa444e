//! Which engines there are.

use viseme_core::{Error, Result};

/// The name of the engine that needs no download.
pub(crate) const NATIVE: &str = "native";

/// An engine that a job can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineEntry {
    /// The name in [`EngineChoice`](crate::EngineChoice) and on the command line.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
}

const ENGINES: &[EngineEntry] = &[EngineEntry {
    name: NATIVE,
    description: "Warps the speaker's own face and mouth; runs on any CPU, nothing to download",
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
