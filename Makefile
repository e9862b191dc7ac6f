# make app    open the gallery of dashboards in a browser (PORT=8866)
# make test   run every test, browser tests included
# make bench  compare each path with its alternatives; writes docs/benchmarks.md, takes about an hour
# make lint   check the style
# make clean  remove .venv and everything built
#
# Each needs Python 3.10 or newer with pip, and installs the rest into .venv the first time.
# Another Python: make app PYTHON=python3.12

PYTHON ?= python3
PORT ?= 8866

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: app test bench lint clean

app: $(VENV)/app.installed
	$(BIN)/ipyfastai --port $(PORT)

test: $(VENV)/test.installed $(VENV)/browser.installed
	$(BIN)/python -m pytest

bench: $(VENV)/test.installed $(VENV)/browser.installed
	for part in app training interpretation cleaner collab many_ratings recommending embedding; \
	do $(BIN)/python -m benchmarks.$$part || exit 1; done

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

# The stamps: installing again is left out until pyproject.toml changes.
# Debian's Python lacks what `venv` takes pip from (package python3-venv): there, its own pip is used instead.
# What cannot be made complete is removed, unless it was there before.
$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=...")'
	@test -e $(VENV) && made= || made=$(VENV); \
	trap 'rm -rf $$made; exit 130' INT TERM; \
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip install --quiet --disable-pip-version-check \
	     --target "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" pip; } \
	|| { rm -rf $$made; \
	     echo "$(PYTHON) cannot make $(VENV): install its venv module (Debian, Ubuntu: sudo apt install python3-venv)," \
	          "then run make again." >&2; exit 1; }
	@touch $@

$(VENV)/app.installed: pyproject.toml | $(VENV)/created
	$(PIP) --editable '.[app]'
	@touch $@

$(VENV)/test.installed: pyproject.toml | $(VENV)/created
	@echo "Installing fastai, PyTorch and the test tools: some minutes, several GB."
	$(PIP) --editable '.[train,app,test]'
	@touch $@ $(VENV)/app.installed

$(VENV)/browser.installed: tests/install_browser.py | $(VENV)/test.installed
	$(BIN)/python tests/install_browser.py
	@touch $@
