# Two commands do everything: `make run` and `make test`. A machine needs Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
# One BLAS thread: faster on matrices of this size, and the same bits on every run.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.PHONY: run setup test slow bench data inputs published docs web dist clean

run: $(VENV)/installed
	$(BIN)/landbridge run
	@$(BIN)/python -c "print('\nCall it as $(BIN)/landbridge, or activate the environment first (README.md). What is installed: $(BIN)/landbridge doctor')"

setup: $(VENV)/tested

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(PYTHON) -c "open('$@', 'w').close()"

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[all]" --group test
	$(PYTHON) -c "open('$@', 'w').close()"

$(VENV)/benched: $(VENV)/tested
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(PYTHON) -c "open('$@', 'w').close()"

test: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

slow: $(VENV)/tested
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

bench: $(VENV)/benched
	$(BIN)/python benchmarks/economy.py
	$(BIN)/python benchmarks/transport.py
	$(BIN)/python benchmarks/chain.py
	$(BIN)/python benchmarks/assignment.py
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/hostile.py
	$(BIN)/python benchmarks/server.py

data: $(VENV)/installed
	$(BIN)/python recipes/network.py
	$(BIN)/python recipes/energy.py
	$(BIN)/python recipes/channels.py
	$(BIN)/python recipes/network_licences.py
	$(BIN)/python recipes/economy.py
	$(BIN)/python recipes/routes.py

# The documentation site, into site/: open site/index.html. Nothing is fetched once it is installed.
docs: $(VENV)/documented
	$(BIN)/python -m mkdocs build --strict

$(VENV)/documented: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	$(PYTHON) -c "open('$@', 'w').close()"

# The map of `landbridge serve`, from web/ into the package. Node is that of the machine, else one from PyPI.
web:
	@command -v npm >/dev/null || $(MAKE) $(VENV)/noded
	cd web && PATH="$$PATH:$(abspath $(BIN))" && npm ci --no-audit --no-fund --loglevel=error && npm run check && npm run build

$(VENV)/noded: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group web
	$(PYTHON) -c "open('$@', 'w').close()"

# Source archive and wheel, with the map, into dist/.
dist: $(VENV)/tested web
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist .

# Inputs of published problems from their public addresses, each checked, into the user's cache folder.
inputs: $(VENV)/tested
	$(BIN)/python recipes/fetch_published.py

published: $(VENV)/tested
	LANDBRIDGE_PUBLISHED_PAGE=docs/theory/published.md $(BIN)/python -m pytest -q tests/published

clean:
	rm -rf $(VENV) dist build site web/node_modules src/landbridge/server/built
