//! `/v1/models`: weights of others that can be added.

use crate::error::ApiResult;
use crate::service::Service;
use axum::Json;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::{Error, Result};
use viseme_models::Store;
use viseme_models::manifest::{Form, Model};
use viseme_models::store::ModelState;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Serialize, ToSchema)]
struct ModelList {
    /// Those that are installed and those that could be.
    models: Vec<ModelBody>,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
struct ModelBody {
    id: String,
    /// What it does.
    purpose: String,
    /// The part of Viseme that uses it.
    used_by: String,
    /// SPDX expression or the name of the licence.
    licence: String,
    /// `yes`, `no` or `unclear`: whether that allows commercial use.
    commercial_use: &'static str,
    /// Page of the authors.
    source: String,
    /// Size of its files as they are handed out; null where that is not known.
    bytes: Option<u64>,
    /// Whether it can be used: all of its files are here.
    ready: bool,
    /// `missing`, `partial` or `installed`.
    state: &'static str,
    /// The form in which it is, or is partly, installed.
    form: Option<String>,
    /// The command that mends it, for whoever runs the server.
    remedy: Option<String>,
}

impl ModelBody {
    fn new(store: &Store, model: &Model) -> Result<Self> {
        let (state, form) = match store.state(model)? {
            ModelState::Missing => ("missing", None),
            ModelState::Partial { form, .. } => ("partial", Some(form)),
            ModelState::Installed { form } => ("installed", Some(form)),
        };
        let known = form.as_deref().and_then(|name| model.form(name).ok()).or(model.forms.first());
        let ready = state == "installed";
        Ok(Self {
            id: model.id.clone(),
            purpose: model.purpose.clone(),
            used_by: model.used_by.clone(),
            licence: model.licence.clone(),
            commercial_use: model.commercial_use.name(),
            source: model.source.clone(),
            bytes: known.and_then(bytes),
            ready,
            state,
            form,
            remedy: (!ready).then(|| store.remedy(model)),
        })
    }
}

fn bytes(form: &Form) -> Option<u64> {
    form.files.iter().map(|file| file.bytes).sum()
}

/// Lists the models that this version knows: those that are installed and those that could be.
#[utoipa::path(get, path = "/v1/models", tag = "engines", responses((status = 200, body = ModelList)))]
async fn list() -> ApiResult<Json<ModelList>> {
    let listed = tokio::task::spawn_blocking(models).await;
    let models = listed.map_err(|error| Error::internal("listing panicked").with_source(error))??;
    Ok(Json(ModelList { models }))
}

fn models() -> Result<Vec<ModelBody>> {
    let store = Store::open()?;
    store.manifest().models.iter().map(|model| ModelBody::new(&store, model)).collect()
}
