#!/bin/sh
# SPDX-License-Identifier: MIT
# The two programs of docs/write-a-device.md: each at most 60 lines, compiled as the
# page says from nothing but the core, run against each other.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

work=$(mktemp -d)
SHMLINK_REGISTRY=x$$
export SHMLINK_REGISTRY
device=

tidy() {
    [ -z "$device" ] || kill -KILL "$device" 2>/dev/null
    rm -rf "$work" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM

check() { # what, command ...
    c_what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        pass "$c_what"
    else
        fail "$c_what"
        sed 's/^/     | /' "$work/out" | tail -20
    fi
}

before=$work/before
shm_names >"$before"

for name in device host; do
    check "examples/$name.c has at most 60 lines" \
        test "$(wc -l <"$root/examples/$name.c")" -le 60
    check "examples/$name.c compiles from the core alone, without warnings" \
        "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror \
        -I"$root/include" -I"$root/src" -o "$work/$name" "$root/examples/$name.c" \
        "$root"/src/core/*/*.c -lpthread -lm
done

check "a host without a device says so and ends with 1" sh -c "
    timeout -k 2 1000 '$work/host' Nobody:0 2>'$work/err'
    test \$? -eq 1 && grep -q Nobody '$work/err'"

timeout -k 60 1000 "$work/device" >"$work/device.log" 2>&1 &
device=$!
check "the host plays the device" \
    sh -c "timeout -k 2 1000 '$work/host' >'$work/levels'"

# Thirty levels; sound while a note is held, none after the last.
check "the levels rise with each note and end in silence" awk '
    $3 > 0.1 { loud++ }
    NR > 21 && $3 > 0.0001 { late++ }
    END { exit !(NR == 30 && loud >= 16 && loud <= 20 && !late) }' \
    "$work/levels"

kill -TERM "$device" 2>/dev/null
wait "$device"
status=$?
device=
check "the device ends in good order (status $status)" test "$status" -eq 0
left=$(shm_left "$before" | grep -v "$SHMLINK_REGISTRY")
check "they leave no segment" test -z "$left"

tally_end
