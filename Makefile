# make run: set up, build, run the quickstart experiment. make test: set up, build, test.
EXCITE := .build/release/excite
SOURCES := Package.swift Sources Tests

.PHONY: run test smoke build setup lint format golden fuzz sanitize clean

run: build
	$(EXCITE) run configs/quickstart.yaml

# Built as `make build` does and not by `swift test`, which would compile everything anew.
test: setup
	swift build -c release --build-tests
	swift test -c release --skip-build
	scripts/test_library.sh

smoke: build
	$(EXCITE) run configs/smoke.yaml

build: setup
	swift build -c release --product excite

setup:
	@scripts/setup.sh

lint:
	swift format lint --strict --recursive $(SOURCES)

format:
	swift format --in-place --recursive $(SOURCES)

# Golden values from PyTorch and others; PYTHON is one with torch, numpy, tiktoken and tokenizers, outside the project.
PYTHON ?= python3
golden:
	$(PYTHON) scripts/golden/topk_mlp.py
	$(PYTHON) scripts/golden/metrics.py
	$(PYTHON) scripts/golden/moe_vit.py
	$(PYTHON) scripts/golden/gpt_moe.py
	$(PYTHON) scripts/golden/window.py
	$(PYTHON) scripts/golden/bpe.py

# Longer than the tests do: so many seconds for each reader of outside bytes; the engine under sanitizers.
SECONDS_EACH ?= 60
fuzz: setup
	scripts/reliability/fuzz.sh $(SECONDS_EACH)

sanitize: setup
	scripts/reliability/sanitize.sh

clean:
	rm -rf .build results
