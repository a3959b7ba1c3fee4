# The index of everything that can be run here: `make help`.
#
# A fresh machine needs python3 (3.11 or newer) with pip, and make. Everything goes into .venv; a second run
# installs nothing. Stamps in .venv are keyed on the lock files and on pyproject.toml.

PYTHON ?= python3
# Each of the many processes of a run would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
# The chains' own libraries, which tests of `make attack` ask: an environment that nothing else sees.
ORACLES := .venv-oracles
BIN := $(VENV)/bin
PY := $(BIN)/python
# A virtual environment made without ensurepip (Debian's python3 without python3-venv) borrows pip from outside.
PIP = $$(if $(PY) -c 'import pip' 2>/dev/null; then echo $(PY) -m pip; else echo $(PYTHON) -m pip --python $(PY); fi)
PIP_INSTALL = $(PIP) install -qq --no-input --disable-pip-version-check
# Each starts a PostgreSQL of its own when a test asks for one. For two cores: servers that start, and tests that wait
# for locks, leave one to a third.
WORKERS ?= 3
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist worksteal
PYTEST_ARGS ?=
# Of `make attack` and `make soak`: how many times as much, the seed to repeat, the file that table and failures go to.
TIMES ?= 1
SEED ?=
REPORT ?=
ATTACK = STRONGROOM_ATTACK_TIMES=$(TIMES) STRONGROOM_TEST_SEED=$(SEED) STRONGROOM_ATTACK_REPORT=$(REPORT) $(PYTEST)
CODE := $(wildcard src tests testbed bench demo)
UV_VERSION := 0.13.9
# What is installed: `make test-oldest` makes another environment from another lock file.
CORE_LOCK ?= requirements/core.txt
ALL_LOCK ?= requirements/all.txt
# Of `make test-oldest`: what meets SQLAlchemy, cryptography, psycopg and the command line. OLDEST_TESTS=tests runs all.
OLDEST_TESTS ?= tests/unit/crypto tests/unit/rootkeys tests/unit/test_public_api.py tests/unit/store \
	tests/integration/test_read_and_verify.py tests/integration/test_callers_transaction.py \
	tests/integration/test_other_connections.py tests/integration/test_cancelled_calls.py tests/integration/test_opening.py \
	tests/integration/test_root_keys.py tests/acceptance/test_cli.py

# Of `make test-postgresql` and `make test-pgbouncer`: what runs there. `make attack` runs a selection of a minute each.
VERSIONS := 14 15 16 17
VERSION ?= 14
SIZE ?= attack
SAMPLED ?=
POOLED ?= not sqlite and not read_only
POSTGRESQL_TESTS ?= tests/integration
PGBOUNCER_TESTS ?= tests/integration/test_callers_transaction.py tests/integration/test_get_or_create.py \
	tests/integration/test_lifecycle.py tests/integration/test_log_and_lists.py tests/integration/test_requests.py \
	tests/integration/test_rewrap.py tests/integration/test_signing.py
SHARDED_TESTS ?= tests/integration
CITUS_TESTS ?= tests/integration
CITUS_SIZE ?=
# Of what has a vault on the nodes. Guards are triggers, which distributed tables have none of; others read the log of a server of their own.
CITUS ?= not guard and not hijack and not planted and not canary
SHARDED ?=
# Modules are named, since it takes a while to read all of them. Dozens of processes at once meet the wheel's server alone.
SELECTED_POSTGRESQL_TESTS := $(addprefix tests/integration/test_,column_types.py doctor_schema.py existing_databases.py \
	get_or_create.py grants.py guard_installed.py init.py migrate.py migrate_roles.py migrate_variants.py own_schema.py \
	planted_tables.py project_ids_that_are_no_uuids.py root_key_calls.py)
SELECTED_POSTGRESQL := not sqlite and not processes and (doctor_schema or get_or_create or guard_installed or init or migrate or planted_tables or grants)
SELECTED_POOLER := (get_or_create or callers_transaction or log_and_lists or rewrap) and not sqlite and not read_only and not processes

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKE_OLDEST = $(MAKE) --no-print-directory VENV=.venv-oldest CORE_LOCK=requirements/oldest.txt ALL_LOCK=requirements/oldest.txt
.PHONY: help demo check test test-oldest run-oldest elsewhere selected-oldest selected-pgbouncer selected-sharded test-postgresql test-pgbouncer test-sharded test-citus lint format types contracts unit tests attack matrix soak bench lock clean

