# Every check that CI makes is a target here, and CI calls nothing else: what passes on a laptop passes there.
# Needs Go, make, git and bash; the targets that need more say so when it is missing.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X order-processing-service/internal/bootstrap.Version=$(VERSION)

# Rounds of killing the process and counting what is left.
CRASH_ROUNDS ?= 25
# The same on MongoDB, where a round takes longer.
MONGO_CRASH_ROUNDS ?= 10
# How long each fuzz target runs.
FUZZTIME ?= 5s
# What make bench is told; "-quick" tries it out in a minute and writes nothing, "-help" lists the rest.
BENCH_FLAGS ?= -write docs/benchmarks.md -import-file '$(IMPORT_FILE)'
# The same for make bench/mongo.
BENCH_MONGO_FLAGS ?= -write docs/benchmarks-mongodb.md
# The same for make bench/overload.
BENCH_OVERLOAD_FLAGS ?= -write docs/benchmarks-overload.md
# The whole real file that test/import reads; see test/importcheck for where it comes from.
IMPORT_FILE ?= ../shared/data/online-retail-2010-2011-part.csv.gz
# Where else the program must build.
PLATFORMS ?= linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
# What go build is told there besides.
CROSS_FLAGS ?=

# Each tool has a module of its own, so that its dependencies meet neither the program's nor another tool's; and so has a
# server that only tests need.
GOLANGCI_LINT := go tool -modfile=tools/golangci-lint/go.mod golangci-lint
ACTIONLINT    := go tool -modfile=tools/actionlint/go.mod actionlint
GOVULNCHECK   := go tool -modfile=tools/govulncheck/go.mod govulncheck
GORELEASER    := go tool -modfile=tools/goreleaser/go.mod goreleaser
MODULES       := . $(patsubst %/go.mod,%,$(wildcard tools/*/go.mod test/*/go.mod))
SCRIPTS       := .ci/run $(wildcard test/*/*.sh deploy/*/*.sh)

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z\/-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Build and run

.PHONY: build
build: ## Build bin/orders: one static binary, no cgo
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/orders ./cmd/orders

.PHONY: run
run: ## Run the service from source
	go run ./cmd/orders serve

.PHONY: cross
cross: ## Build for the other platforms, into dist/
	@for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} suffix=; \
		if [ "$$os" = windows ]; then suffix=.exe; fi; \
		echo "build dist/orders_$${os}_$$arch$$suffix"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch \
			go build -trimpath $(CROSS_FLAGS) -ldflags '$(LDFLAGS)' -o "dist/orders_$${os}_$$arch$$suffix" ./cmd/orders || exit 1; \
	done

##@ Test

.PHONY: test
test: ## Run the tests; needs nothing but Go
	go test ./...
	$(say-mongo)

# make test has vetted it already, and nobody debugs what this links.
.PHONY: test/race
test/race: ## Run the tests under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -vet=off -ldflags=-w -timeout=30m ./...
	$(say-mongo)

.PHONY: test/crash
test/crash: ## Kill the process at random moments, CRASH_ROUNDS times (25)
	$(call require-tests,Crash,./test/crash/...)
	CRASH_ROUNDS=$(CRASH_ROUNDS) go test -count=1 -v -timeout 60m -run Crash ./test/crash/...

.PHONY: test/schemathesis
test/schemathesis: build ## Hold the API against /openapi.json; needs Python 3
	test/schemathesis/run.sh bin/orders

.PHONY: test/browser
test/browser: ## Use /docs in a real browser; needs Chromium
	$(call require-tests,.,./test/browser/...)
	ORDERS_REQUIRE_BROWSER=1 go test -count=1 -v ./test/browser/...

# What is tried on MongoDB: the store by itself, the program with it, several processes on it, and what breaks between them.
MONGO_TESTS := ./internal/infrastructure/store/mongo/... ./test/e2e/... ./test/cluster/... ./test/network/... ./test/crash/... ./test/copy/... ./test/lambda/... ./test/traces/...

