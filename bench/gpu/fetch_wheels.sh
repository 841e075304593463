#!/usr/bin/env bash
# What run.sh needs beside PyTorch and transformers, as wheels for a machine without network.
#
#   bench/gpu/fetch_wheels.sh [PYTHON_VERSION…]      (3.11 3.12 3.13)
#
# Run it on a machine of the same platform, then take the checkout there, bench/gpu/wheels included.
set -euo pipefail
cd "$(dirname "$0")/../.."
for version in "${@:-3.11 3.12 3.13}"; do
    for one in $version; do
        "${PYTHON:-.venv/bin/python}" -m pip download --quiet --only-binary=:all: \
            --python-version "$one" --dest bench/gpu/wheels 'pydantic>=2.7' 'filelock>=3.13'
    done
done
ls bench/gpu/wheels
