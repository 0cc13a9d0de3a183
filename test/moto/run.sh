#!/usr/bin/env bash
# Runs a command beside an empty AWS in memory (moto), and stops it when the command has ended.
#
#   test/moto/run.sh COMMAND [ARGUMENT...]
#
# The command finds it in TEST_AWS_ENDPOINT_URL, and ORDERS_REQUIRE_AWS=1 tells the tests that it must be there. Its exit
# code is the command's. Needs Python 3; moto is installed once into bin/moto, a virtual environment, and again when
# requirements.txt changes.
set -euo pipefail

if [ $# -eq 0 ]; then
	echo "usage: test/moto/run.sh COMMAND [ARGUMENT...]" >&2
	exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../bin/moto
python=$tools/bin/python
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
	rm -rf "$tools"
	python3 -m venv "$tools"
	"$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
	cp "$here/requirements.txt" "$tools/installed.txt"
fi

log=$(mktemp)
server=
finish() {
	local code=$?
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || echo "moto ended before the command did" >&2
		wait "$server" 2>/dev/null || true
	fi
	if [ "$code" -ne 0 ] && [ -s "$log" ]; then
		echo "moto's last lines:" >&2
		tail -n 20 "$log" >&2
	fi
	rm -f "$log"
	exit "$code"
}
trap finish EXIT

# It says where it listens, and ends with its standard input: nobody else holds the other end.
coproc SERVER {
	exec "$python" "$here/serve.py" 2>"$log"
}
server=$SERVER_PID
if ! read -r url <&"${SERVER[0]}"; then
	echo "moto does not start" >&2
	exit 1
fi

TEST_AWS_ENDPOINT_URL=$url ORDERS_REQUIRE_AWS=1 "$@"
