# Sets up what it needs and does the job: `make build`, `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LINT   := .venv-lint
DEMO   ?= demo
DEMO_EVENTS ?= 50000
PIP    := -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help build demo test torture bench lint format docs lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: $(VENV)/.runtime ## Set up, and run the main job over landing/: ends with a published release
	@$(BIN)/sotedw build

# A key that protects nobody: the demo's clients are made up.
demo: export SOTEDW_PSEUDONYM_KEY = key-of-the-demo-whose-clients-are-made-up
demo: $(VENV)/.runtime ## The same over generated care events, in a home of its own (DEMO=demo)
	@rm -rf $(DEMO)/landing
	@mkdir -p $(DEMO)
	@cp -R landing $(DEMO)/landing
	@$(BIN)/sotedw generate --out $(DEMO)/landing --events $(DEMO_EVENTS)
	@$(BIN)/sotedw build --landing $(DEMO)/landing --home $(DEMO)/warehouse

test: $(VENV)/.test ## Set up, and run all tests
	-@$(BIN)/python -m sotedw.prepare
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

torture: export HYPOTHESIS_PROFILE = torture
torture: $(VENV)/.test ## The random tests with 2 000 examples each in place of 60 (long)
	@$(BIN)/python -m pytest -n 2 tests/unit tests/property

bench: $(VENV)/.runtime ## Measure the project beside its floor at 2, 10 and 20 million events (long)
	@$(BIN)/python -m benchmarks.run --events 2000000 --events 10000000 --events 20000000 \
		--date "$$(date +%F)"

lint: $(LINT)/.ready ## Check style and types (in an environment of its own)
	@$(LINT)/bin/ruff check .
	@$(LINT)/bin/ruff format --check .
	@$(LINT)/bin/mypy
	@$(LINT)/bin/sqlfluff lint --processes 2 --disable-progress-bar models analyses tests/data
	@$(LINT)/bin/yamllint --strict .

format: $(LINT)/.ready ## Put Python and SQL into the house style
	@$(LINT)/bin/ruff check --fix --quiet .
	@$(LINT)/bin/ruff format .
	@$(LINT)/bin/sqlfluff fix --processes 2 --disable-progress-bar models analyses tests/data

docs: $(VENV)/.runtime ## Draw the pictures of the README from a real build
	@$(BIN)/python docs/make_pictures.py

# uv writes hashes and no addresses: the index is the machine's own affair.
lock: ## Resolve the locks anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --output-file requirements.lock $(LOCK)
	uv pip compile pyproject.toml --group build --group test --constraint requirements.lock \
		--output-file requirements-test.lock $(LOCK)
	uv pip compile --group lint --output-file requirements-lint.lock $(LOCK)

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-header --no-annotate

clean: ## Remove the environments (never the warehouse)
	rm -rf $(VENV) $(LINT)

# --- environments -------------------------------------------------------------------------------
# A stamp a set of packages, so that a second `make` does not ask pip. The lock of the tests holds
# that of the runtime: `make test` alone is enough for both.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 2; }
	@echo "making the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing the locked packages"
	@$(BIN)/python $(PIP) --require-hashes -r requirements.lock
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@echo "parsing the models"
	-@$(BIN)/python -m sotedw.prepare
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.runtime
	@echo "installing the locked packages of the tests"
	@$(BIN)/python $(PIP) --require-hashes -r requirements-test.lock
	@touch $@

$(LINT)/.ready: requirements-lint.lock
	@test -x $(LINT)/bin/python || $(PYTHON) -m venv $(LINT)
	@$(LINT)/bin/python $(PIP) --require-hashes -r requirements-lint.lock
	@touch $@
