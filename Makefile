.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev
PEERS := .venv-bench/.installed
SUPPLY := .venv-supply/.installed

.PHONY: help install run up test check mutants bench chaos security audit sbom wheel lock clean

help: ## show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 10

# Both locks name the same versions: what is here for developers is also here for running.
fill = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.12 ..."; exit 1; }; \
	$(PYTHON) .ci/install.py $(1)

$(RUN): requirements-run.lock requirements-dev.lock pyproject.toml
	$(call fill,$(if $(wildcard $(DEV)),requirements-dev.lock,requirements-run.lock))
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml
	$(call fill,requirements-dev.lock)
	@touch $@ $(RUN)

install: $(DEV) ## make .venv with arctl and all that developers need

run: $(RUN) ## run the demo: pretend EDR, real workers, example threats (KEEP=1 keeps it up)
	@$(BIN)/arctl demo $(if $(KEEP),--keep)

up: $(RUN) ## run one machine for real customers (state in AR_HOME)
	@$(BIN)/arctl up

test: install ## run the tests (ARGS=... goes to pytest)
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal $(ARGS)

check: install ## lint, types, layers, generated documentation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/arctl docs --check
	@if command -v luacheck >/dev/null; then $(BIN)/python -m pytest -q tests/ledger/test_lua.py; fi

mutants: install ## break the code in small ways, and say what no test notices (ARGS="--only claim --seed 2 --sample 100")
	@$(BIN)/python -m tests.mutants $(ARGS)

bench: install $(PEERS) ## measure against bare Celery and the peers (ARGS=... names what; see bench/README.md)
	@$(BIN)/python -m bench $(ARGS)

# An environment beside ours, so that it decides nothing about the versions in it.
apart = @test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D); \
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<

$(PEERS): bench/requirements.lock
	$(apart)
	@touch $@

$(SUPPLY): requirements-supply.lock
	$(apart)
	@touch $@

chaos: install ## kill, cut and flood it for some hours, and print a table (ARGS="--only R2 --seed 7 --short")
	@$(BIN)/python -m tests.chaos $(ARGS)

security: install ## try to get past the guards, some minutes long, and print a table (ARGS="--only S2 --seed 7 --short")
	@$(BIN)/python -m tests.security $(ARGS)

audit: $(SUPPLY) ## ask for known vulnerabilities of all that the locks name
	@.venv-supply/bin/python .ci/audit.py

sbom: $(SUPPLY) ## write down what running consists of (CycloneDX, dist/ar_workers.cdx.json)
	@.venv-supply/bin/python .ci/sbom.py dist/ar_workers.cdx.json

wheel: install ## build the wheel into dist/, to the same bytes each time
	@$(BIN)/python .ci/wheel.py dist

COMPILE := $(PYTHON) .ci/uv_like_pip.py pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

lock: $(DEV) ## resolve pyproject.toml anew into the locks
	@$(COMPILE) --all-extras --group install --no-emit-package ar-workers --upgrade pyproject.toml --output-file requirements-dev.lock
	@$(COMPILE) --extra demo --group install --no-emit-package ar-workers --upgrade --constraint requirements-dev.lock \
		pyproject.toml --output-file requirements-run.lock
	@echo uv | $(COMPILE) --upgrade --constraint requirements-dev.lock - --output-file requirements-uv.lock
	@$(COMPILE) --group supply --upgrade --output-file requirements-supply.lock
	@$(COMPILE) --upgrade --override bench/overrides.in bench/requirements.in --output-file bench/requirements.lock

clean: ## remove what was made
	@rm -rf .venv .venv-bench .venv-supply .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist *.egg-info
