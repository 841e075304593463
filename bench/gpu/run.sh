#!/usr/bin/env bash
# Our engine on a GPU, on random weights and random token ids: one JSON, in under eight minutes.
#
#   [OUT=FOLDER] bench/gpu/run.sh                      on a CUDA machine
#   bench/gpu/run.sh --device cpu --tiny               the whole way in small, to try the script
#
# Needs PyTorch, transformers and no network; what else `import fcrewardbench` wants comes from
# bench/gpu/wheels, which bench/gpu/fetch_wheels.sh fills beforehand. PYTHON chooses the Python.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
out=${OUT:-bench/results/gpu}
export PYTHONPATH="$PWD:$PWD/bench/gpu/site${PYTHONPATH:+:$PYTHONPATH}" HF_HUB_OFFLINE=1

if ! "$python" -c 'import pydantic, filelock' 2>/dev/null; then
    "$python" -m pip install --quiet --no-index --find-links bench/gpu/wheels \
        --target bench/gpu/site pydantic filelock
fi
mkdir -p "$out"
"$python" -m bench.gpu.measure --out "$out/result.json" "$@"

tests=$(grep -l 'mark\.gpu' tests/*.py || true)
if [ -n "$tests" ]; then
    # shellcheck disable=SC2086
    "$python" -m pytest -q -m gpu $tests 2>&1 | tee "$out/tests.txt"
fi
