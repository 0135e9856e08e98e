# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
RUN_ENV := .venv
DEV_ENV := .venv-dev
# Workers and threads are the commands' own choice; everything else about the model is here.
MODEL_SEED := 0

.PHONY: demo test check colcon models clean help

help:
	@echo "make demo    a simulated Jaco arm reaches for published points (no torch)"
	@echo "make test    lint, types and the whole test suite (torch on the CPU)"
	@echo "make colcon  builds the package as a ROS 2 workspace does"
	@echo "make models  collects data and trains the shipped models anew"

demo: $(RUN_ENV)/.done
	$(RUN_ENV)/bin/fb_ros demo

test: check
	$(DEV_ENV)/bin/python -m pytest

check: $(DEV_ENV)/.done
	$(DEV_ENV)/bin/ruff check .
	$(DEV_ENV)/bin/ruff format --check .
	$(DEV_ENV)/bin/mypy

colcon: $(DEV_ENV)/.done
	PATH="$(CURDIR)/$(DEV_ENV)/bin:$$PATH" $(DEV_ENV)/bin/colcon build
	PATH="$(CURDIR)/$(DEV_ENV)/bin:$$PATH" $(DEV_ENV)/bin/colcon --log-base build/symlink/log \
		build --symlink-install --build-base build/symlink/build --install-base build/symlink/install

$(RUN_ENV)/.done: setup.py constraints.txt
	$(PYTHON) -m venv $(RUN_ENV)
	$(RUN_ENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[ros,sim]'
	touch $@

$(DEV_ENV)/.done: setup.py constraints.txt
	$(PYTHON) -m venv $(DEV_ENV)
	$(DEV_ENV)/bin/python -m pip install --quiet --constraint constraints.txt \
		--editable '.[ros,sim,train,test]'
	touch $@

clean:
	rm -rf $(RUN_ENV) $(DEV_ENV) build install log *.egg-info
