# The project's commands; `make` or `make help` lists them. Each makes its own virtual environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The command `pipeline`: from its folder, or as tools.txt of a copy pins it.
TOOLS_PIN := $(firstword $(wildcard tools/pyproject.toml) tools.txt)
TOOLS := $(if $(filter tools.txt,$(TOOLS_PIN)),--requirement tools.txt,--editable tools)
# The scanner's pins clash with the SAM CLI's.
SCAN := .venv-scan
SCAN_READY := $(SCAN)/.ready
CHECKOV := $(SCAN)/bin/checkov --config-file .checkov.yaml
# The plotting library, which only `make bench` needs.
BENCH := .venv-bench
BENCH_READY := $(BENCH)/.ready

# Nothing is sent anywhere, and nothing but the named targets reads the caller's AWS account.
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without byte code every command would compile cfn-lint and the SAM CLI anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

# Ctrl-C ends these by SIGTERM, of which Python says nothing: by itself it prints where it was, which is long and no help.
QUIETLY := sh -c 'trap "kill \$$! 2>/dev/null; wait; exit 130" INT; "$$@" & wait $$!' quietly

.PHONY: help setup run up test generate lint scan bench lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) generate ## run the whole pipeline on an embedded AWS (ARGS="..." for its options)
	@$(BIN)/pipeline run --lint $(ARGS)

up: $(READY) generate ## keep the embedded AWS up, with the stack deployed (ARGS="--port N")
	@$(BIN)/pipeline up $(ARGS)

test: $(READY) lint ## lint, check types, check generated files and run the tests
	@echo "Running the tests on all cores, which takes $(if $(wildcard tools/tests),some minutes,about a minute) ..."
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup

generate: $(READY) ## write template.yaml and the picture in the README from the model
	@$(QUIETLY) $(BIN)/python generate.py
	@$(QUIETLY) $(BIN)/python generate.py --diagram

# A fresh copy has no template yet.
template.yaml: | $(READY)
	@$(QUIETLY) $(BIN)/python generate.py

lint: $(READY) template.yaml ## check style, types, the template and that generated files are up to date
	@$(MAKE) --no-print-directory --keep-going --jobs $(TOGETHER) $(CHECKS)

# Side by side, since each takes seconds to start; a make of version 4 prints what each says in one piece.
TOGETHER := $(filter --%,$(.FEATURES:output-sync=--output-sync))
CHECKS := check-types check-style check-format check-generated check-picture check-template check-sam \
	$(if $(wildcard docs/check.py),check-documents)
.PHONY: $(CHECKS)

check-types:
	@$(BIN)/mypy
check-style:
	@$(BIN)/ruff check --quiet
check-format:
	@$(BIN)/ruff format --check --quiet
check-generated:
	@$(BIN)/python generate.py --check
check-picture:
	@$(BIN)/python generate.py --check --diagram
check-template:
	@$(BIN)/cfn-lint
check-sam:
	@$(BIN)/sam validate
check-documents:
	@$(BIN)/python -m docs.check

scan: $(READY) $(SCAN_READY) ## scan the template, and what prod deploys of it, by checkov
	@mkdir -p .aws-sam
	@$(BIN)/python -m tools.tests.rules.deployed prod > .aws-sam/prod.json
	@$(CHECKOV) --file template.yaml
	@$(CHECKOV) --file .aws-sam/prod.json

bench: $(READY) $(BENCH_READY) ## measure the project beside its peers (ARGS="--list" shows what)
	@$(BIN)/python -m bench $(ARGS)
	@$(BENCH)/bin/python -m bench.results.pictures

setup: $(READY) ## make the virtual environment in .venv

lock: $(READY) ## pin the requirements anew, with hashes
	@$(LOCK) requirements.in --overrides requirements-overrides.in --output-file requirements.txt
	@$(LOCK) requirements-scan.in --output-file requirements-scan.txt
	@$(LOCK) bench/requirements.in --output-file bench/requirements.txt

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

