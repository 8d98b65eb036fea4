# Two commands: `make demo` and `make test`. Each makes .venv, installs the locked versions, and runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: help demo test test-full lint bench lock clean wheel-check
help:  ## Show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/run.done: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "langguard needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@echo "Making $(VENV) and installing the locked versions (a minute or two, once)..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/run.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: $(VENV)/run.done requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

demo: $(VENV)/run.done  ## An agent, a real database, the guard between them: under a minute
	@$(BIN)/langguard demo $(ARGS)

test: $(VENV)/dev.done  ## The test suite (seeded samples)
	@$(BIN)/python -m pytest $(ARGS)

test-full: $(VENV)/dev.done  ## Every test, with the long random searches
	@LANGGUARD_TEST_FULL=1 $(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev.done  ## Style, types, layering, declared dependencies
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/deptry src

wheel-check: $(VENV)/dev.done  ## Build the wheel and use it from empty environments
	@bash .ci/wheel-check

bench: $(VENV)/dev.done  ## What the guard costs, against the same database without it
	@$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/dev.done  ## Refresh the locked versions
	@$(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) pyproject.toml requirements/build.in --all-extras -o requirements/run.txt
	@$(UV_COMPILE) pyproject.toml requirements/build.in --all-extras --group dev -c requirements/run.txt -o requirements/dev.txt

clean:  ## Remove the environment and caches
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
