#!/usr/bin/env bash
# Checks that every library in the program, on each platform that is released, has a license that allowed.txt allows, and
# lists what it looked at. It reads the module cache and needs no network.
set -euo pipefail
cd "$(dirname "$0")/../.."

allowed=test/licenses/allowed.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# GOOS is for what the tool looks at, not for the tool.
go build -modfile=tools/go-licenses/go.mod -o "$work/go-licenses" github.com/google/go-licenses
for os in linux darwin windows; do
	# It warns of what it can't look up on the network: the addresses of licenses, which nobody asks for here.
	GOOS=$os GOPROXY=off "$work/go-licenses" report --ignore order-processing-service ./cmd/orders >>"$work/found.csv" 2>"$work/warnings" ||
		{ cat "$work/warnings" >&2; exit 1; }
done
sort -u "$work/found.csv" | awk -F, '{print $1, $NF}' >"$work/found"

# judge LIST prints the libraries whose license is not in a list, and fails if there is one.
judge() {
	awk 'FNR == NR { if (NF == 1) license[$1] = 1; if (NF == 3) read[$1] = 1; next }
		!($2 in license) && !($1 in read) { print "license: " $1 " is " $2; bad = 1 }
		END { exit bad }' "$1" "$work/found"
}

count=$(wc -l <"$work/found")
[ "$count" -ge 20 ] || { echo "license: only $count libraries were found; what was looked at?" >&2; exit 1; }
if judge <(echo ISC) >/dev/null; then
	echo "license: the check can't fail" >&2
	exit 1
fi
judge "$allowed" >&2 || { echo "license: choose another library, or say in $allowed why it may be" >&2; exit 1; }

# What a person read must be what is there still.
while read -r library license sum; do
	grep -q "^$library " "$work/found" || { echo "license: $library in $allowed is not in the program" >&2; exit 1; }
	dir=$(go list -m -f '{{.Dir}}' "$library")
	sha256sum --check --quiet <<<"$sum  $dir/LICENSE" || { echo "license: read that of $library again: it was $license" >&2; exit 1; }
done < <(awk '!/^#/ && NF == 3' "$allowed")

column -t "$work/found" 2>/dev/null || cat "$work/found"
echo "licenses: $count libraries, each with one that $allowed allows"