help: ## Show this list
	@echo "strongroom: create a wallet, retry it as often as you like; its key is never lost."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.core ## See it work: create, create again, kill, retry, verify (SQLite, no server)
	@$(PY) demo/demo.py

check: lint types contracts unit ## Check style, types and contracts, and run the unit tests: under two minutes

test: lint types contracts tests ## Run what a change must pass, on SQLite and on PostgreSQL, each attack in its small form

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

unit: $(VENV)/.all ## Run the unit tests alone
	$(PYTEST) tests/unit $(PYTEST_ARGS)

tests: $(VENV)/.all ## Run the tests alone; PYTEST_ARGS="-k create" picks some, WORKERS=0 runs in one process
	$(PYTEST) $(PYTEST_ARGS)

test-oldest: ## Run tests with the oldest versions of libraries that are allowed (Python 3.11 or 3.12)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { \
		echo "The oldest versions allowed have wheels for Python 3.11 and 3.12: make PYTHON=python3.12 $@" >&2; exit 1; }
	@$(MAKE_OLDEST) run-oldest

# New libraries deprecate what old ones call: that is theirs to settle.
run-oldest: $(VENV)/.all
	STRONGROOM_SAMPLED=$(SAMPLED) \
		$(PY) -m pytest -n $(WORKERS) --dist worksteal -W ignore::DeprecationWarning $(OLDEST_TESTS) $(PYTEST_ARGS)

test-postgresql: $(VENV)/.all ## Run the integration tests on another PostgreSQL: VERSION=14 to 17 (from npm)
	@$(PY) -m testbed.servers.releases $(VERSION) >/dev/null
	STRONGROOM_POSTGRESQL=$(VERSION) STRONGROOM_ATTACK=$(SIZE) STRONGROOM_SAMPLED=$(SAMPLED) $(PYTEST) $(POSTGRESQL_TESTS) $(PYTEST_ARGS)

# The pooler talks to servers as one user, and passes no options on.
test-pgbouncer: $(VENV)/.all ## Run tests through pgbouncer in transaction mode (from Debian's packages, without root)
	@$(PY) -m testbed.servers.pgbouncer >/dev/null
	STRONGROOM_POOLER=pgbouncer STRONGROOM_PREPARED_STATEMENTS=false STRONGROOM_ATTACK=$(SIZE) \
		$(PYTEST) $(PGBOUNCER_TESTS) -k "$(POOLED)" $(PYTEST_ARGS)

test-sharded: $(VENV)/.all ## Run the integration tests where tables are divided by project (partitions of PostgreSQL)
	STRONGROOM_PARTITIONED=8 STRONGROOM_ATTACK=$(SIZE) $(PYTEST) $(SHARDED_TESTS) -k "$(SHARDED)" $(PYTEST_ARGS)

# Each database that the integration tests make is on the cluster, so one worker alone runs them.
test-citus: $(VENV)/.all ## Run the tests for Citus, then the integration tests on it: STRONGROOM_CITUS_URL names the coordinator
	@test -n "$$STRONGROOM_CITUS_URL" || { echo "Set STRONGROOM_CITUS_URL to the coordinator's URL." >&2; exit 1; }
	$(BIN)/pytest tests/citus $(PYTEST_ARGS)
	STRONGROOM_DISTRIBUTED=1 STRONGROOM_ATTACK=$(CITUS_SIZE) $(BIN)/pytest $(CITUS_TESTS) -k "$(CITUS)" $(PYTEST_ARGS)

attack: $(VENV)/.all $(ORACLES)/.done ## Attack at length, run all that `make test` leaves out, then other versions; SEED=7 repeats a run
	STRONGROOM_ATTACK=attack $(ATTACK) -m longer $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory elsewhere PYTEST_ARGS=

# What is not of this machine's environment: selections of at most a minute each, two at a time.
elsewhere: $(VENV)/.all
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target WORKERS=2 \
		selected-oldest $(VERSIONS:%=selected-postgresql-%) selected-pgbouncer selected-sharded PYTEST_ARGS=

selected-oldest:
	@$(MAKE) --no-print-directory test-oldest SAMPLED=1

