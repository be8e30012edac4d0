# Every task of the project by name. `./dev RECIPE` installs what a recipe needs, then runs it here.

set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

# List the recipes
default:
    @just --list

# Format all sources
[group('dev')]
fmt:
    cargo fmt --all

# Build and run Powerstrip with the given arguments
[group('dev')]
run *args:
    cargo run --quiet --bin powerstrip -- "$@"

# See Powerstrip at work, on a Docker Engine or without one
[group('dev')]
demo:
    cargo run --quiet --bin powerstrip -- demo

# Build the documentation of the crates; a broken link is an error
[group('dev')]
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Check formatting, lints, dependencies and shell scripts
[group('check')]
lint: fmt-check clippy deny shellcheck

# Check that the sources are formatted
[group('check')]
fmt-check:
    cargo fmt --all --check

# Check the Rust sources with clippy
[group('check')]
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# Check licences, bans and sources of all dependencies; needs no network
[group('check')]
deny: (_tool "cargo-deny" "cargo deny check --hide-inclusion-graph bans licenses sources")

# Check the dependencies against the published security advisories; needs the network
[group('check')]
audit:
    cargo deny check advisories

# Check the shell scripts
[group('check')]
shellcheck: (_tool "shellcheck" "shellcheck dev .ci/run scripts/*")

# Run all tests: units, documentation, end to end, with a real Docker Engine
[group('test')]
test *args:
    scripts/test "$@"

# Run the end-to-end tests only
[group('test')]
e2e *args:
    scripts/test --test '*' "$@"

# Show case by case that files and webhooks of 2015 work as they did, or better: NAME… for some
[group('test')]
conformance *args:
    scripts/test --test conformance -- "$@"

# Write docs/COMPATIBILITY.md anew from the cases of the conformance suite
[group('dev')]
compatibility: _programs
    POWERSTRIP_TEST_WRITE=1 cargo test --test conformance -- docs/COMPATIBILITY.md

# Run 200 clients of all kinds, many of them killed, in two rounds: SECONDS (60) and SEED
[group('test')]
soak *args: _programs
    "${CARGO_TARGET_DIR:-target}/debug/soak" "$@"

# Reload a running Powerstrip under load, 1000 times or so often
[group('test')]
reloads *args: _programs
    "${CARGO_TARGET_DIR:-target}/debug/reloads" "$@"

# Measure the time from the start to the first answer with twenty adapters, in 10 or so many ROUNDS
[group('test')]
start-time *args: _released
    "${CARGO_TARGET_DIR:-target}/release/start-time" "$@"

# Compare what docker commands do with and without Powerstrip, on every engine and transport
[group('test')]
matrix *args:
    scripts/matrix "$@"

# Run adapters that misbehave beside one that behaves: ours, or those in FILE.wasm… or folders
[group('test')]
bad-guests *args: _released
    "${CARGO_TARGET_DIR:-target}/release/bad-guests" "$@"

# Follow docs/ADAPTERS.md outside this repository, with cargo and cargo component
[group('test')]
guest-outside:
    scripts/guest-outside

# Build the adapters in other languages of examples/, and test them
[group('test')]
guests-other-languages:
    scripts/guests-other-languages

# Measure what Powerstrip costs big transfers: `just throughput [MIB [ROUNDS]]`
[group('test')]
throughput *args: _released
    "${CARGO_TARGET_DIR:-target}/release/throughput" "$@"

# Measure what requests cost beside HAProxy and Envoy: `just bench [--quick] [--only PART] [--write]`
[group('test')]
bench *args:
    scripts/bench "$@"

# Try the known ways around an adapter on real Docker Engines, and the raw requests in FILE…
[group('test')]
bypass *args:
    scripts/bypass "$@"

# Compare with Go's own decoder what the reader of JSON bodies makes of N random documents
[group('test')]
go-json *args: _programs
    "${CARGO_TARGET_DIR:-target}/debug/fuzz" go-json "$@"

# Measure how long each stage of a hooked request takes: matching, reading JSON, calling a hook
[group('test')]
bench-micro *args:
    cargo bench --workspace --bench stages -- "$@"

# Count the instructions of these stages with valgrind; more than 5 % above what is written down fails
[group('test')]
bench-instructions *args:
    CARGO_PROFILE_DEV_OPT_LEVEL=2 cargo bench --workspace --profile dev --bench instructions -- "$@"

# Feed the readers with random input: `just fuzz [--runs N] [--seed S] [TARGET…]`
[group('test')]
fuzz *args: _programs
    "${CARGO_TARGET_DIR:-target}/debug/fuzz" run "$@"

# Run other people's clients and their tests, straight at a Docker Engine and through Powerstrip
[group('test')]
foreign-suites *args:
    scripts/foreign-suites "$@"

# Run all that a change has to pass
[group('test')]
ci: lint doc guest-outside guests-other-languages test

# Build the program for development
[group('build')]
build:
    cargo build --bin powerstrip

# Build the adapters into target/adapters, to be copied where Powerstrip looks for them
[group('build')]
adapters:
    cargo run --quiet --package powerstrip-guest-build -- target/adapters \
        debug envinject guard logfiles registrator restrict-image slowreq waitready

# Build the program for use and put it where cargo puts programs
[group('release')]
install:
    cargo install --locked --path host

# Build the program and the adapters for release
[group('release')]
release: adapters
    cargo build --release --bin powerstrip

# Build the program and those that test it, with the same features of all dependencies
_programs:
    cargo build --workspace --bins --tests

# The same, as they are released
_released:
    cargo build --release --workspace --bins

# Run a command of a tool that not every machine can have, or say loudly that it was skipped
_tool tool command:
    @if command -v {{ tool }} >/dev/null; then echo "{{ command }}" >&2; {{ command }}; \
    else echo "SKIPPED: {{ tool }} is not installed, so this was NOT checked: {{ command }}" >&2; fi
