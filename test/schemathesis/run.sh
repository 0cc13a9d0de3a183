#!/usr/bin/env bash
# Starts the program on a free port with an empty store, runs schemathesis over its /openapi.json and stops it again; and then
# with AUTH=jwt, as those who may do everything, and as one who may only read.
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
stop() {
	local running=$server
	server=
	if [ -n "$running" ] && kill "$running" 2>/dev/null; then
		wait "$running" || { echo "the program ended with exit code $?" >&2 && return 1; }
	fi
}
finish() {
	local code=$?
	stop || code=1
	if [ "$code" -ne 0 ] && [ -f "$work/server.log" ]; then
		echo "the program's last lines:" >&2
		tail -n 20 "$work/server.log" >&2
	fi
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT

# serve [NAME=VALUE...] starts the program, and sets url.
serve() {
	local port
	port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	url=http://127.0.0.1:$port
	env HOST=127.0.0.1 PORT="$port" DATA_DIR="$work/data" LOG_LEVEL=WARNING ADMIN_ADDR=off "$@" "$program" serve >"$work/server.log" 2>&1 </dev/null &
	server=$!
	"$python" "$here/wait_ready.py" "$url/health/ready" "$server"
}

# scan [OPTION...] runs schemathesis.
scan() {
	# shellcheck disable=SC2086 # The options are several words.
	"$tools/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$url/openapi.json" "$@" ${SCHEMATHESIS_ARGS:-}
}

serve
scan
stop

# Who may do everything: as before, and what is sent without a token, or with a false one, must be refused (ignored_auth).
token() { DATA_DIR="$work/data" "$program" token "$@"; }
admin=$(token --scope orders:admin)
reader=$(token --scope orders:read)
serve AUTH=jwt JWT_PUBLIC_KEY_FILE="$work/data/dev-token.pub.pem" JWT_ISSUER=orders-dev JWT_AUDIENCE=orders
echo "with a token for everything"
scan --max-examples 15 --header "Authorization: Bearer $admin"

# Who may only read: whatever is asked, the answer is one that is documented. A right request may be refused, so that the checks
# of what is taken don't count.
echo "with a token that may only read"
scan --max-examples 15 --header "Authorization: Bearer $reader" \
	--checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance

# A service that lets everybody in, though its description says otherwise, must be found out.
"$python" -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$url/openapi.json" "$work/openapi.json"
stop
serve
if "$tools/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$work/openapi.json" --url "$url" --header "Authorization: Bearer $admin" \
	--checks ignored_auth --phases fuzzing --max-examples 2 --include-name "GET /orders" >"$work/open.log" 2>&1; then
	cat "$work/open.log" >&2
	echo "schemathesis finds nothing wrong with a service that asks nobody who calls" >&2
	exit 1
fi
grep -q 'accepts requests without authentication' "$work/open.log" || { cat "$work/open.log" >&2; exit 1; }
