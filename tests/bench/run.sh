#!/bin/sh
# SPDX-License-Identifier: MIT
# The bench: floors of this machine, one block there and back through the core,
# and Pd's cost per block with [shmlink~] beside [pd~]. Everything runs once per
# round, what is compared one right after the other; a table of ratios and their
# goals comes at the end. Only ratios within one round mean something: the
# processors of a virtual machine are moved about, and what is fast now is three
# times as slow a minute later. Ends with 1 only if something could not run.
#
#   BENCH_ROUNDS=20 run.sh     more rounds (6 unless said)
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
bench=$root/build/bench
rounds=${BENCH_ROUNDS:-6}

work=$(mktemp -d)
SHMLINK_REGISTRY=b$$
export SHMLINK_REGISTRY
tidy() {
    "$root/shmlink" clean >/dev/null 2>&1
    rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM
: >"$work/data"
: >"$work/failed"

# run KEY program [argument ...]: its line of numbers, under that name.
run() {
    key=$1
    program=$2
    shift 2
    if timeout -k 5 70 "$bench/$program" "$@" >"$work/out" 2>"$work/err" \
        </dev/null; then
        sed "s/^/$key /" "$work/out" >>"$work/data"
    else
        echo "$key -" >>"$work/data" # keeps the others beside their partners
        echo "$key: $(grep . "$work/err" | tail -1)" >>"$work/failed"
    fi
}

patch() { # kind place ms
    run "patch-$1-$2" patch "$1" "$2" "$3" "$here"
}

one_round() {
    # the shortest cycle depends most on where the processors are just now
    for size in "64 2" "64 2" "64 2" "64 32" "512 32"; do
        name=$(echo "$size" | tr ' ' 'x')
        count=$((2560000 / (${size% *} * ${size#* })))
        [ "$count" -lt 8000 ] || count=8000
        run "tight-$name" floor tight two $size 0 "$count"
        run "lock-$name" round lockstep two $size 8 0 "$count"
    done
    for look in monitor guest; do
        run "alone-$look" round lockstep two 64 2 8 0 20000
        run "look-$look" round lockstep two 64 2 8 0 20000 $look
    done
    run futex-fifo floor futex fifo
    run lock-fifo round lockstep fifo
    run futex-one floor futex one
    run lock-one round lockstep one
    run futex-asleep floor futex two 64 2 200 1000
    run lock-asleep round lockstep two 64 2 8 200 1000
    run raw-two floor raw two
    run pipe-awake round pipelined two 64 2 8 20 10000
    for channels in 2 8 32; do
        run "own-lock-$channels" round lockstep two 64 $channels 8 1333 400
        run "own-pipe-$channels" round pipelined two 64 $channels 8 1333 400
        run "own-free-$channels" round free two 64 $channels 8 0 400
    done
    run raw-paced floor raw two
    run pipe-paced round pipelined two 64 2 8 1333 400
    run silent-two round lockstep two 64 2 0
    for place in two one; do
        for bell in doorbell pipes; do
            run "plug-$bell-$place" plugin $bell $place "$root/shmplug"
        done
    done
    patch empty two 400000
    patch shmlink two 400000
    patch pd two 8000
    run silent-one round lockstep one 64 2 0
    patch empty one 400000
    patch shmlink one 80000
    patch pd one 20000
    for count in 1 4 16 64; do
        run "many-lock-$count" links lockstep "$count" $((16000 / count))
        run "many-pipe-$count" links pipelined "$count" $((16000 / count))
    done
    # nobody is bound to a processor here: it is the system that is asked, too
    for count in 1 2 4 8; do
        run "pace-lock-$count" pace lockstep "$count" 1 450
        run "pace-pipe-$count" pace pipelined "$count" 1 450
        run "burst-lock-$count" pace lockstep "$count" 15 450
        run "burst-pipe-$count" pace pipelined "$count" 15 450
    done
    run raw-idle floor raw two
    run idle idle
}

# The watcher aborts a program that allocates, locks or asks the system for
# anything but its wake-up in its audio path.
watched() {
    [ -e "$root/build/rtwatch.so" ] || return 0
    if LD_PRELOAD=$root/build/rtwatch.so SHL_RTWATCH_REPORT=$work/watch \
        timeout -k 5 70 "$bench/round" lockstep two 64 2 8 0 20000 \
        >/dev/null 2>"$work/err" </dev/null &&
        grep -q 'violations 0 ' "$work/watch"; then
        echo "watch 0" >>"$work/data"
    else
        echo "watch 1" >>"$work/data"
    fi
}

n=1
while [ "$n" -le "$rounds" ]; do
    [ ! -t 2 ] || printf 'round %d of %d\r' "$n" "$rounds" >&2
    one_round
    n=$((n + 1))
done
watched

# kept for `make bench-readme`
awk -v rounds="$rounds" -f "$here/table.awk" "$work/data" |
    tee "$bench/table.txt"

if [ -s "$work/failed" ]; then
    echo
    echo "could not run:"
    sort "$work/failed" | uniq -c | sed 's/^/  /'
    exit 1
fi
