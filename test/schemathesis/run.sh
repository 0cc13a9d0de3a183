#!/usr/bin/env bash
# Starts the program on a free port with an empty store, runs schemathesis over its /openapi.json and stops it again.
#
#   test/schemathesis/run.sh PROGRAM
#
# SCHEMATHESIS_ARGS adds options to `schemathesis run`. The tools are installed once into bin/schemathesis, a Python
# virtual environment, and again when requirements.txt changes.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${1:?usage: test/schemathesis/run.sh PROGRAM}
here=test/schemathesis
tools=bin/schemathesis
python=$tools/bin/python

if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
	rm -rf "$tools"
	python3 -m venv "$tools"
	"$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
	cp "$here/requirements.txt" "$tools/installed.txt"
fi

work=$(mktemp -d)
server=
finish() {
	local code=$?
	if [ -n "$server" ] && kill "$server" 2>/dev/null; then
		wait "$server" || { echo "the program ended with exit code $?" >&2 && code=1; }
	fi
	if [ "$code" -ne 0 ] && [ -f "$work/server.log" ]; then
		echo "the program's last lines:" >&2
		tail -n 20 "$work/server.log" >&2
	fi
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
HOST=127.0.0.1 PORT=$port DATA_DIR=$work/data LOG_LEVEL=WARNING "$program" serve >"$work/server.log" 2>&1 </dev/null &
server=$!

"$python" "$here/wait_ready.py" "$url/health/ready" "$server"

# shellcheck disable=SC2086 # The options are several words.
"$tools/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$url/openapi.json" ${SCHEMATHESIS_ARGS:-}
