//! What people read. Standard output is data, standard error is talk; colour only on a terminal and without `NO_COLOR`.

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use viseme_core::{Error, ErrorKind, Result};

/// Whether standard error may be coloured.
fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn painted(text: &str, ansi_colour: u8) -> String {
    if colours() { format!("\x1b[{ansi_colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Says one line on standard error. A closed standard error is no reason to stop.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says what went well less than it should.
pub(crate) fn warn(message: &str) {
    say(&format!("{} {message}", painted("warning:", 33)));
}

/// Says why the command failed and what to do about it.
pub(crate) fn fail(error: &Error) {
    say(&format!("{} {error}", painted("error:", 31)));
    // What a child process said last helps to mend a fault of ours; any other kind is said in full by its message.
    if error.kind() == ErrorKind::Internal
        && let Some(source) = error.source().map(ToString::to_string)
        && !error.to_string().contains(&source)
    {
        say(&format!("  because: {source}"));
    }
    if let Some(text) = error.hint() {
        hint(text);
    }
}

/// Says what to do next.
pub(crate) fn hint(text: &str) {
    say(&format!("{} {text}", painted("hint:", 36)));
}

/// ✔ or ✖.
pub(crate) fn mark(ok: bool) -> String {
    if ok { painted("✔", 32) } else { painted("✖", 31) }
}

/// Writes one line of data on standard output.
///
/// # Errors
/// When standard output cannot be written, for example because the reader of a pipe has gone.
pub(crate) fn data(line: &str) -> Result<()> {
    writeln!(io::stdout(), "{line}").map_err(|source| Error::io("write to standard output", source))
}

/// Writes a value as indented JSON on standard output.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|source| {
        Error::new(ErrorKind::Internal, "cannot write the report as JSON").with_source(source)
    })?;
    data(&text)
}
