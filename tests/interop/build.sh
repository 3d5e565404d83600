#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the peers into build/interop/debug, where there is cargo and a way to
# fetch crates; 77 and a sentence: there is not.
cd "$(dirname "$0")" || exit 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

give_up() {
    echo "skipped, $*"
    exit 77
}

command -v cargo >/dev/null || give_up "no cargo"

# The crates ask for Rust 1.85; Debian 12 itself has an older one.
cargo --version 2>/dev/null |
    awk '{ split($2, n, "."); exit !(n[1] > 1 || n[2] >= 85) }' ||
    give_up "cargo is older than 1.85"

CARGO_TARGET_DIR=$(cd ../.. && pwd)/build/interop
export CARGO_TARGET_DIR
system=$(rustc -vV | sed -n 's/^host: //p')
timeout 120 cargo fetch -q --locked --target "$system" >"$log" 2>&1 ||
    give_up "the crates cannot be had"
cargo build -q --locked --offline >"$log" 2>&1 && exit 0
cat "$log"
echo "the peers cannot be built"
exit 1
