# The verbs, the same for people and CI: book, test, lint, lab. On Windows see README.md.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PORT   ?= 8000
export OPENBLAS_NUM_THREADS ?= 1
TORCH  ?= $(if $(filter true,$(CI)),1)
TESTS  := $(VENV)/.test $(if $(filter 1,$(TORCH)),$(VENV)/.torch)
INSTALL := $(PYTHON) tools/install.py

.DEFAULT_GOAL := help
.PHONY: help book page test units lowest chapters pages lint format lab serve bench colab clean

help:
	@echo "make book    build the book, every chapter executed        make lint    ruff on code and notebooks, tags, outputs"
	@echo "make test    every test, the book's pages in a browser      make format  ruff format on code and notebooks"
	@echo "make units   the package's tests alone                      make lab     JupyterLab on the chapters, widgets live"
	@echo "make serve   the built book on http://127.0.0.1:$(PORT)        make page CHAPTER=01   one chapter executed, fast"
	@echo "make bench   measure the package and the labs               make clean   delete the environment and what was built"
	@echo "Parts of make test: units, lowest (the oldest versions allowed), chapters, pages. make colab: Colab's versions."

# An environment without pip is half made: it is made again. --clear is for that case alone.
$(VENV)/.made:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; $(PYTHON) is ' + sys.version.split()[0] + '. Name another: make PYTHON=python3.12 ...')"
	@mkdir -p $(VENV) 2>/dev/null && test -w $(VENV) || { echo "cannot write to $(VENV): is this folder read-only? Copy the course to one that you can write to"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "no venv: install Python's venv module (on Debian: apt-get install python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.book: requirements.txt pyproject.toml | $(VENV)/.made
	@$(INSTALL) $(PY) -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.book
	@$(INSTALL) $(PY) -r requirements-test.txt
	@touch $@

$(VENV)/.torch: $(VENV)/.test
	@$(INSTALL) $(PY) -e ".[torch]"
	@touch $@

# The oldest versions that pyproject.toml allows; their wheels end with Python 3.12.
$(VENV)/.lowest: requirements-lowest.txt $(VENV)/.test
	@if $(PY) -c "import sys; sys.exit(sys.version_info >= (3, 13))"; then \
	  $(PY) -m venv --clear $(VENV)/lowest && \
	  $(INSTALL) $(VENV)/lowest/bin/python --no-deps -r requirements-lowest.txt; fi
	@touch $@

book: $(VENV)/.book
	@$(PY) tools/book.py

page: $(VENV)/.book
	@$(PY) tools/book.py --only "$(CHAPTER)"

test: $(TESTS) $(VENV)/.lowest
	@$(PY) tools/test.py

units chapters: $(TESTS)
	@$(PY) tools/test.py $@

lowest: $(VENV)/.lowest
	@$(PY) tools/test.py lowest

pages: $(TESTS)
	@$(PY) tools/test.py book pages

lint: $(VENV)/.test
	@$(PY) tools/lint.py

format: $(VENV)/.test
	@$(PY) -m ruff format .

lab: $(VENV)/.book
	@$(PY) tools/lab.py

serve: $(VENV)/.book
	@$(PY) tools/serve.py $(PORT)

bench: $(VENV)/.test
	@OPENBLAS_NUM_THREADS=1 $(PY) benchmarks/bench.py
	@$(PY) benchmarks/feel.py

colab: $(VENV)/.test
	@$(PY) tools/colab.py

clean:
	rm -rf $(VENV) _build .pytest_cache .ruff_cache .hypothesis
