//! What a caller asks for.

use crate::registry;
use std::fmt;
use std::str::FromStr;
use viseme_core::{Error, Result};

/// What is to make a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// What is best by length, price and what is installed.
    #[default]
    Auto,
    /// `HeyGen`, and nothing else.
    HeyGen,
    /// This engine of this machine, by its name in [`engines`](crate::engines), and nothing else.
    Engine(&'static str),
}

impl FromStr for Method {
    type Err = Error;

    /// Reads `auto`, `heygen`, or the name of an engine.
    ///
    /// # Errors
    /// `InvalidInput` naming what there is.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "heygen" => Ok(Self::HeyGen),
            name => registry::find(name).map(|entry| Self::Engine(entry.name)).map_err(|error| {
                let known: Vec<_> = registry::engines().iter().map(|entry| entry.name).collect();
                Error::invalid_input(format!("there is no method '{name}'"))
                    .with_hint(format!("Known methods: auto, heygen, {}.", known.join(", ")))
                    .with_source(error)
            }),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::HeyGen => "heygen",
            Self::Engine(name) => name,
        })
    }
}
