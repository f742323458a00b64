# One Window. Needs Python 3.11, make and a package index; `make` alone lists the targets.

PYTHON ?= python3.11
UV_VERSION := 0.13.9
UV := .local/uv/bin/uv
RUN := .venv/bin/python
ASSETS := services/lobby/assets
BUILT := services/lobby/static/dist/manifest.json

# Compiled once: a service that compiles what it imports at each start takes twice as long to be ready.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup assets browser demo test test-long check audit bench chaos up down clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.synced ## install the locked packages into .venv (quick when nothing changed)

assets: $(BUILT) ## build the styles and scripts of the lobby's pages (needs Node.js 20; quick when nothing changed)

browser: ## install what builds and tests the pages, where it is missing: Chromium, a Chinese font, Node.js (Debian)
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing="$$missing fonts-noto-cjk"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -z "$$missing" ]; then echo "Chromium, a Chinese font and Node.js are there."; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "Missing:$$missing. Run make browser as root on Debian, or install them yourself." >&2; exit 1; \
	else apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing; fi

demo: setup assets ## run the main job end to end on the real parts and print the story
	@$(RUN) -m demo

test: setup assets ## run the tests on the real parts, three files at a time: most of their time is waiting
	@$(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

test-long: setup assets ## run the long tests: every crash point, every kind of fault, many stories
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m long

check: setup ## run every gate: format, lint, types, import contracts, schemas, migrations, documents
	@$(RUN) -m deploy.check

audit: setup ## look the locked packages up among known vulnerabilities (needs the network)
	@.venv/bin/pip-audit

bench: setup ## measure, and print the figures
	@$(RUN) -m bench

chaos: setup assets ## break everything on purpose while it is used, and prove that nothing was lost
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || \
	    { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing libfaketime, which steps clocks" && \
	      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libfaketime >/dev/null; } || \
	    echo "Debian's libfaketime is not here and could not be installed: no clock is stepped by ten minutes."
	@$(RUN) -m chaos $(CHAOS)

up: setup assets ## run everything until Ctrl-C
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
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --frozen --compile-bytecode --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" || \
	    { echo "The locked packages could not be installed: a package index is needed. See above, then run make again." >&2; exit 1; }
	@touch $@

$(BUILT): $(wildcard $(addprefix $(ASSETS)/,package.json package-lock.json .npmrc build.mjs js/* scss/* img/*))
	@command -v node >/dev/null && command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' || \
	    { echo "Node.js 20 or newer with npm is needed to build the lobby's pages: make browser installs it on Debian." >&2; exit 1; }
	@echo "Building the lobby's styles and scripts"
	@cd $(ASSETS) && { npm ci --silent && npm run --silent build >/dev/null; } || \
	    { echo "The lobby's pages could not be built: a registry of npm packages is needed. See above, then run make again." >&2; exit 1; }
