# `make report` makes build/report.pdf, `make test` runs the tests; both first install what is missing.
# Options of build.py go in ARGS: make report ARGS="--profile quick"
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help report watch docs test lint doctor benchmark setup lock clean

PYTHON := .venv/bin/python
ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

report: setup ## run what is missing and make build/report.pdf
	@$(PYTHON) build.py $(ARGS)

watch: setup ## build after every save and show the pages in the browser
	@$(PYTHON) build.py watch $(ARGS)

test: setup .venv/browser ## run the tests
	@$(PYTHON) -m pytest $(ARGS)

docs: setup ## the pages for authors → site/index.html; a warning is an error
	@$(PYTHON) -m mkdocs build --strict $(ARGS) # not --quiet: it would hide warnings from --strict

lint: setup ## ruff and mypy
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

doctor: ## what is present, what is missing and the command that brings it; installs nothing
	@"$$(command -v $(PYTHON) || tools/setup.sh which || echo python3)" build.py doctor $(ARGS)

benchmark: setup ## training speed against the usual PyTorch loop
	@$(PYTHON) benchmarks/training.py $(ARGS)

setup: .venv/system .venv/lock ## TeX and the Python environment, where missing

# The stamps lie in .venv, so that removing it is a full reset.
.venv/lock: requirements.lock tools/setup.sh
	@tools/setup.sh python
	@touch $@

.venv/system: tools/setup.sh | .venv/lock
	@tools/setup.sh system
	@touch $@

.venv/browser: tools/setup.sh | .venv/lock
	@tools/setup.sh browser
	@touch $@

lock: ## newest versions that pyproject.toml allows → requirements.lock
	rm -rf .cache/lock && mkdir -p .cache
	"$$(tools/setup.sh which)" -m venv .cache/lock
	.cache/lock/bin/python tools/lock.py --direct > .cache/lock/direct.txt
	.cache/lock/bin/python -m pip install --quiet -r .cache/lock/direct.txt
	.cache/lock/bin/python tools/lock.py > .cache/lock/requirements.lock
	mv .cache/lock/requirements.lock requirements.lock
	rm -rf .cache/lock

clean: ## remove what builds and tools wrote; stored results (.cache) and .venv stay
	rm -rf build site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
