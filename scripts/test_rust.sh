#!/bin/sh
# Runs the tests of the workspace: with cargo-nextest, where it is installed, which runs tests of several crates side by side
# and takes half the time; otherwise with cargo test.
set -eu
cd "$(dirname "$0")/.."

cargo nextest --version >/dev/null 2>&1 || exec cargo test --workspace --locked

# nextest keeps to itself what a test says that passes. Those that were skipped say so in this file.
VISEME_SKIPPED=$(mktemp)
export VISEME_SKIPPED
trap 'rm -f "$VISEME_SKIPPED"' EXIT
status=0
cargo nextest run --workspace --locked --no-fail-fast || status=$?
sort "$VISEME_SKIPPED" >&2
[ $status = 0 ] || exit $status
# It does not know the examples in the documentation.
cargo test --workspace --locked --doc
