#!/bin/sh
# Sends some two thousand requests that the description of the service allows, and some that it does not, to a server of our own: none may be
# answered with 500 or 507, or not at all. 501 to 504 are answers that clients can expect: an address that they named does not answer, an engine is
# not installed.
#
#     python3 -m venv venv && venv/bin/pip install schemathesis
#     cargo build --bin viseme && ST=venv/bin/st scripts/check_api.sh target/debug/viseme [--max-examples 30 …]
set -eu

[ $# -ge 1 ] || { echo "usage: scripts/check_api.sh BINARY [options of schemathesis]" >&2; exit 1; }
viseme=$1
shift
ST=${ST:-st}
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$folder"' EXIT

# No address that a request names can be reached: only public https is taken, and there is no network for a name of its making.
"$viseme" serve --listen 127.0.0.1:0 --data "$folder/data" --log error 2> "$folder/log" &
server=$!
until address=$(sed -n 's/^listening on //p' "$folder/log") && [ -n "$address" ]; do
    kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
    sleep 0.2
done

cat > "$folder/schemathesis.toml" << 'END'
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "501", "502", "503", "504"]
END
"$ST" --config-file "$folder/schemathesis.toml" run "$address/openapi.json" --checks not_a_server_error --max-examples 30 --request-timeout 30 "$@"
