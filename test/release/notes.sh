#!/usr/bin/env bash
# Prints what CHANGELOG.md says of one version; a version that it does not have is an error.
#
#   test/release/notes.sh 1.2.3
#   test/release/notes.sh Unreleased
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:?usage: test/release/notes.sh VERSION}
notes=$(awk -v heading="## [$version]" 'index($0, heading) == 1 {inside = 1; next} /^## / {inside = 0} inside' CHANGELOG.md)
if [ -z "${notes//[[:space:]]/}" ]; then
	echo "release: CHANGELOG.md says nothing of $version: give its changes a heading ## [$version]" >&2
	exit 1
fi
printf '%s\n' "$notes"
