#!/bin/sh
# SPDX-License-Identifier: MIT
# The core in 32 bits: it compiles (its static asserts hold), and every shared
# field has the offset and size that it has in 64 bits.
# shows MP-01
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

out=$root/build/m32
mkdir -p "$out"
for bits in 32 64; do
    ${CC:-gcc} -m$bits -Wno-psabi -std=c11 -D_GNU_SOURCE -I"$root/include" \
        -I"$root/src" -o "$out/print_layout$bits" \
        "$here/support/print_layout.c" || exit 1
done

"$out/print_layout64" >"$out/layout64" || exit 1
if ! "$out/print_layout32" >"$out/layout32" 2>/dev/null &&
    [ ! -s "$out/layout32" ]; then
    skip "layout in 32 bits: this kernel runs no 32-bit programs"
elif diff "$out/layout64" "$out/layout32"; then
    pass "layout in 32 bits: $(grep -c . "$out/layout32") fields agree"
else
    fail "layout in 32 bits: fields differ"
fi
tally_end
