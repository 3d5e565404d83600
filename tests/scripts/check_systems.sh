#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared bytes on systems that the core does not run on yet: every offset and
# size, asserted in layout.h, is the same there. Compiled, not run.
# shows MP-49
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

command -v clang >/dev/null || { echo "no clang"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# All that layout.h takes from a C library; the rest is the compiler's own.
printf '%s\n' '#define static_assert _Static_assert' \
    '#define assert(x) ((void)0)' >"$work/assert.h"
printf '%s\n' '#include "core/shm/layout.h"' >"$work/layout.c"
printf '%s\n' '#include "core/shm/layout.h"' \
    'static_assert(sizeof(long) == sizeof(void *), "not so on Windows");' \
    >"$work/long.c"

compiles() { # target file
    clang -target "$1" -std=c11 -ffreestanding -nostdlibinc -fsyntax-only \
        -I"$work" -I"$root/include" -I"$root/src" "$work/$2" >"$work/log" 2>&1
}

for target in x86_64-w64-windows-gnu i686-w64-windows-gnu \
    aarch64-w64-windows-gnu x86_64-apple-macos11 arm64-apple-macos11 \
    aarch64-linux-gnu; do
    if compiles $target layout.c; then
        pass "layout on $target"
    else
        fail "layout on $target: $(head -n 1 "$work/log")"
    fi
done
if compiles x86_64-w64-windows-gnu long.c; then
    fail "what is different on Windows is not seen"
else
    pass "what is different on Windows is seen"
fi
tally_end
