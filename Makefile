# `make help` says what there is.

GO ?= go
# Where `make run` lets Pulsar's admin clients in, on 127.0.0.1.
SHIM_PORT ?= 6750
# The admin URL of a Pulsar for `make run`, with package management, and where its topics
# are (pulsar://HOST:6650). It needs none.
PULSAR_URL ?=
PULSAR_SERVICE_URL ?=
# What a test may take before go test ends it and shows where it hangs.
UNIT_TEST_TIMEOUT ?= 10m
TEST_TIMEOUT ?= 30m
# The same for every step, or each half of them compiles everything again.
export CGO_ENABLED ?= 0

PRODUCT := functionmesh-apiserver pulsar-admin-shim
CONTROL_PLANE := etcd kube-apiserver kube-controller-manager kubectl
# What it takes besides to run pods, which only tests do.
NODES := kube-scheduler kwok

.DEFAULT_GOAL := help
.PHONY: help run build test check unit-test e2e-test conformance kubectl-parity verify update published generate bench clean control-plane nodes
# Targets of one make call share go's caches and two cores: side by side they only get slower.
.NOTPARALLEL:

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: dev_flags = -shim-port $(SHIM_PORT) -pulsar-url '$(PULSAR_URL)' -pulsar-service-url '$(PULSAR_SERVICE_URL)'
run: ## Start everything on this machine and stay until Ctrl-C.
	@echo "==> building functionmesh-dev"
	@cd test && $(GO) build -o ../bin/ ./cmd/functionmesh-dev
	@bin/functionmesh-dev -check $(dev_flags)
	@hack/build-tools.sh $(CONTROL_PLANE)
	@echo "==> building $(PRODUCT)"
	@$(GO) build -o bin/ $(PRODUCT:%=./cmd/%)
	@exec bin/functionmesh-dev -stop-with-parent $(dev_flags)

build: ## Build the product into bin/.
	$(GO) build -o bin/ $(PRODUCT:%=./cmd/%)

control-plane: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl into bin/ (minutes, once).
	@hack/build-tools.sh $(CONTROL_PLANE)

nodes: ## Build kube-scheduler and kwok into bin/: with them the control plane of tests runs pods.
	@hack/build-tools.sh $(NODES)

# What fails fast comes first; what needs a real control plane comes last.
test: check unit-test verify e2e-test conformance ## Run everything that continuous integration runs.
	@echo "==> all passed"

check: ## Check formatting and run the static checks.
	@echo "==> gofmt"
	@unformatted=$$(gofmt -l .); \
	  if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi
	@echo "==> go vet"
	@$(GO) vet ./...
	@cd test && $(GO) vet ./...
	@echo "==> staticcheck"
	@hack/build-tools.sh staticcheck
	@bin/staticcheck $$($(GO) list ./... | grep -v /pkg/generated/)
	@cd test && ../bin/staticcheck ./...

unit-test: ## Run the tests that need no control plane.
	@echo "==> tests of the product"
	@$(GO) test -timeout $(UNIT_TEST_TIMEOUT) ./...

e2e-test: control-plane nodes build ## Run the tests on a real control plane.
	@echo "==> tests on a real control plane"
	@[ "$$PULSAR_JAVA_CLIENT" != off ] || echo "==> PULSAR_JAVA_CLIENT=off: the tests with Pulsar's Java client do not run"
	@# One package at a time: each has a control plane of its own, and two of them on
	@# two cores are slower than one after the other.
	@# The comparison with a real Pulsar has a target of its own.
	@cd test && $(GO) test -p 1 -count 1 -timeout $(TEST_TIMEOUT) $$($(GO) list ./... | grep -v '/conformance$$')

# PULSAR_CONFORMANCE says where Pulsar's answers come from: real (or fail), recorded, or
# record, which keeps them; by itself the test asks a real Pulsar where one can be had, and
# says which of them it was. PULSAR_CONFORMANCE_STEPS chooses some of the files of steps.
conformance: control-plane build ## Compare the shim's answers with those of a real Pulsar.
	@echo "==> comparison with Pulsar"
	@cd test && $(GO) test -count 1 -v -timeout $(TEST_TIMEOUT) ./conformance

kubectl-parity: control-plane build ## Compare kubectl on our kinds with kubectl on built-in ones (part of e2e-test).
	@cd test && $(GO) test -count 1 -timeout $(TEST_TIMEOUT) ./kubectlparity

verify: ## Check that everything generated is up to date.
	@$(call each-script,hack/verify-*.sh)

update: ## Generate again everything that is generated.
	@$(call each-script,hack/update-*.sh)

# What is derived from Function Mesh's own definitions is committed, and only
# made or compared where FUNCTION_MESH_CRDS says in which folder they are.
each-script = set -e; for script in $(1); do \
	  case "$$script:$$FUNCTION_MESH_CRDS" in \
	    *-crd-paths.sh:) echo "==> $$script: left out, FUNCTION_MESH_CRDS is not set"; continue ;; \
	  esac; \
	  echo "==> $$script"; "$$script"; done

published: control-plane build ## Write down the API as kube-apiserver publishes it, after a change that is meant.
	@cd test && $(GO) test -count 1 -timeout $(TEST_TIMEOUT) ./apigroup -run '^TestPublished$$' -update
	@git status --short test/apigroup/testdata/published

generate: update ## The same as update.

bench: control-plane build ## Run the benchmarks.
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@echo "==> what the view costs beside the resources, by a real control plane"
	@cd test && $(GO) test -run '^$$' -bench . -timeout $(TEST_TIMEOUT) ./apigroup

clean: ## Remove what was built and the state of make run.
	rm -rf bin .run
