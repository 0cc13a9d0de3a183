#!/usr/bin/env bash
# Runs a command beside an empty MongoDB server in memory, and stops the server when the command has ended.
#
#   test/mongowire/run.sh COMMAND [ARGUMENT...]
#
# The command finds the server in TEST_MONGO_URI, and ORDERS_REQUIRE_MONGO=1 tells the tests that it must be there. Its
# exit code is the command's. MONGOWIRE_PORT asks for a port (0, the default: any that is free). Needs Java 17 and Maven,
# which builds the server into target/ the first time.
set -euo pipefail

if [ $# -eq 0 ]; then
	echo "usage: test/mongowire/run.sh COMMAND [ARGUMENT...]" >&2
	exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
built=$here/target/built
if [ ! -e "$built" ] || [ -n "$(find "$here/pom.xml" "$here/src" -newer "$built")" ]; then
	for tool in javac mvn; do
		command -v "$tool" >/dev/null || { echo "$0 needs Java 17 and Maven: there is no $tool" >&2 && exit 1; }
	done
	for try in 1 2 3; do # what Maven loads may not come at once
		said=$(mvn -B -q -f "$here/pom.xml" clean compile 2>&1) && break
		[ "$try" -lt 3 ] || { echo "$said" >&2 && exit 1; }
	done
	touch "$built"
fi

log=$(mktemp)
server=
finish() {
	local code=$?
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || echo "the MongoDB server ended before the command did" >&2
		wait "$server" 2>/dev/null || true
	fi
	if [ "$code" -ne 0 ] && [ -s "$log" ]; then
		echo "the MongoDB server's last lines:" >&2
		tail -n 20 "$log" >&2
	fi
	rm -f "$log"
	exit "$code"
}
trap finish EXIT

# The server ends with its standard input, so it never outlives this script: nobody else holds the other end.
coproc SERVER {
	exec java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
		-cp "$here/target/classes:$here/target/lib/*" mongowire.Main "${MONGOWIRE_PORT:-0}" 2>"$log"
}
server=$SERVER_PID
if ! read -r uri <&"${SERVER[0]}"; then
	echo "the MongoDB server does not start" >&2
	exit 1
fi

TEST_MONGO_URI=$uri TEST_MONGO_SERVER="mongo-java-server in memory" ORDERS_REQUIRE_MONGO=1 "$@"
