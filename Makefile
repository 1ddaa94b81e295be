# One command a chore. Everything works from a fresh clone; nothing needs to be installed by hand but Python 3.11.
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help up demo test check render reset bench image-test

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.txt requirements-dev.txt
	@echo "Installing into $(VENV) …"
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV) 2>/dev/null || python3 -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --progress-bar off -r requirements-dev.txt
	@touch $@

up: $(STAMP)  ## the whole cloud on this machine, at http://localhost:8080
	@exec $(RUN) -m emulators up

demo: $(STAMP)  ## play the main job end to end on demo data
	@exec $(RUN) -m emulators demo

test: $(STAMP)  ## every check: format, lint, types, layers, rendered files, all tests
	@$(MAKE) --no-print-directory check
	@sh tests/browser.sh
	@$(RUN) -m pytest -n 2 --dist loadfile

check: $(STAMP)
	@$(RUN) -m ruff format --check --quiet . && $(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports
	@$(RUN) -m infra.render --check
	@$(RUN) -m infra.cost --check

render: $(STAMP)  ## write what is derived from the manifest
	@$(RUN) -m infra.render

reset: $(STAMP)  ## forget everything the local cloud stored
	@$(RUN) -m emulators reset

image-test: $(STAMP)  ## start every function from a clean environment, as its container does
	@$(RUN) -m infra.check_image

bench: $(STAMP)  ## rates and times against floors measured in the same run
	@$(RUN) -m tests.bench
