#!/usr/bin/env bash
# Runs a command beside an empty MongoDB server that asks who calls, and stops the server when the command has ended.
#
#   test/mongoauth/run.sh COMMAND [ARGUMENT...]
#
# The command finds the server in TEST_MONGO_AUTH_URI, which names no user, and the one that it lets in, of the database
# admin, in TEST_MONGO_AUTH_USER and TEST_MONGO_AUTH_PASSWORD. ORDERS_REQUIRE_MONGO_AUTH=1 tells the tests that it must be
# there. The exit code is the command's. Needs Go.
set -euo pipefail

if [ $# -eq 0 ]; then
	echo "usage: test/mongoauth/run.sh COMMAND [ARGUMENT...]" >&2
	exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
program=$here/../../bin/mongoauth
go build -C "$here" -o "$program" .

user=orders
password='p@ss:w/rd%21' # Has what must be escaped in a connection string, so that nobody forgets to.

server=
finish() {
	local code=$?
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || echo "the MongoDB server ended before the command did" >&2
		wait "$server" 2>/dev/null || true
	fi
	exit "$code"
}
trap finish EXIT

# The server ends with its standard input, so it never outlives this script: nobody else holds the other end.
coproc SERVER { MONGOAUTH_PASSWORD=$password exec "$program" -user "$user"; }
server=$SERVER_PID
if ! read -r uri <&"${SERVER[0]}"; then
	echo "the MongoDB server does not start" >&2
	exit 1
fi

TEST_MONGO_AUTH_URI=$uri TEST_MONGO_AUTH_USER=$user TEST_MONGO_AUTH_PASSWORD=$password ORDERS_REQUIRE_MONGO_AUTH=1 "$@"
