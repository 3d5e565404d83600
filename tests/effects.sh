#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether the functions of the audio path call only such functions: SHL_RT in
# shmlink/realtime.h, checked by a clang from 20 on. Core, resampler, tool, and the
# plugin program but for its formats, which call plugins of others; an exception stands in the code with its reason. Without such a clang it
# says so and is skipped:  effects.sh
cd "$(dirname "$0")/.." || exit 2

work=build/effects
mkdir -p "$work"
ZIG_GLOBAL_CACHE_DIR=$PWD/$work/cache
ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR

echo 'void f(void) __attribute__((nonblocking));' >"$work/try.c"
compiler=
for candidate in "${EFFECTS_CC:-}" "clang" "clang-21" "clang-20" \
    "build/zig/bin/python -m ziglang cc" "python3 -m ziglang cc"; do
    [ -n "$candidate" ] || continue
    # shellcheck disable=SC2086
    if $candidate -c -Werror -Wfunction-effects -o "$work/try.o" "$work/try.c" \
        >/dev/null 2>&1; then
        compiler=$candidate
        break
    fi
done
if [ -z "$compiler" ]; then
    echo "effects: skipped: no clang from 20 on; sh tests/deps.sh ci fetches one"
    exit 0
fi

rate=
! pkg-config samplerate || rate=-DSHL_HAVE_SAMPLERATE

compile() { # source object
    # shellcheck disable=SC2086
    $compiler -c -std=c11 -D_GNU_SOURCE -Iinclude -Isrc -DSHL_META_VERSION=__FILE__ \
        $rate $(pkg-config --cflags samplerate sndfile 2>/dev/null) \
        -Wno-everything -Wfunction-effects -Werror=function-effects \
        -ferror-limit=0 -o "$2" "$1"
}

# A check that never says no is none.
{
    cat src/core/host/host_audio.c
    echo '#include <stdlib.h>'
    echo 'SHL_RT void *shl_planted(size_t size);'
    echo 'void *shl_planted(size_t size) { return malloc(size); }'
} >"$work/planted.c"
if compile "$work/planted.c" "$work/planted.o" >"$work/log" 2>&1 ||
    ! grep -q "'malloc'" "$work/log"; then
    echo "effects: $compiler does not see an allocation in the audio path"
    cat "$work/log"
    exit 1
fi

count=0
failed=
for source in src/core/*/*.c src/plug/*.c src/tool/*.c src/rate/*.c; do
    [ "$source" != src/rate/samplerate.c ] || [ -n "$rate" ] || continue
    compile "$source" "$work/out.o" || failed="$failed $source"
    count=$((count + 1))
done
rm -rf "$work"
[ -z "$failed" ] || { echo "effects: not in order:$failed"; exit 1; }
echo "effects: the audio path calls only what may be in it, in $count files"
