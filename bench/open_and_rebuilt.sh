#!/usr/bin/env bash
# Every scorer that needs no GPU and no key on open and on rebuilt, and how far their orders agree.
#     [PAIRS=120] bench/open_and_rebuilt.sh RESULTS_FOLDER…
# RESULTS_FOLDER: what docs/build.md says to clone for `rebuilt`. Language models score a sample of PAIRS.
set -euo pipefail
results=()
for folder in "$@"; do results+=(--results "$(realpath "$folder")"); done
cd "$(dirname "$0")/.."
bin=.venv/bin
pairs=${PAIRS:-120}
out=runs/agreement
$bin/fcrb build --preset rebuilt "${results[@]}"
for benchmark in open rebuilt; do
  for name in random longer shorter overlap schema; do
    $bin/fcrb evaluate --model "baseline/$name" --benchmark "$benchmark" --out "$out/$benchmark/$name" >/dev/null
  done
  for model in smollm2-135m-q4 gemma3-270m-q4; do
    $bin/fcrb evaluate --model "$model" --benchmark "$benchmark" --limit "$pairs" --dtype bfloat16 \
      --out "$out/$benchmark/$model" >/dev/null
  done
done
$bin/python scripts/rank_agreement.py "$out/open" "$out/rebuilt" | tee "$out/agreement.md"
