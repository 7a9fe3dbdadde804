.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PEERS := .venv-bench/.installed

.PHONY: help install run up test check bench chaos lock clean

help: ## show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 10

install: $(STAMP) ## make .venv with the locked packages and arctl

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (a minute on a cold cache) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## run the demo: pretend EDR, real workers, example threats (KEEP=1 keeps it up)
	@$(BIN)/arctl demo $(if $(KEEP),--keep)

up: install ## run one machine for real customers (state in AR_HOME)
	@$(BIN)/arctl up

test: install ## run the tests (ARGS=... goes to pytest)
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile $(ARGS)

check: install ## lint, types, layers, generated documentation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/arctl docs --check

bench: install $(PEERS) ## measure against bare Celery and the peers (ARGS=... names what; see bench/README.md)
	@$(BIN)/python -m bench $(ARGS)

$(PEERS): bench/requirements.lock
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r bench/requirements.lock
	@touch $@

chaos: install ## kill, cut and flood it for some hours, and print a table (ARGS="--only R2 --seed 7 --short")
	@$(BIN)/python -m tests.chaos $(ARGS)

lock: ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
		--all-extras --no-emit-package ar-workers --upgrade pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
		--upgrade --override bench/overrides.in bench/requirements.in --output-file bench/requirements.lock

clean: ## remove what was made
	@rm -rf .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build *.egg-info
