# The few commands a person needs. Each installs what it needs, once, into .venv/.
# A fresh machine needs Python 3.11 (or newer), git and make; nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
INSTALL := gateway_acceptance/locked_install.py
# whole matrices and the lab of hosts: longer than everything else together, by a command of their own
LONG   := $(addprefix tests/live/test_,plan_nightly.py mutation_matrix.py outage_matrix.py hosts.py absent_on_hosts.py \
          balance_groups.py balance_cooldown_earlier.py other_gateway.py packaged.py logs.py \
          twin.py learned.py first_run.py variants.py small_release.py newest.py closed_release.py controls_by_release.py \
          database.py nginx.py nginx_smoke.py nginx_host.py \
          absence_matrix.py weak_matrix.py all_checks_matrix.py fix_matrix.py)
# the longest first, so that both workers have something to do until the end; beside it, while LiteLLM is installed for
# it, what needs none
FIRST  := tests/live/test_control_matrix.py
TESTS  := $(FIRST) tests/plugin $(filter-out $(FIRST) $(LONG),$(sort $(wildcard tests/live/test_*.py))) tests/lab \
          tests/unit tests/test_architecture.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# containers often set it; a run without compiled files takes a second more, and the tests start some hundred runs
unexport PYTHONDONTWRITEBYTECODE
# Python 3.11 reads the path of an editable installation in the locale's encoding, and C has ASCII alone
ifneq (,$(filter C POSIX,$(LC_ALL)))
export LC_ALL := C.UTF-8
endif

.PHONY: help setup smoke report test matrices fuzz kills healthy ill lint lint-types lint-style bench dist docs signoff-example drift lock clean
help:
	@echo "make smoke   judge a real LiteLLM gateway on this machine (all set-up included)"
	@echo "make report ENV=local   draw the report of an environment's latest run again: report-local.html"
	@echo "make test    the project's own tests, but for the matrices"
	@echo "make matrices   every fault, control, absence and outage, the lab of hosts and what its findings print (root): long"
	@echo "make fuzz    100,000 generated replies"
	@echo "make kills   50 runs of smoke with random kills"
	@echo "make healthy 200 smokes of healthy gateways, RUNS=N for so many: none may be red"
	@echo "make ill     smoke against every ill target: time, requests, memory"
	@echo "make lint    ruff, mypy, declared dependencies (deptry), layers (import-linter)"
	@echo "make bench   what collecting, reporting and a smoke cost (docs/performance.md), draws of balance (docs/balance.md)"
	@echo "make dist    build the wheel: dist/"
	@echo "make docs    rewrite the generated pages of docs/"
	@echo "make signoff-example   judge the lab of hosts (needs root) and sign it: docs/examples/signoff"
	@echo "make drift   try the newest of everything that the ranges allow, and say what breaks"
	@echo "make lock    rewrite the lock files from pyproject.toml (needs uv)"
	@echo "make clean   stop the lab and remove .venv and .lab"

setup: $(READY)

$(READY): requirements/suite.lock pyproject.toml $(INSTALL)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found '$(PYTHON)'. Set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python $(INSTALL) requirements/suite.lock --sdist font-roboto --into $(VENV) --editable .
	@touch $(READY)

smoke: $(READY)
	@$(BIN)/pytest -m smoke --env local

ENV ?= local
report: $(READY)
	@$(BIN)/gateway-acceptance report --env "$(ENV)"

test: $(READY)
	@$(BIN)/pytest $(TESTS) -n 2 --dist loadfile --no-loadscope-reorder

matrices: $(READY)
	@$(BIN)/pytest $(LONG) -n 2 --dist loadfile --no-loadscope-reorder

fuzz: $(READY)
	@GATEWAY_ACCEPTANCE_REPLIES=50000 $(BIN)/pytest tests/unit/test_fuzzed_replies.py -n 2

# 50 runs of smoke, something killed in each; every fourth with a real LiteLLM. Another SEED kills elsewhere.
SEED ?= 17
kills: $(READY)
	@GATEWAY_ACCEPTANCE_KILLS=50 GATEWAY_ACCEPTANCE_SEED=$(SEED) $(BIN)/pytest tests/live/test_random_kills.py -rA

# 200 smokes of healthy gateways of three versions, ten of them on a busy machine
RUNS ?= 200
healthy: $(READY)
	@$(BIN)/python bench/healthy_smokes.py --runs $(RUNS)

ill: $(READY)
	@$(BIN)/python bench/ill_targets.py

# types beside the rest: each takes half of the time
lint: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint-types lint-style

lint-types: $(READY)
	@$(BIN)/mypy

lint-style: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/deptry . && $(BIN)/lint-imports --no-cache

bench: $(READY)
	@$(BIN)/python bench/performance.py
	@$(BIN)/python bench/smoke_beside_client.py
	@$(BIN)/python bench/balance_draws.py
	@$(BIN)/python bench/balance_patterns.py

# With the locked build tools, so nothing is resolved. The wheel names the commit that it was built from.
dist: $(READY)
	@rm -rf dist && $(BIN)/hatchling build -t wheel

docs: $(READY)
	@$(BIN)/gateway-acceptance faults --markdown > docs/faults.md
	@$(BIN)/gateway-acceptance coverage --markdown > docs/coverage.md
	@$(BIN)/gateway-acceptance products --write docs
	@$(BIN)/gateway-acceptance schemas --write

# The run first, while the checkout is clean: what a changed suite judged is not signed. The key is thrown away; who may
# sign stands beside the example and not in it.
signoff-example: $(READY)
	@$(BIN)/pytest -q -m release --env lab --no-report
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	  ssh-keygen -q -t ed25519 -N '' -C example -f "$$folder/key" && \
	  $(BIN)/gateway-acceptance signoff --env lab --version example --key "$$folder/key" \
	    --approver "Example Approver <approver@example.org>" --out "$$folder/signoff" && \
	  rm -rf docs/examples/signoff && mkdir -p docs/examples && cp -r "$$folder/signoff" docs/examples/signoff && \
	  echo "approver@example.org $$(cut -d' ' -f1,2 "$$folder/key.pub")" > docs/examples/allowed_signers
	@$(BIN)/gateway-acceptance verify docs/examples/signoff --allowed-signers docs/examples/allowed_signers

# The newest of everything that our ranges allow, tried on a copy: says what would break. Not part of `make test`.
drift: $(READY)
	@$(BIN)/python -m lab.drift

lock:
	uv pip compile -q --generate-hashes --no-header --no-annotate --universal --python-version 3.11 \
	  --all-extras pyproject.toml -o requirements/suite.lock
	@for v in $(basename $(notdir $(wildcard lab/litellm/*.lock))); do echo "litellm[proxy]==$$v" | uv pip compile -q --generate-hashes \
	  --no-header --no-annotate --universal --python-version 3.11 - -o lab/litellm/$$v.lock; done

clean:
	@[ ! -x $(BIN)/gateway-acceptance ] || $(BIN)/gateway-acceptance lab down
	@rm -rf $(VENV) .lab
