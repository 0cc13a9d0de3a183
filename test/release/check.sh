#!/usr/bin/env bash
# Checks what goreleaser has made: that all of it is there, that it is what the checksums say, that each bill of materials
# names the libraries of its program, and that the program for this machine runs and knows its version.
#
#   test/release/check.sh FOLDER
set -euo pipefail

dist=${1:?usage: test/release/check.sh FOLDER}
cd "$dist"
fail() {
	echo "release: $*" >&2
	exit 1
}

sha256sum --check --quiet checksums.txt

platforms=(linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64)
for platform in "${platforms[@]}"; do
	archives=(orders_*_"$platform".tar.gz)
	list=(tar -tzf)
	program=orders
	if [ "$platform" = windows_amd64 ]; then
		archives=(orders_*_"$platform".zip)
		list=(python3 -m zipfile -l)
		program=orders.exe
	fi
	[ -f "${archives[0]}" ] || fail "there is no archive for $platform"
	content=$("${list[@]}" "${archives[0]}")
	for file in "$program" LICENSE README.md CHANGELOG.md; do
		grep -q "^$file\b" <<<"$content" || fail "${archives[0]} has no $file"
	done
	materials=(orders_*_"$platform".cdx.json)
	[ -f "${materials[0]}" ] || fail "there is no bill of materials for $platform"
	for library in github.com/ncruces/go-sqlite3 go.mongodb.org/mongo-driver/v2 github.com/aws/aws-sdk-go-v2; do
		grep -q "\"name\": \"$library\"" "${materials[0]}" || fail "${materials[0]} does not name $library"
	done
	for file in "${archives[0]}" "${materials[0]}"; do
		grep -q "  $file\$" checksums.txt || fail "checksums.txt does not have $file"
	done
done

here=$(go env GOOS)_$(go env GOARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
archives=(orders_*_"$here".tar.gz)
tar -xzf "${archives[0]}" -C "$work"
version=${archives[0]#orders_}
version=${version%_"$here".tar.gz}
"$work/orders" version | grep -qF "$version" || fail "the program says: $("$work/orders" version)"
echo "release $version is whole: ${#platforms[@]} platforms"
