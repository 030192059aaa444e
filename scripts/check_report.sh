#!/bin/sh
# Opens the report of the demo in Chromium and fails when the page puts anything on the console.
# check_report.sh [REPORT.html [SCREENSHOT.png]]; without a report it makes one of the demo clip.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
browser=
for name in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then browser=$name; break; fi
done
if [ -z "$browser" ]; then
    echo "skipped: Chromium is not installed (apt-get install chromium, or name it in CHROMIUM)"
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
report=${1:-}
if [ -z "$report" ]; then
    report=$work/report.html
    cargo run --quiet --locked --manifest-path "$root/Cargo.toml" --bin viseme -- sync --quiet \
        "$root/demo/presenter.mp4" "$root/demo/speech.wav" -o "$work/out.mp4" --report "$report"
fi
report=$(realpath "$report")
picture=${2:-$work/report.png}

# On the console are errors of the page and breaches of its policy; a test page proves that they would be seen.
look() {
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --enable-logging=stderr --window-size="${WINDOW:-1000,1700}" --screenshot="$2" "file://$1" 2>&1 | grep CONSOLE || true
}
cat > "$work/bad.html" <<'PAGE'
<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><img src="x.png">
PAGE
if [ -z "$(look "$work/bad.html" "$work/bad.png")" ]; then
    echo "failed: $browser does not tell what is on the console" >&2
    exit 1
fi
said=$(look "$report" "$picture")
if [ -n "$said" ]; then
    printf 'failed: the console of %s is not empty\n%s\n' "$report" "$said" >&2
    exit 1
fi
[ -s "$picture" ] || { echo "failed: $browser made no picture of $report" >&2; exit 1; }
echo "passed: nothing on the console of $report"
