#!/bin/sh
# Runs the tests of the Python client against the server that was built. Says so and passes where Python, pip, the network or
# the binary is missing: nothing else here needs them.
set -eu
cd "$(dirname "$0")/../python"

skip() {
    echo "skipped: the tests of the Python client: $1"
    exit 0
}

[ -n "${VISEME_BINARY:-}" ] || [ -x ../target/release/viseme ] || [ -x ../target/debug/viseme ] ||
    skip "the server is not built (cargo build --bin viseme)"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || skip "there is no Python 3.9 or newer"

# Installed anew when what it needs has changed.
installed=.venv/installed
if [ ! -e $installed ] || [ pyproject.toml -nt $installed ]; then
    python3 -m venv .venv >/dev/null 2>&1 || skip "python3 -m venv does not work"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 15 -e '.[test]' ||
        skip "pip could not install what they need"
    touch $installed
fi
exec .venv/bin/python -m pytest --quiet
