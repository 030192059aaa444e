#!/bin/sh
# Makes sure that what the build and the tests need is there: Rust and ffmpeg 5.1 or newer. Installs ffmpeg through
# the system's package manager where it may; otherwise says exactly what to install.
# setup.sh tests: also PostgreSQL, where apt can install it; without it some tests are skipped, and say so.
set -eu

fail() {
    echo "setup: $1" >&2
    exit 1
}

command -v cargo >/dev/null 2>&1 || fail "Rust is missing. Install it from https://rustup.rs, then run this again."

# Runs a command as root: directly, or through sudo where that asks for no password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# What some tests want besides; nothing fails without it.
install_for_tests() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return
    command -v initdb >/dev/null 2>&1 && return
    command -v apt-get >/dev/null 2>&1 || return 0
    echo "setup: PostgreSQL is missing, installing it for its tests" >&2
    as_root apt-get update -qq || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql >/dev/null 2>&1 ||
        echo "setup: could not install PostgreSQL; its tests will be skipped" >&2
}

if [ "${1:-}" = tests ]; then
    install_for_tests
fi

if command -v ffmpeg >/dev/null 2>&1 && command -v ffprobe >/dev/null 2>&1; then
    exit 0
fi

# The command that installs ffmpeg here, as one line.
if command -v apt-get >/dev/null 2>&1; then
    install="apt-get install -y --no-install-recommends ffmpeg"
elif command -v dnf >/dev/null 2>&1; then
    install="dnf install -y ffmpeg-free"
elif command -v pacman >/dev/null 2>&1; then
    install="pacman -S --noconfirm ffmpeg"
elif command -v apk >/dev/null 2>&1; then
    install="apk add ffmpeg"
elif command -v brew >/dev/null 2>&1; then
    brew install ffmpeg && exit 0
    fail "'brew install ffmpeg' failed. Install ffmpeg 5.1 or newer, then run this again."
else
    fail "ffmpeg is missing and no known package manager was found. Install ffmpeg 5.1 or newer, then run this again."
fi

echo "setup: ffmpeg is missing, installing it: $install" >&2
case $install in
apt-get*) as_root apt-get update -qq || true ;;
esac
# shellcheck disable=SC2086 # the words of the command are meant to be split
as_root $install >/dev/null || fail "could not install ffmpeg. Run this as root, then try again: $install"
command -v ffprobe >/dev/null 2>&1 || fail "ffmpeg was installed but ffprobe is not on the PATH."
