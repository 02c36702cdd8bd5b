# Each target sets up what it needs; a machine with Python 3.11 or newer is enough.
# `make interop` and `make bench` also want node and npm.
#
#   ARGS    goes to the program that the target starts:  make run ARGS="--network regtest"
#   PYTHON  makes the virtual environment:               make test PYTHON=python3.13
#   SECONDS and TARGETS say how long is fuzzed, and what: make fuzz TARGETS=socks SECONDS=600

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
ARGS   ?=
SECONDS := 60
TARGETS :=

# The page is at http://127.0.0.1:8380/, unless ARGS, or a file that they name, says where.
PAGE   := $(if $(filter --http --http=% --config --config=%,$(ARGS)),,--http 8380)

.DEFAULT_GOAL := help
.NOTPARALLEL: # one environment serves all
.PHONY: help run demo test lint coverage interop soak fuzz bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/for-service,tor ## Start a Bitcoin mainnet peer; ARGS="--help" shows its options
	@exec $(BIN)/twistd --nodaemon --pidfile= bitpeer $(PAGE) $(ARGS)

demo: $(VENV)/for-use ## Let two peers talk on loopback and tell what they say
	@$(BIN)/python examples/demo.py $(ARGS)

test: $(VENV)/for-test ## Run all tests but those against real nodes
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: $(VENV)/for-dev ## Check formatting, style, types, floors and the house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m checks.imports
	$(BIN)/towncrier build --draft --version next >/dev/null

coverage: $(VENV)/for-test ## Check that each module is covered by its own test file alone
	$(BIN)/python -m checks.own_coverage $(ARGS)

interop: $(VENV)/for-test ## Run the tests against real nodes, which npm installs
	$(BIN)/python -m pytest -m interop tests/interop $(ARGS)

soak: $(VENV)/for-use ## Let a node live with a thousand peers for a simulated day
	$(BIN)/python -m bitpeer.testing.soak $(ARGS)

fuzz: $(VENV)/for-fuzz ## Fuzz for SECONDS=60 each; TARGETS="socks config" only those; ARGS="--seed 7"
	$(BIN)/python -m fuzz $(TARGETS) --seconds $(SECONDS) $(ARGS)

bench: $(VENV)/for-bench ## Measure speed and write docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove everything that the other targets made
	rm -rf $(VENV) .interop build dist *.egg-info
	rm -rf .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache bitpeer/hashes/*.so

# The environment, and in it one stamp for each set of dependencies installed.

DECLARED := pyproject.toml setup.py setup.cfg bitpeer/hashes/_blake256.c
INSTALL   = $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

$(VENV)/created:
	@echo "Creating $(VENV), once."
	@PYTHON="$(PYTHON)" checks/create-venv $(VENV)
	@touch $@

$(VENV)/for-use: $(VENV)/created $(DECLARED)
	@echo "Installing bitpeer and what it needs into $(VENV)."
	@$(INSTALL) .
	@touch $@

$(VENV)/for-%: $(VENV)/created $(DECLARED)
	@echo "Installing bitpeer and its [$*] dependencies into $(VENV)."
	@$(INSTALL) ".[$*]"
	@touch $@
