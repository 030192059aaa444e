//! JSON without what differs from run to run.

use serde_json::{Map, Value, json};

/// The same JSON; names, times, addresses and signatures are replaced.
pub(crate) fn redacted(value: &Value) -> Value {
    map(value, &|leaf| match leaf {
        Value::String(text) => json!(redacted_text(text)),
        other => other.clone(),
    })
}

/// The same, and numbers are replaced as well; a list is its first entry.
pub(crate) fn shape(value: &Value) -> Value {
    match redacted(value) {
        Value::Number(_) => json!("[number]"),
        Value::Array(list) => Value::Array(list.iter().take(1).map(shape).collect()),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        other => other,
    }
}

fn map(value: &Value, leaf: &impl Fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.iter().map(|one| map(one, leaf)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(k, v)| (k.clone(), map(v, leaf))).collect::<Map<_, _>>())
        }
        other => leaf(other),
    }
}

fn redacted_text(text: &str) -> String {
    if text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok() {
        return "[time]".to_owned();
    }
    let text = match text.split_once("?expires=") {
        Some((link, _)) => format!("{link}?[signed]"),
        None => text.to_owned(),
    };
    without_ids(&without_ports(&text))
}

/// Every address of this machine replaced.
fn without_ports(text: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut pieces = text.split(HOST);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + "[host]" + piece.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Every UUID in `text` replaced.
fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.get(..LENGTH).is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()) {
            redacted.push_str("[uuid]");
            rest = &rest[LENGTH..];
        } else {
            redacted.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    redacted
}
