# The four verbs, the same for people and CI: book, test, lint, lab. On Windows see README.md.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
export OPENBLAS_NUM_THREADS ?= 1
TORCH  ?= $(if $(filter true,$(CI)),1)

.DEFAULT_GOAL := help
.PHONY: help book page test lint lab serve bench clean

help:
	@echo "make book    build the book, every chapter executed        make lint   ruff on code and notebooks, tags, outputs"
	@echo "make test    every test, the book's pages in a browser      make lab    JupyterLab on the chapters, widgets live"
	@echo "make serve   the built book on http://127.0.0.1:8000        make page CHAPTER=01   one chapter executed, fast"
	@echo "make bench   measure against other implementations          make clean  delete the environment and what was built"

$(VENV)/.book: requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; $(PYTHON) is ' + sys.version.split()[0] + '. Name another: make PYTHON=python3.12 ...')"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { echo "no venv: install Python's venv module (on Debian: apt-get install python3-venv)"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.book
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

$(VENV)/.torch: $(VENV)/.test
	$(PY) -m pip install --quiet --disable-pip-version-check -e ".[torch]"
	@touch $@

book: $(VENV)/.book
	@$(PY) tools/book.py

page: $(VENV)/.book
	@$(PY) tools/book.py --only "$(CHAPTER)"

test: $(VENV)/.test $(if $(filter 1,$(TORCH)),$(VENV)/.torch)
	@$(PY) tools/test.py

lint: $(VENV)/.test
	@$(PY) tools/lint.py

lab: $(VENV)/.book
	@$(PY) -m jupyterlab chapters

serve: $(VENV)/.book
	@test -d _build/html || { echo "the book is not built yet: make book"; exit 1; }
	@echo "http://127.0.0.1:8000/book/intro.html (Ctrl-C ends it)"
	@$(PY) -m http.server 8000 --bind 127.0.0.1 --directory _build/html

bench: $(VENV)/.test
	@OPENBLAS_NUM_THREADS=1 $(PY) benchmarks/bench.py

clean:
	rm -rf $(VENV) _build .pytest_cache .ruff_cache .hypothesis
