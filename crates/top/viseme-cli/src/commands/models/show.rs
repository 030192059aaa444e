//! What is known of models: `list`, `info`, `path`.

use crate::arguments::{InfoArguments, ListArguments, PathArguments};
use crate::printer;
use indicatif::DecimalBytes;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use viseme_core::Result;
use viseme_models::Store;
use viseme_models::manifest::{CommercialUse, Evidence, FileEntry, Form, Model, TensorSpec};
use viseme_models::store::{ModelState, Record};

/// One line of the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    id: &'a str,
    purpose: &'a str,
    used_by: &'a str,
    licence: &'a str,
    commercial_use: CommercialUse,
    #[serde(flatten)]
    state: ModelState,
}

/// `viseme models list`.
pub(super) fn list(store: &Store, arguments: &ListArguments) -> Result<ExitCode> {
    let models = store.manifest().models.iter();
    let lines: Vec<Line<'_>> = models.map(|model| line(store, model)).collect::<Result<_>>()?;
    if arguments.json {
        printer::json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    printer::data(&format!("{:<17} {:<10} {:<11} PURPOSE", "MODEL", "STATE", "COMMERCIAL"))?;
    for line in lines {
        let state = state_word(&line.state);
        let commercial = line.commercial_use.name();
        printer::data(&format!("{:<17} {state:<10} {commercial:<11} {}", line.id, line.purpose))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line<'a>(store: &Store, model: &'a Model) -> Result<Line<'a>> {
    let Model { id, purpose, used_by, licence, commercial_use, .. } = model;
    Ok(Line { id, purpose, used_by, licence, commercial_use: *commercial_use, state: store.state(model)? })
}

fn state_word(state: &ModelState) -> &'static str {
    match state {
        ModelState::Missing => "-",
        ModelState::Partial { .. } => "partial",
        ModelState::Installed { .. } => "installed",
    }
}

/// All that is known of a model, and what of it is here.
#[derive(Debug, Serialize)]
struct Info<'a> {
    #[serde(flatten)]
    model: &'a Model,
    status: ModelState,
    folder: PathBuf,
    installed: Option<Record>,
}

/// `viseme models info`.
pub(super) fn info(store: &Store, arguments: &InfoArguments) -> Result<ExitCode> {
    let model = store.manifest().model(&arguments.id)?;
    let state = store.state(model)?;
    let (folder, installed) = (store.folder(&model.id), store.record(&model.id)?);
    if arguments.json {
        printer::json(&Info { model, status: state, folder, installed })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = vec![
        format!("{}: {}", model.id, model.purpose),
        format!("used by     {}", model.used_by),
        format!("licence     {}", model.licence),
        format!("commercial  {}", model.commercial_use.name()),
        format!("source      {}", model.source),
    ];
    lines.push(match &state {
        ModelState::Missing => format!("state       not installed: {}", store.remedy(model)),
        ModelState::Partial { form, missing } => {
            format!("state       partial, form {form}: {} missing", missing.join(", "))
        }
        ModelState::Installed { form } => {
            format!("state       installed, form {form}, in {}", folder.display())
        }
    });
    if !model.note.is_empty() {
        lines.push(format!("note        {}", model.note));
    }
    lines.extend(model.forms.iter().flat_map(form_lines));
    lines.iter().try_for_each(|line| printer::data(line))?;
    Ok(ExitCode::SUCCESS)
}

fn form_lines(form: &Form) -> Vec<String> {
    let mut lines = vec![String::new(), format!("form {}", form.name)];
    lines.extend(form.files.iter().flat_map(file_lines));
    lines
}

fn file_lines(file: &FileEntry) -> Vec<String> {
    let size = file.bytes.map_or("size unknown".to_owned(), |bytes| DecimalBytes(bytes).to_string());
    let hash = match (file.sha256, file.evidence) {
        (Some(hash), Evidence::One) => format!("{hash} (read in one repository only)"),
        (Some(hash), _) => hash.to_string(),
        (None, _) => "unknown".to_owned(),
    };
    let mut lines = vec![format!("  {}, {size}", file.name), format!("    sha256    {hash}")];
    if file.urls.is_empty() {
        lines.push("    from      your own copy: viseme models import".to_owned());
    }
    lines.extend(file.urls.iter().map(|url| format!("    from      {url}")));
    if !file.note.is_empty() {
        lines.push(format!("    note      {}", file.note));
    }
    for graph in &file.graphs {
        let becomes = graph.conversion.as_ref().map(|made| format!(", becomes {}", made.name));
        lines.push(format!("    graph     {}{}", graph.part, becomes.unwrap_or_default()));
        lines.extend(graph.inputs.iter().map(|tensor| tensor_line("input", tensor)));
        lines.extend(graph.outputs.iter().map(|tensor| tensor_line("output", tensor)));
    }
    lines
}

fn tensor_line(kind: &str, tensor: &TensorSpec) -> String {
    let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
    let values = if tensor.values.is_empty() { String::new() } else { format!("  {}", tensor.values) };
    format!("      {kind:<7} {} [{}]{values}", tensor.name, shape.join(", "))
}

/// `viseme models path`.
pub(super) fn path(store: &Store, arguments: &PathArguments) -> Result<ExitCode> {
    let path = match &arguments.id {
        Some(id) => store.folder(&store.manifest().model(id)?.id),
        None => store.root().to_owned(),
    };
    if arguments.json {
        printer::json(&serde_json::json!({ "path": path }))?;
    } else {
        printer::data(&path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
