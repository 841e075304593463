#!/usr/bin/env bash
# The api adapter against a real server: llama-cpp-python with SmolLM2-135M-Instruct on this machine.
#
#   bench/api_llama_cpp.sh OUT [LIMIT]
#
# Makes a virtual environment under OUT with llama-cpp-python[server] (built from source: a C++
# compiler, about four minutes, once), starts the server, judges LIMIT pairs (100) of the benchmark
# `open`, and stops the server. Run it where `fcrb` and `python` are this project's own. PORT chooses
# the port (8077). The scores say nothing of the model, which answers A whatever it sees; what is tried
# is the way there: log-probabilities, both orders, long prompts, speed.
set -euo pipefail

out=${1:?usage: bench/api_llama_cpp.sh OUT [LIMIT]}
limit=${2:-100}
port=${PORT:-8077}
model=smollm2-135m-q4
url="http://127.0.0.1:$port/v1"

mkdir -p "$out"
server="$out/server"
if [ ! -x "$server/bin/uvicorn" ]; then
    python -m venv "$server"
    "$server/bin/pip" install --quiet 'llama-cpp-python[server]==0.3.36'
fi
gguf=$(python -c "from fcrewardbench.models import gguf_path; print(gguf_path('$model'))")

if python -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
    echo "Port $port is taken: set PORT to another." >&2
    exit 2
fi
# logits_all is what makes log-probabilities possible there.
"$server/bin/python" -m llama_cpp.server --model "$gguf" --model_alias "$model" \
    --host 127.0.0.1 --port "$port" --n_ctx 8192 --logits_all true >"$out/server.log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT

for _ in $(seq 60); do
    if python -c "import urllib.request; urllib.request.urlopen('$url/models', timeout=1)" \
        2>/dev/null; then
        break
    fi
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "The server ended; see $out/server.log." >&2
        exit 1
    fi
    sleep 1
done

# One request at a time is what this server can do; a second one in its queue keeps it busy.
time fcrb evaluate --model "$model" --adapter api --base-url "$url" --concurrency 2 \
    --benchmark open --limit "$limit" --out "$out/run"
