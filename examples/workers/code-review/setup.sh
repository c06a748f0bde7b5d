#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts the code analysers behind the example solvers into a Python virtual environment.
#
#   setup.sh VENV_DIR
#
# Versions are pinned in requirements.txt. Safe to run again: it does nothing when the environment
# already has exactly these versions. PYTHON names the interpreter to use (default: python3; it must
# be 3.11 or newer). Afterwards run the solvers with VENV_DIR/bin/python.
set -euo pipefail

usage() { sed -n '4,10s/^# \{0,1\}//p' "$0"; }

case "${1:-}" in
    -h | --help) usage; exit 0 ;;
    "" | -*) usage >&2; exit 2 ;;
esac
[ $# -eq 1 ] || { usage >&2; exit 2; }

venv=$1
python=${PYTHON:-python3}
requirements="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements.txt"
stamp="$venv/.tos-requirements"

if [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$stamp"; then
    echo "analysers: up to date in $venv"
    exit 0
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "setup.sh: Python 3.11 or newer is needed; set PYTHON" >&2; exit 1; }
rm -f "$stamp"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement "$requirements"
# The stamp comes last, so an interrupted run is repeated.
cp "$requirements" "$stamp"
echo "analysers: installed in $venv"
