# The index of everything that can be run here: `make help`.
#
# A fresh machine needs python3 (3.11 or newer) with pip, and make. Everything goes into .venv; a second run
# installs nothing. Stamps in .venv are keyed on the lock files and on pyproject.toml.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# A virtual environment made without ensurepip (Debian's python3 without python3-venv) borrows pip from outside.
PIP = $$(if $(PY) -c 'import pip' 2>/dev/null; then echo $(PY) -m pip; else echo $(PYTHON) -m pip --python $(PY); fi)
PIP_INSTALL = $(PIP) install -qq --no-input --disable-pip-version-check
# One worker a core; each starts a PostgreSQL of its own when a test asks for one.
WORKERS ?= 2
PYTEST_ARGS ?=
# Of `make soak`: how much longer than an hour, the seed to repeat, the file that table and failures are written to.
TIMES ?= 1
SEED ?=
REPORT ?=
CODE := $(wildcard src tests bench demo)
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format types contracts unit soak bench lock clean

help: ## Show this list
	@echo "strongroom: create a wallet, retry it as often as you like; its key is never lost."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.core ## See it work: create, create again, kill, retry, verify (SQLite, no server)
	@$(PY) demo/demo.py

test: lint types contracts unit ## Run every check and every test, on SQLite and on PostgreSQL

lint: $(VENV)/.all ## Check style and format (ruff)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

format: $(VENV)/.all ## Rewrite the code in the house format
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

types: $(VENV)/.all ## Check types (mypy --strict)
	$(BIN)/mypy --strict $(CODE)

contracts: $(VENV)/.all ## Check that imports follow the design (import-linter)
	$(BIN)/lint-imports

unit: $(VENV)/.all ## Run the tests alone; PYTEST_ARGS="-k create" picks some, WORKERS=0 runs in one process
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

soak: $(VENV)/.all ## Attack for an hour: kills, cuts, failovers, faults; TIMES=10 for longer, SEED=7 repeats a run
	STRONGROOM_ATTACK=soak STRONGROOM_ATTACK_TIMES=$(TIMES) STRONGROOM_TEST_SEED=$(SEED) STRONGROOM_ATTACK_REPORT=$(REPORT) \
		$(BIN)/pytest -n $(WORKERS) --dist worksteal --verbose tests/attacks $(PYTEST_ARGS)

bench: $(VENV)/.all ## Measure speed on both databases, print a table, write JSON
	$(PY) -m bench

lock: ## Choose the newest versions that pyproject.toml allows and pin them with hashes
	@test -x .venv-lock/bin/uv || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv==$(UV_VERSION); }
	.venv-lock/bin/uv pip compile --quiet --upgrade $(UV_LOCK) --extra postgresql --group test --group lint \
		--output-file requirements/all.txt
	.venv-lock/bin/uv pip compile --quiet --upgrade $(UV_LOCK) --constraints requirements/all.txt \
		--output-file requirements/core.txt

# For Python 3.11 and newer on every platform. No comment names where the files came from.
UV_LOCK := pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url

clean: ## Remove environments, caches and results; nothing that you wrote
	rm -rf $(VENV) .venv-lock build dist bench/results demo/work
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "strongroom needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

# The core alone: what a user installs, and what builds it.
$(VENV)/.core: requirements/core.txt pyproject.toml | $(PY)
	@echo "Installing strongroom into $(VENV)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements/core.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@$(PIP) check >/dev/null || { $(PIP) check; echo "requirements/ is older than pyproject.toml: make lock" >&2; exit 1; }
	@touch $@

# The rest: PostgreSQL driver and server, test libraries, linters.
$(VENV)/.all: requirements/all.txt $(VENV)/.core
	@echo "Installing what tests and checks need into $(VENV)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements/all.txt
	@touch $@
