# The first target prints the others. All of them work on a fresh machine with Python >= 3.11.

PYTHON ?= python3
PIP = .venv/bin/pip install --quiet --disable-pip-version-check

# Test files side by side, each process with one thread: threads that wait for each other cost more.
test test-all: export OMP_NUM_THREADS ?= 1
PYTEST = .venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo test test-all check docs model bench fuzz soak kill ranges release clean

help:  ## print this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 14

.venv/installed: pyproject.toml
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	$(PIP) --editable .
	@touch $@

.venv/developed: pyproject.toml constraints.txt .venv/installed
	$(PIP) --constraint constraints.txt --editable ".[train,data,dev]"
	@touch $@

demo: .venv/installed  ## install into .venv, annotate the portrait in the package, name the picture written
	.venv/bin/mien demo

test: .venv/developed  ## install what the tests need and run them, but the longest
	$(PYTEST) -m "not long"

test-all: .venv/developed  ## run every test
	$(PYTEST)

check: .venv/developed  ## style, types, rules of the source tree, and that the docs are up to date
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest --quiet tests/test_rules.py
	.venv/bin/python docs/build.py --check

docs: .venv/developed  ## rewrite the tables in README.md and docs/ from results/, and build the site in build/site
	.venv/bin/python docs/build.py
	.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going docs build/site

model: .venv/developed  ## train and export the shipped model again, once data/ is prepared as the README says
	.venv/bin/mien train configs/res13-se-teacher.toml --out runs/res13-se-teacher --resume
	.venv/bin/mien train configs/res13-se.toml --out runs/res13-se --resume
	.venv/bin/mien export runs/res13-se --out res13-se.onnx
	.venv/bin/mien train configs/miennet-start.toml --out runs/miennet-start --resume
	.venv/bin/mien train configs/miennet-teacher.toml --out runs/miennet-teacher --resume
	.venv/bin/mien train configs/miennet.toml --out runs/miennet --resume
	.venv/bin/mien export runs/miennet --fast-occlusion --out runs/miennet.onnx

bench: .venv/developed  ## run every benchmark; each checks its answers and writes results/bench-*.json
	for file in benchmarks/bench_*.py; do .venv/bin/python -m benchmarks.$$(basename $$file .py) || exit 1; done

kill: .venv/developed  ## kill every command that writes at seeded moments; writes results/kill.json (MOMENTS=30)
	.venv/bin/python -m tests.kill --moments $(or $(MOMENTS),30)

fuzz: .venv/developed  ## try damaged inputs of every kind for MINUTES (10); writes results/fuzz.json
	.venv/bin/python -m fuzz --minutes $(or $(MINUTES),10)

soak: .venv/developed  ## read for hours, and see what is left behind; writes results/soak.json
	.venv/bin/python -m fuzz.soak

ranges: .venv/developed  ## run a smoke test at both ends of every dependency's range; writes results/ranges.json
	.venv/bin/python -m fuzz.ranges

release: .venv/developed  ## build wheel and sdist, and try them on every Python that is found; writes results/release.json (DIST=dist keeps the two)
	.venv/bin/python -m fuzz.release $(if $(DIST),--dist $(DIST))

clean:  ## remove .venv and everything that is built
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