clean: ## remove what the other commands made
	@rm -rf $(VENV) $(SCAN) $(BENCH) $(VENV).lock $(SCAN).lock $(BENCH).lock \
		.aws-sam .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock is complete: nothing is resolved, and no package's own build runs. uv, itself in the lock, installs in seconds
# what pip takes a minute for. Two makes in one clone install one after the other, and the second finds it done.
define SETUP
folder="$$1" lock="$$2" python="$$1/bin/python" stale=
for file in "$$lock" "$$TOOLS_PIN" functions/requirements.txt; do
	if [ -e "$$file" ] && [ ! "$$folder/.ready" -nt "$$file" ]; then stale=1; fi
done
if [ -z "$$stale" ]; then exit; fi
rm -f "$$folder/.ready"
"$$PYTHON" -m venv --clear --without-pip "$$folder" # pip takes longest to make, and the lock holds it
by_pip() { "$$PYTHON" -m pip --python "$$python" install -qq --no-deps "$$@"; }
by_uv() { "$$folder/bin/uv" pip install --quiet --python "$$python" --no-deps "$$@"; }
if ! "$$PYTHON" -m pip --python "$$python" --version >/dev/null 2>&1; then # this Python has no pip, or an old one
	"$$python" -m ensurepip >/dev/null
	by_pip() { "$$python" -m pip install -qq --no-deps "$$@"; }
fi
sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > "$$folder/uv.txt"
if ! { by_pip --only-binary :all: --require-hashes --requirement "$$folder/uv.txt" &&
	by_uv --only-binary :all: --require-hashes --requirement "$$lock"; }; then
	echo "uv can't install here, so pip does: that takes about a minute." >&2
	by_pip --no-compile --only-binary :all: --require-hashes --requirement "$$lock"
	by_uv() { by_pip "$$@"; }
fi
if [ "$$folder" = "$$VENV" ]; then
	by_uv --no-build-isolation --no-index $$TOOLS
	if [ -e functions/requirements.txt ]; then "$$python" -m pip install -qq -r functions/requirements.txt; fi
fi
if [ "$$folder $$TOOLS_PIN" = "$$VENV tools.txt" ]; then # the rules where .cfnlintrc looks for them, whatever Python's version
	package=$$("$$python" -c 'import os, pipeline; print(os.path.dirname(pipeline.__file__))')
	ln -sfn "$$package/rules" "$$folder/rules"
fi
pwd -P > "$$folder/.ready"
endef
export SETUP PYTHON VENV TOOLS TOOLS_PIN
INSTALL := $(PYTHON) -c 'import fcntl, os, sys; lock = os.open(sys.argv[1] + ".lock", os.O_CREAT | os.O_RDWR, 0o600); \
	os.set_inheritable(lock, True); fcntl.flock(lock, fcntl.LOCK_EX); \
	os.execvp("sh", ["sh", "-euc", os.environ["SETUP"], "sh", *sys.argv[1:]])'

# The scripts in an environment name the folder that it was made in: one that was moved or copied is made anew.
$(shell for ready in $(READY) $(SCAN_READY) $(BENCH_READY); do \
	[ ! -e $$ready ] || [ "$$(cat $$ready)" = "$$(pwd -P)" ] || rm -f $$ready; done)

$(READY): requirements.txt $(TOOLS_PIN) $(wildcard functions/requirements.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo >&2 \
		"Python 3.11 or newer is needed: '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)." \
		"Name another with: make PYTHON=python3.13 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo >&2 \
		"The venv module of '$(PYTHON)' is missing: install it (Debian and Ubuntu: apt-get install python3-venv)," \
		"then run make $(MAKECMDGOALS) again"; exit 1; }
	@echo "Making $(VENV) and installing $$(grep -c '==' requirements.txt) packages ..."
	@$(INSTALL) $(VENV) requirements.txt

$(SCAN_READY): requirements-scan.txt | $(READY)
	@echo "Making $(SCAN) and installing checkov ..."
	@$(INSTALL) $(SCAN) requirements-scan.txt

$(BENCH_READY): bench/requirements.txt | $(READY)
	@echo "Making $(BENCH) and installing matplotlib ..."
	@$(INSTALL) $(BENCH) bench/requirements.txt
