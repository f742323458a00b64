# One Window. Needs Python 3.11, make and a package index; `make` alone lists the targets.

PYTHON ?= python3.11
UV_VERSION := 0.13.9
UV := .local/uv/bin/uv
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo test check audit bench up down clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.synced ## install the locked packages into .venv (quick when nothing changed)

demo: setup ## run the main job end to end on the real parts and print the story
	@$(RUN) -m demo

test: setup ## run all tests on the real parts
	@$(RUN) -m pytest

check: setup ## run every gate: format, lint, types, import contracts, schemas, migrations, documents
	@$(RUN) -m deploy.check

audit: setup ## look the locked packages up among known vulnerabilities (needs the network)
	@.venv/bin/pip-audit

bench: setup ## measure, and print the figures
	@$(RUN) -m bench

up: setup ## run everything until Ctrl-C
	@$(RUN) -m deploy.local.up

down: setup ## stop Kafka and PostgreSQL; their data stays
	@$(RUN) -m deploy.local stop

clean: ## stop them and remove .local/ with all data (.venv stays)
	@if [ -x $(RUN) ]; then $(RUN) -m deploy.local clean; else rm -rf .local; fi

# The stamp is younger than what it was made from, and goes away with the .venv it speaks of.
.venv/.synced: pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null || \
	    { echo "Python 3.11 is needed and $(PYTHON) is not on the PATH: install it, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "$(PYTHON) is not Python 3.11: install it, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@[ "$$($(UV) --version 2>/dev/null | cut -d' ' -f2)" = $(UV_VERSION) ] || \
	    { echo "Fetching uv $(UV_VERSION)" && rm -rf .local/uv && $(PYTHON) -m venv .local/uv && \
	      .local/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); } || \
	    { echo "uv could not be installed: Python's venv module and a package index are needed. See above, then run make again." >&2; exit 1; }
	@echo "Installing the locked packages into .venv"
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --frozen --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" || \
	    { echo "The locked packages could not be installed: a package index is needed. See above, then run make again." >&2; exit 1; }
	@touch $@
