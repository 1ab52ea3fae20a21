# Everything a person does here. The first call sets up .venv; later calls do not.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
UV := uv==0.13.9
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start the program some hundred times: compiled modules are kept, whatever the surroundings say.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit browser lint format types docs bench faults lock clean

help: ## List what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: $(READY) ## Make .venv with everything in it

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Secure Export needs Python 3.11 or newer; name one with make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet "$(UV)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

demo: $(READY) ## Run the whole flow on this machine (ARGS=--once for one round)
	@$(BIN)/secure-export demo $(ARGS)

test: $(READY) browser ## Run every test (ARGS="-k name" for some)
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

unit: $(READY) ## Run the fast tests: no database, socket or process, few examples of each property
	@$(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile quick -m "not postgresql and not served" tests/unit $(ARGS)

browser: ## Install Chromium for the browser tests, where the system lets us
	@command -v chromium >/dev/null || test -e .venv/.no-chromium || { \
	  { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1 \
	  || { touch .venv/.no-chromium; echo "NOTE: Chromium is not here and cannot be installed: the browser tests will be skipped."; }; }

lint: $(READY) ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY) ## Mend style and format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

types: $(READY) ## Check types, strictly
	@$(BIN)/mypy

docs: $(READY) ## Write the reference pages that come from the program itself
	@$(BIN)/python docs/generate.py

bench: $(READY) ## Measure (ARGS=--quick for a short run)
	@$(BIN)/python -m bench $(ARGS)

faults: $(READY) ## Break everything for an hour (MINUTES=10 for less, SEED=7 for one run again)
	@$(BIN)/python -m tests.faults.cluster $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

lock: $(READY) ## Renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements.lock

clean: ## Remove what was set up
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
