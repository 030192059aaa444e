# The two commands of the README. Each does its own set-up.

VIDEO ?= demo/presenter.mp4
AUDIO ?= demo/speech.wav
OUT   ?= out/demo.mp4

.PHONY: demo test test-python lint setup setup-tests

## Make a video whose person speaks new words, and say where it is: make demo [VIDEO=… AUDIO=… OUT=…]
demo: setup
	@mkdir -p $(dir $(OUT))
	cargo run --quiet --release --locked --bin viseme -- sync "$(VIDEO)" "$(AUDIO)" -o "$(OUT)"
	@echo "Watch it: $(abspath $(OUT))"

## Check style and run every test.
test: setup-tests lint
	@scripts/test_rust.sh
	@scripts/test_python.sh

## Run the tests of the Python client against the binary that was built last.
test-python:
	@scripts/test_python.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
		cargo deny --locked check bans licenses sources; \
	else \
		echo "skipped: cargo deny is not installed (cargo install cargo-deny)"; \
	fi

setup:
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh tests
