//! Which engines this server has, and whether they can be used.

use crate::service::Service;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use viseme::EngineEntry;
use viseme_core::{Error, Result};
use viseme_models::Store;
use viseme_models::manifest::CommercialUse;

/// The licence of what lies in the binary.
const OUR_LICENCE: &str = "MIT OR Apache-2.0";

/// An engine of this server.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Engine)]
pub(crate) struct EngineBody {
    /// What `engine` and `method` of requests take.
    pub(crate) name: &'static str,
    /// One line for people.
    description: &'static str,
    /// Whether a job that wants it can begin.
    pub(crate) ready: bool,
    /// Why not, and what to do about it.
    pub(crate) reason: Option<String>,
    /// What can be chosen about it, with the command line.
    options: Vec<EngineOptionBody>,
    /// The models of which one has to be installed; none for an engine that needs nothing.
    models: &'static [&'static str],
    /// The licences of its weights.
    licence: String,
    /// `yes`, `no` or `unclear`: whether these allow commercial use.
    commercial_use: &'static str,
}

/// Something that can be chosen about an engine.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EngineOption)]
struct EngineOptionBody {
    name: &'static str,
    /// What it can be.
    values: &'static [&'static str],
    /// What it is when nothing is said.
    default: Option<&'static str>,
}

/// Every engine, the best first. Reads the folder of models: not for a thread that others wait for.
///
/// # Errors
/// When the store does not know the models of an engine.
pub(crate) fn engines(service: &Service, store: &Store) -> Result<Vec<EngineBody>> {
    viseme::engines().iter().map(|entry| engine(service, store, entry)).collect()
}

fn engine(service: &Service, store: &Store, entry: &EngineEntry) -> Result<EngineBody> {
    let missing = match entry.models {
        [] => service.built_in_fault(),
        models => missing_model(store, models).map(|error| with_hint(&error)),
    };
    let option = |option: &viseme::EngineOption| EngineOptionBody {
        name: option.name,
        values: option.values,
        default: option.values.first().copied(),
    };
    let (licence, commercial_use) = licence(store, entry.models)?;
    Ok(EngineBody {
        name: entry.name,
        description: entry.description,
        ready: missing.is_none(),
        reason: missing,
        options: entry.options.iter().map(option).collect(),
        models: entry.models,
        licence,
        commercial_use: commercial_use.name(),
    })
}

/// Why none of the models can be used: what is wrong with the best of them.
fn missing_model(store: &Store, models: &[&str]) -> Option<Error> {
    let mut faults = Vec::new();
    for id in models {
        match store.model(id) {
            Ok(_) => return None,
            Err(error) => faults.push(error),
        }
    }
    faults.into_iter().next()
}

fn with_hint(error: &Error) -> String {
    error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}. {hint}"))
}

/// The licences of the weights of an engine, and what the strictest of them allows.
fn licence(store: &Store, models: &[&str]) -> Result<(String, CommercialUse)> {
    if models.is_empty() {
        return Ok((OUR_LICENCE.to_owned(), CommercialUse::Yes));
    }
    let mut licences = BTreeSet::new();
    let mut commercial_use = CommercialUse::Yes;
    for id in models {
        let model = store.manifest().model(id)?;
        licences.insert(model.licence.as_str());
        commercial_use = match (commercial_use, model.commercial_use) {
            (CommercialUse::No, _) | (_, CommercialUse::No) => CommercialUse::No,
            (CommercialUse::Unclear, _) | (_, CommercialUse::Unclear) => CommercialUse::Unclear,
            _ => CommercialUse::Yes,
        };
    }
    Ok((licences.into_iter().collect::<Vec<_>>().join("; "), commercial_use))
}
