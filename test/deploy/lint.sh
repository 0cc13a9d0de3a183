#!/usr/bin/env bash
# Lints the Dockerfile (hadolint) and the CloudFormation templates (cfn-lint); a warning fails too.
#
#   test/deploy/lint.sh
#
# Needs Python 3. The linters are installed once into bin/deploy, a virtual environment, and again when requirements.txt
# changes.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=test/deploy
tools=bin/deploy
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
	rm -rf "$tools"
	python3 -m venv "$tools"
	"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
	cp "$here/requirements.txt" "$tools/installed.txt"
fi

echo hadolint Dockerfile
"$tools/bin/hadolint" Dockerfile

templates=(deploy/*/template.yaml)
echo "cfn-lint ${templates[*]}"
"$tools/bin/cfn-lint" --non-zero-exit-code warning "${templates[@]}"