# Without a server of its own to try, it starts one; ORDERS_REQUIRE_MONGO makes a test fail that would else be left out.
# What has a part for each store is told here to leave out the embedded one, which make test tries.
.PHONY: test/mongo
test/mongo: build ## Try everything on MongoDB at TEST_MONGO_URI; without it, needs Java 17 and Maven
	@for package in $(MONGO_TESTS); do \
		go test -list . $$package | grep -c '^Test' >/dev/null || { echo "there is no test in $$package" >&2; exit 1; }; done
	$(if $(TEST_MONGO_URI),ORDERS_REQUIRE_MONGO=1,test/mongowire/run.sh) $(MAKE) --no-print-directory mongo-tests

# The packages take turns, as most of them are about time.
.PHONY: mongo-tests
mongo-tests:
	CRASH_ROUNDS=$(MONGO_CRASH_ROUNDS) go test -count=1 -p 1 -timeout 20m -skip '/embedded$$' $(MONGO_TESTS)
	go run ./test/scratch test/schemathesis/run.sh bin/orders
	$(if $(wildcard $(IMPORT_FILE)),go run ./test/scratch go run ./test/importcheck -mongo -orders bin/orders -file '$(IMPORT_FILE)',\
		@echo 'the whole-file import was not tried on MongoDB: there is no $(IMPORT_FILE)')

.PHONY: test/mongoauth
test/mongoauth: ## Try signing in to MongoDB, with right, wrong and changed passwords
	go -C test/mongoauth test -count=1 ./...
	$(call require-tests,SignIn,./internal/infrastructure/store/mongo/...)
	test/mongoauth/run.sh go test -count=1 -v -run SignIn ./internal/infrastructure/store/mongo/...

.PHONY: test/aws
test/aws: ## Try EventBridge, SQS, S3 and Secrets Manager on TEST_AWS_ENDPOINT_URL; without it, needs Python 3
	$(call require-tests,.,./test/aws/...)
	test/mongoauth/run.sh $(if $(TEST_AWS_ENDPOINT_URL),env ORDERS_REQUIRE_AWS=1,test/moto/run.sh) go test -count=1 -v -timeout 20m ./test/aws/...

.PHONY: test/import
test/import: build ## Import the whole real file, IMPORT_FILE, and check the counts
	go run ./test/importcheck -orders bin/orders -file '$(IMPORT_FILE)'

# As test/mongo, it starts a server if none is named. The other ways between two stores are tried on the excerpt.
COPIES := CopySQLiteToMongoDB|Stopped
.PHONY: test/copy
test/copy: ## Copy the whole real file, IMPORT_FILE, between SQLite and TEST_MONGO_URI, and compare every answer
	$(call require-tests,$(COPIES),./test/copy/...)
	@test -r '$(IMPORT_FILE)' || { echo "there is no $(IMPORT_FILE); say where the file is with IMPORT_FILE=" >&2; exit 1; }
	COPY_FILE='$(abspath $(IMPORT_FILE))' $(if $(TEST_MONGO_URI),ORDERS_REQUIRE_MONGO=1,test/mongowire/run.sh) \
		go test -count=1 -v -timeout 30m -run '$(COPIES)' ./test/copy/...

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (5s)
	test/fuzz/run.sh $(FUZZTIME)

.PHONY: bench
bench: build ## Measure the service against its limits, into docs/benchmarks.md
	go run ./test/bench -orders bin/orders $(BENCH_FLAGS)

.PHONY: bench/mongo
bench/mongo: build ## Measure the service on TEST_MONGO_URI beside its driver, into docs/benchmarks-mongodb.md
	$(if $(TEST_MONGO_URI),,test/mongowire/run.sh) bash -c 'go run ./test/bench -orders bin/orders -mongo "$$TEST_MONGO_URI" $(BENCH_MONGO_FLAGS)'

.PHONY: bench/overload
bench/overload: build ## Offer the service five times what it can do, on both stores, into docs/benchmarks-overload.md
	$(if $(TEST_MONGO_URI),,test/mongowire/run.sh) bash -c 'go run ./test/bench -orders bin/orders -overload -mongo "$$TEST_MONGO_URI" $(BENCH_OVERLOAD_FLAGS)'

.PHONY: test/image
test/image: ## Lay the image out in an empty root folder and run it there; needs root
	$(call require-tests,.,./test/image/...)
	ORDERS_REQUIRE_ROOT=1 go test -count=1 -v ./test/image/...

