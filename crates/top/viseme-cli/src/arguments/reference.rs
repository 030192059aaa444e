//! The table of settings in docs/OPERATIONS.md is what the command line says of itself.

use super::Arguments;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;
use std::path::Path;

/// Between these lines stands the table.
const BEGIN: &str = "<!-- settings: begin (UPDATE_DOCS=1 cargo test -p viseme-cli settings) -->\n";
const END: &str = "<!-- settings: end -->\n";

#[test]
fn the_settings_in_docs_are_those_of_the_command_line() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/OPERATIONS.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert!(
            written == table,
            "docs/OPERATIONS.md is old: UPDATE_DOCS=1 cargo test -p viseme-cli settings"
        );
    }
}

fn table() -> String {
    let mut arguments = Arguments::command();
    arguments.build();
    let command = |name: &str| arguments.find_subcommand(name).unwrap().clone();
    let (serve, work) = (command("serve"), command("work"));
    let mut table =
        String::from("\n| setting | variable | default | what | of |\n| --- | --- | --- | --- | --- |\n");
    let knows =
        |command: &Command, arg: &Arg| command.get_arguments().any(|known| known.get_id() == arg.get_id());
    let work_alone = work.get_arguments().filter(|arg| !knows(&serve, arg));
    for arg in serve.get_arguments().chain(work_alone).filter(|arg| arg.get_id() != "help") {
        let of = match (knows(&serve, arg), knows(&work, arg)) {
            (true, true) => "both",
            (true, false) => "serve",
            _ => "work",
        };
        writeln!(table, "{} {of} |", row(arg)).unwrap();
    }
    table.push('\n');
    table
}

fn row(arg: &Arg) -> String {
    let name = arg.get_long().unwrap_or_else(|| panic!("{} has no name", arg.get_id()));
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).unwrap_or_default();
    let value = value.first().map(|name| format!(" {name}")).unwrap_or_default();
    let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = if defaults.is_empty() || !arg.get_action().takes_values() {
        String::new()
    } else {
        format!("`{}`", defaults.join(","))
    };
    let what = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    format!("| `--{name}{value}` | {variable} | {default} | {what} |")
}
