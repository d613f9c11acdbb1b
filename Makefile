# The front door. `make` alone lists what there is.

.DEFAULT_GOAL := help
.PHONY: help run test schemas-test clients-test check openapi openapi-check lint-openapi sdk sdk-test sdk-packages \
        diff-openapi release-openapi contract console-test portal portal-check portal-test verify-webhooks chaos bench \
        bench-scripts bench-scale fairness ops-test dist fmt lint audit clean

# What is no part of the workspace.
OWN_WORKSPACES := tools/openapi/rust/src/main.rs tests/sdk/rust/src/main.rs sdk/rust/src/webhooks.rs

help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the demo: Tieline beside a stand-in Slack
	@scripts/run

test: check ## Check, then run every test, on SQLite and on a throw-away PostgreSQL
	scripts/with-postgres cargo test --workspace

schemas-test: ## Run the tests on PostgreSQL in schemas of one database
	TIELINE_TEST_POSTGRES_SCHEMAS=1 scripts/with-postgres cargo test --test tests postgres

clients-test: ## Drive servers with the published clients of the dialects (needs Node and Python)
	scripts/clients-test

check: ## Check formatting and lints; run no test
	@scripts/require test
	cargo fmt --all --check
	rustfmt --check --edition 2024 $(OWN_WORKSPACES)
	cargo clippy --workspace --all-targets -- -D warnings

openapi: ## Write the published documents, openapi/*.json
	cargo run --quiet -- openapi

openapi-check: ## Fail when a published document is not what the code publishes
	cargo run --quiet -- openapi --check

lint-openapi: ## Lint and validate the published documents (needs Node and Python)
	scripts/lint-openapi

sdk: ## Make clients of the published documents in target/sdk (needs Node, Python, Go and Java)
	scripts/sdk

sdk-test: ## Make the clients, type-check them, drive a server with them, and pack them
	scripts/sdk test

sdk-packages: sdk ## Pack the clients of TypeScript, Python and Rust, with what is in sdk/
	scripts/sdk-packages

diff-openapi: ## Fail where a client of the latest release would break (needs Node and Python)
	scripts/diff-openapi

release-openapi: ## Freeze the published documents as those of the version in Cargo.toml
	scripts/release-openapi

contract: ## Hold a running server against every published document (needs Python)
	scripts/contract

console-test: ## Use the landing page and the console in a headless Chromium (needs Node and Chromium)
	scripts/console-test

portal: ## Build the portal's pages, portal/dist (needs Node)
	scripts/portal-tools portal
	npm run --prefix portal build

portal-check: ## Check the portal's types, lint, build and size (needs Node)
	scripts/portal-tools portal
	npm run --prefix portal check

portal-test: ## Use the portal in a headless Chromium (needs Node and Chromium)
	scripts/portal-test

verify-webhooks: ## Hold the receivers of webhooks that the guide shows to what is sent (needs Node and Python)
	scripts/verify-webhooks

chaos: ## Inject faults for about ten minutes: disks, crashes, the way to the database
	@scripts/chaos

bench: ## Measure throughput and latency on this machine
	scripts/bench

bench-scripts: ## Measure what processes that are kept for scripts are worth, in a release build
	cargo build --release --package tieline --package bench
	$${CARGO_TARGET_DIR:-target}/release/bench script

bench-scale: ## Measure with few and many stored events, 10,000,000 unless BENCH_STORED says so: an hour
	cargo build --release --package tieline --package bench
	$${CARGO_TARGET_DIR:-target}/release/bench scale sqlite $${CARGO_TARGET_DIR:-target}/scale-1.json
	scripts/with-postgres --durable $${CARGO_TARGET_DIR:-target}/release/bench scale postgres $${CARGO_TARGET_DIR:-target}/scale-2.json
	$${CARGO_TARGET_DIR:-target}/release/bench scale-table $${CARGO_TARGET_DIR:-target}/scale-*.json

fairness: ## Fail where organisations that behave badly hold up one that does not, in a release build
	@scripts/fairness

ops-test: ## Check what operators install: alerts, dashboard, unit, image, chart (needs Python, promtool)
	scripts/ops-test

dist: ## Pack a release into dist/: archives, licences, an SBOM, checksums
	scripts/dist

fmt: ## Format every source file
	cargo fmt --all
	rustfmt --edition 2024 $(OWN_WORKSPACES)

lint: ## Lint only
	cargo clippy --workspace --all-targets -- -D warnings

audit: ## Check licences, advisories, sources and banned crates of every dependency
	@scripts/audit

clean: ## Remove what was built; ./data stays
	cargo clean