selected-postgresql-%:
	@$(MAKE) --no-print-directory test-postgresql VERSION=$* SIZE= SAMPLED=1 \
		POSTGRESQL_TESTS="$(SELECTED_POSTGRESQL_TESTS)" PYTEST_ARGS='-k "$(SELECTED_POSTGRESQL)"'

selected-pgbouncer:
	@$(MAKE) --no-print-directory test-pgbouncer SIZE= POOLED="$(SELECTED_POOLER)"

selected-sharded:
	@$(MAKE) --no-print-directory test-sharded SIZE= SHARDED="not processes"

matrix: $(VENV)/.all ## Tamper with every column of every table in every way, ask every verb, print the matrix
	STRONGROOM_ATTACK=matrix $(ATTACK) tests/attacks/tampering $(PYTEST_ARGS)

soak: $(VENV)/.all $(ORACLES)/.done ## Attack for an hour: kills, cuts, failovers, faults, then other versions whole; TIMES=10 for longer
	STRONGROOM_ATTACK=soak $(ATTACK) --verbose tests/attacks $(PYTEST_ARGS)
	STRONGROOM_ATTACK=soak $(PYTEST) tests/integration tests/acceptance -m longer
	@$(MAKE) --no-print-directory test-oldest OLDEST_TESTS=tests PYTEST_ARGS=
	@for version in $(VERSIONS); do \
		$(MAKE) --no-print-directory test-postgresql VERSION=$$version SIZE=soak PYTEST_ARGS= || exit 1; done
	@$(MAKE) --no-print-directory test-pgbouncer SIZE=soak PYTEST_ARGS=
	@$(MAKE) --no-print-directory test-sharded SIZE=soak PYTEST_ARGS=

bench: $(VENV)/.all ## Measure speed on both databases, print a table, write JSON
	$(PY) -m bench

lock: ## Choose the newest versions that pyproject.toml allows and pin them with hashes
	@test -x .venv-lock/bin/uv || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv==$(UV_VERSION); }
	.venv-lock/bin/uv pip compile --quiet --upgrade $(UV_LOCK) --extra postgresql --group test --group lint \
		--output-file requirements/all.txt
	.venv-lock/bin/uv pip compile --quiet --upgrade $(UV_LOCK) --constraints requirements/all.txt \
		--output-file requirements/core.txt
	.venv-lock/bin/uv pip compile --quiet pyproject.toml --extra postgresql --universal --python-version 3.11 --no-header \
		--no-annotate --no-emit-index-url --no-deps --resolution lowest-direct --output-file .venv-lock/oldest.txt
	.venv-lock/bin/uv pip compile --quiet --upgrade --group oracles $(UV_LOCKED) --output-file requirements/oracles.txt
	cp requirements/all.txt requirements/oldest.txt
	.venv-lock/bin/uv pip compile --quiet $(UV_LOCK) --extra postgresql --group test --constraints .venv-lock/oldest.txt \
		--output-file requirements/oldest.txt

# For Python 3.11 and newer on every platform. No comment names where the files came from.
UV_LOCKED := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
UV_LOCK := pyproject.toml --group build $(UV_LOCKED)

clean: ## Remove environments, caches and results; nothing that you wrote
	rm -rf $(VENV) $(ORACLES) .venv-oldest .venv-lock build dist bench/results demo/work
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "strongroom needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

# The core alone: what a user installs, and what builds it.
$(VENV)/.core: $(CORE_LOCK) pyproject.toml | $(PY)
	@echo "Installing strongroom into $(VENV)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r $(CORE_LOCK)
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@$(PIP) check >/dev/null || { $(PIP) check; echo "requirements/ is older than pyproject.toml: make lock" >&2; exit 1; }
	@touch $@

$(ORACLES)/.done: requirements/oracles.txt | $(PY)
	@echo "Installing the chains' own libraries into $(ORACLES)"
	@rm -rf $(ORACLES) && $(PYTHON) -m venv --without-pip $(ORACLES)
	@$$(if $(PY) -c 'import pip' 2>/dev/null; then echo $(PY); else echo $(PYTHON); fi) -m pip --python $(ORACLES)/bin/python \
		install -qq --no-input --disable-pip-version-check --no-deps --require-hashes -r requirements/oracles.txt
	@touch $@

# The rest: PostgreSQL driver and server, test libraries, linters.
$(VENV)/.all: $(ALL_LOCK) $(VENV)/.core
	@echo "Installing what tests and checks need into $(VENV)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r $(ALL_LOCK)
	@touch $@
