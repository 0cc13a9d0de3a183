#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, one after the other. The targets are found, not listed, so a new one
# cannot be forgotten.
#
#   test/fuzz/run.sh [TIME]    TIME for each target, as go test -fuzztime takes it (5s)
set -euo pipefail
cd "$(dirname "$0")/../.."

time=${1:-5s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# go test -list prints the names that match, package by package, and closes each package with a line "ok PATH TIME".
listed=$(go test -list '^Fuzz' ./...)
targets=$(awk '/^Fuzz/ {names[++n] = $1} /^ok/ {for (i = 1; i <= n; i++) print $2, names[i]; n = 0}' <<<"$listed")
if [ -z "$targets" ]; then
	echo "no fuzz target found" >&2
	exit 1
fi

# Up to Go 1.26 a target whose time is up may end with a bare "context deadline exceeded" (golang/go#75804): the fuzzer's
# own race, known by that no failing input was written. Only then is the target run again, and it must pass in the end.
fuzz() {
	local package=$1 target=$2 try
	for try in 1 2 3; do
		if go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" 2>&1 | tee "$log"; then
			return 0
		fi
		if ! grep -q '^ *context deadline exceeded$' "$log" || grep -q 'Failing input written' "$log"; then
			return 1
		fi
		echo "$target: the fuzzer stopped at its own deadline and found nothing (try $try of 3)"
	done
	return 1
}

count=0
while read -r package target <&3; do
	echo "fuzz $target in $package for $time"
	fuzz "$package" "$target"
	count=$((count + 1))
done 3<<<"$targets"
echo "$count fuzz targets, each for $time: nothing found"
