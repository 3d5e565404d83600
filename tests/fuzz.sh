#!/bin/sh
# SPDX-License-Identifier: MIT
# Hostile input: runs every libFuzzer target that `make fuzz` has built, with a
# fixed seed. SHL_FUZZ_RUNS changes how often.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

runs=${SHL_FUZZ_RUNS:-100000}
limit=600
if [ -n "${SHL_SOAK:-}" ]; then
    runs=${SHL_FUZZ_RUNS:-2000000}
    limit=3600
fi

SHMLINK_REGISTRY=f$$
export SHMLINK_REGISTRY
found=
for program in build/fuzz/fuzz_*; do
    case $program in *.d | *.o) continue ;; esac
    [ -x "$program" ] || continue
    found=yes
    name=$(basename "$program")
    count=$runs
    # files take system calls, so they take a while
    [ "$name" != fuzz_files ] || count=$((runs / 2))
    log=$(mktemp)
    corpus=$(mktemp -d)
    seeds=
    [ ! -d "$here/seeds/$name" ] || seeds=$here/seeds/$name
    if timeout -k 5 "$limit" "$program" -seed=1 -runs="$count" \
        -artifact_prefix=build/fuzz/ "$corpus" $seeds \
        >"$log" 2>&1 </dev/null; then
        pass "$name ($count runs)"
    else
        fail "$name"
        tail -n 40 "$log" | sed 's/^/     | /'
    fi
    rm -rf "$log" "$corpus" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
done
[ -n "$found" ] || fail "there is no fuzz target"
tally_end
