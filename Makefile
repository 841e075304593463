# The commands of the README: make demo, make test, make board.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_PAIRS ?= 120
DEMO_RUN = runs/demo/smollm2-135m-q4-$(DEMO_PAIRS)
TOOLRM_RUN = runs/demo/toolrm-smollm2-135m-$(DEMO_PAIRS)
BASELINES := random longer shorter overlap schema

# Modules are compiled when they are first imported, and only then: so that has to be kept.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test lint pytest board

demo: $(VENV)/.demo
	@for name in $(BASELINES); do \
		$(BIN)/fcrb evaluate --model baseline/$$name --out runs/demo/$$name >/dev/null || exit; \
	done
	$(BIN)/fcrb evaluate --model smollm2-135m-q4 --limit $(DEMO_PAIRS) --out $(DEMO_RUN)
	$(BIN)/fcrb evaluate --model toolrm/smollm2-135m --limit $(DEMO_PAIRS) --out $(TOOLRM_RUN)
	$(BIN)/fcrb compare $(addprefix runs/demo/,$(BASELINES)) $(DEMO_RUN) $(TOOLRM_RUN)

# Both at once, since either alone leaves a core idle for a while.
test: $(VENV)/.test
	$(MAKE) --no-print-directory --jobs 2 lint pytest

# Workers of one thread each, as threads of several would wait for each other; one more than two cores, as
# some tests wait for servers and browsers.
pytest: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

board: $(VENV)/.board
	$(BIN)/python -m leaderboard_app.build --out runs/site
	$(BIN)/python -m leaderboard_app.app --site runs/site

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e '.[hf]'
	@touch $@

$(VENV)/.board: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e '.[app]'
	@touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e '.[all]'
	@touch $@