##@ Deploy and release

.PHONY: image
image: ## Build the image for this machine; needs Docker
	docker build -t order-processing-service --build-arg VERSION='$(VERSION)' --build-arg REVISION="$$(git rev-parse HEAD)" .

.PHONY: deploy-check
deploy-check: ## Check the deployment files; needs Python 3
	test/deploy/lint.sh
	go -C test/deploy vet ./...
	go -C test/deploy test -count=1 -v ./...

.PHONY: observability-check
observability-check: ## Check dashboards, alerts and alarms, and that the program emits what they name; needs promtool and Python 3
	@command -v promtool >/dev/null || { echo "there is no promtool: install Debian's package prometheus" >&2; exit 1; }
	promtool check config deploy/observability/prometheus/prometheus.yml
	promtool check rules --lint-fatal deploy/observability/prometheus/orders.rules.yml
	promtool test rules test/observability/orders.rules.test.yml test/observability/days.rules.test.yml test/observability/overload.rules.test.yml
	go -C test/observability vet ./...
	$(if $(TEST_AWS_ENDPOINT_URL),env ORDERS_REQUIRE_AWS=1,test/moto/run.sh) go -C test/observability test -count=1 -v ./...
	$(call require-tests,DashboardNamesWhatIsWritten,./test/lambda/...)
	go test -count=1 -run DashboardNamesWhatIsWritten ./test/lambda/...

.PHONY: release-check
release-check: ## Make the whole release in dist/ without publishing it, and check it
	test/release/notes.sh Unreleased >/dev/null
	$(GORELEASER) release --snapshot --clean
	test/release/check.sh dist

.PHONY: release
release: ## Publish a draft of the release that is tagged; needs GITHUB_TOKEN
	notes=$$(mktemp); trap 'rm -f "$$notes"' EXIT; \
		version=$$(git describe --exact-match --tags); test/release/notes.sh "$${version#v}" >"$$notes"; \
		$(GORELEASER) release --clean --release-notes "$$notes"; \
		test/release/check.sh dist

##@ Keep in order

.PHONY: lint
lint: ## Lint Go, the workflows and the shell scripts; needs shellcheck
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run ./...
	$(ACTIONLINT)
	shellcheck $(SCRIPTS)

.PHONY: license-check
license-check: ## Check the licenses of all libraries against test/licenses/allowed.txt
	test/licenses/check.sh

.PHONY: vulnerabilities
vulnerabilities: ## Look for known weaknesses in the libraries; asks vuln.go.dev
	$(GOVULNCHECK) ./...

.PHONY: fmt
fmt: ## Format the Go source
	$(GOLANGCI_LINT) fmt ./...

.PHONY: generate
generate: ## Write the generated files anew
	go generate ./...

.PHONY: tidy
tidy: ## Tidy the go.mod files
	@for module in $(MODULES); do echo "go -C $$module mod tidy"; go -C "$$module" mod tidy || exit 1; done

# Compares the work tree before and after instead of asking that it be clean: it works between commits too.
.PHONY: verify
verify: ## Check that formatting, go.mod and generated files are current
	@files=$$(gofmt -l .); \
		[ -z "$$files" ] || { echo "not formatted; run make fmt:"; echo "$$files"; exit 1; }
	@for module in $(MODULES); do echo "go -C $$module mod tidy -diff"; go -C "$$module" mod tidy -diff || exit 1; done
	@snapshot() { git diff; git ls-files --others --exclude-standard | git hash-object --stdin-paths; }; \
		before=$$(snapshot); $(MAKE) --no-print-directory generate; \
		[ "$$before" = "$$(snapshot)" ] || { echo "generated files were not current; commit what changed:"; git status --short; exit 1; }

# Tests that were left out say so only to go test -v.
say-mongo = @[ -n "$${TEST_MONGO_URI:-}" ] || echo "MongoDB was not tried: TEST_MONGO_URI names no server; 'make test/mongo' starts one"

# A pattern that matches no test would pass without having tried anything.
define require-tests
@go test -list '$(1)' $(2) | grep -c '^Test' >/dev/null || { echo "no test matches $(1) in $(2)" >&2; exit 1; }
endef
