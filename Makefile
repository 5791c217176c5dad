# The two commands a newcomer needs: `make demo` and `make test`. `make help` lists all.
#
# Everything lives in .venv and build/. After the first run nothing is downloaded again until pyproject.toml changes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?=
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

JOBS ?= $(shell n=$$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2); echo $$((n < 8 ? n : 8)))
TESTS ?= tests
ARGS ?=
FILE ?=
ROUNDS ?= 10000
EXAMPLES ?= 20000
PYTEST := -m pytest -q -n $(JOBS) --dist worksteal -p no:benchmark

.PHONY: help build demo test test-clients lint bench soak fuzz debug asan wheel clean distclean

help:                  ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo "  variables: FILE= (demo) TESTS= ARGS= (test, debug, asan, bench, demo) ROUNDS= (soak) EXAMPLES= (fuzz)"
	@echo "             PYTHON= JOBS="

# ---- environment and build -------------------------------------------------------------------------

# Install the packages of the extras in $(1), read from pyproject.toml, without building the project itself.
define install_extras
	$(PY) -c 'import tomllib; \
	  p = tomllib.load(open("pyproject.toml", "rb")); \
	  wanted = p["build-system"]["requires"] + ["wheel"]; \
	  [wanted.extend(p["project"]["optional-dependencies"][e]) for e in "$(1)".split()]; \
	  print(*sorted(set(wanted)), sep="\n")' > $(VENV)/wanted.txt
	$(PY) -m pip install -q -r $(VENV)/wanted.txt
endef

$(VENV)/ready: pyproject.toml
	@python=; for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "make: no Python 3.11 or newer found$(if $(PYTHON), at '$(PYTHON)');" \
	    "install one or say: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	if [ ! -x $(PY) ]; then echo "making $(VENV) with $$($$python --version)"; \
	  "$$python" -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "make: '$$python -m venv' failed; on Debian: apt-get install python3-venv" >&2; exit 1; }; fi
	@echo "installing packages (once)"
	@$(call install_extras,dev-test dev)
	@touch $@

$(VENV)/ready-bench: $(VENV)/ready
	@echo "installing the bench's packages (once)"
	@$(call install_extras,bench)
	@touch $@

# Always asked, since setup.py knows best what is out of date: 0.6 s when nothing is.
build: $(VENV)/ready   ## compile ddbcore in place
	@$(PY) setup.py -q build_ext --inplace
	@if [ ! -e $(VENV)/editable ] || [ pyproject.toml -nt $(VENV)/editable ]; then \
	  $(PY) -m pip install -q --no-build-isolation --no-deps -e . && touch $(VENV)/editable; fi

# ---- use and test ----------------------------------------------------------------------------------

demo: build            ## the main job on real input, with FILE=orders.json.gz or made-up orders
	@$(PY) -m hashrange.demo $(if $(FILE),--file '$(FILE)') $(ARGS)

test: build            ## all tests but the soak; TESTS=tests/core ARGS='-k leaf'
	@$(PY) $(PYTEST) -m 'not soak and not bench and not clients' $(ARGS) $(TESTS)

test-clients: build    ## real clients against the endpoint: boto3, AWS CLI, PynamoDB, JavaScript, ...
	@$(PY) -m pytest -q -rs -p no:benchmark --timeout=0 -m clients $(ARGS) tests/clients

lint: $(VENV)/ready    ## ruff, mypy, cython-lint
	@status=0; \
	$(PY) -m ruff check . || status=1; \
	$(PY) -m mypy || status=1; \
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint $$(find ddbcore -name '*.p[yx][xd]') || status=1; \
	[ $$status = 0 ] && echo "lint: clean" || { echo "lint: failed"; exit 1; }

bench: build $(VENV)/ready-bench   ## against the peers; writes bench/RESULTS.md
	@$(PY) bench/table.py $(ARGS)
	@if ls bench/test_*.py >/dev/null 2>&1; then $(PY) -m pytest -q --benchmark-only bench; fi

soak: build            ## crash rounds without mercy; ROUNDS=10000
	@HASHRANGE_ROUNDS=$(ROUNDS) $(PY) $(PYTEST) --timeout=0 -m 'not bench' $(ARGS) tests/crash

fuzz: build            ## model and hostile-file tests; EXAMPLES=20000 a test
	@HASHRANGE_EXAMPLES=$(EXAMPLES) $(PY) $(PYTEST) --timeout=0 -m 'not bench' $(ARGS) tests/model tests/format

# Debug and sanitized builds stand in build/, beside the normal one; PYTHONSAFEPATH keeps ./ddbcore out.
debug: $(VENV)/ready   ## the tests in a build with bounds checks and invariants
	@HASHRANGE_DEBUG=1 $(PY) setup.py -q build --build-base build/debug --build-lib build/debug/package
	@PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/debug/package \
	  $(PY) $(PYTEST) -m 'not soak and not bench and not clients' $(ARGS) $(TESTS)

# CPython itself leaks by design at exit, so leaks are not looked for. The raw allocator lets ASan see every object.
asan: $(VENV)/ready    ## the tests under AddressSanitizer and UBSan
	@HASHRANGE_SANITIZE=1 $(PY) setup.py -q build --build-base build/sanitize --build-lib build/sanitize/package
	@PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/sanitize/package PYTHONMALLOC=malloc \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:handle_segv=1 \
	  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 HASHRANGE_SANITIZE=1 \
	  LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	  $(PY) $(PYTEST) -p no:cacheprovider --timeout=0 -m 'not soak and not bench and not clients' $(ARGS) $(TESTS)

wheel: $(VENV)/ready   ## a wheel for this Python, in dist/
	@$(PY) -m pip wheel -q --no-build-isolation --no-deps -w dist .
	@ls -l dist

clean:                 ## remove what was built; .venv stays
	@rm -rf build dist *.egg-info pyext/*.egg-info demo-data
	@rm -f ddbcore/*.so ddbcore/*.c ddbcore/*.html
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks

distclean: clean       ## and .venv too
	@rm -rf $(VENV)
