#!/bin/sh
# SPDX-License-Identifier: MIT
# SIGKILL at random moments: devices in both drives, plugin programs, host
# programs, Pd. What the others then do and what is left is judged by
# tests/process/kill_device.c, tests/process/kill_plugin.c and tests/process/kill_host.c.
# SHL_SEED in the environment gives other moments.
# shows MP-52 ME-01
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

devices=30
hosts=30
if [ -n "${SHL_SOAK:-}" ]; then
    devices=10000
    hosts=1000
fi
seed=${SHL_SEED:-1}
tests=${BUILD:-build}/tests
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# judge WHAT DELAY SPREAD WORDS...: microseconds before the kill. A program that
# takes long to start here must be left to live for longer.
judge() {
    what=$1
    delay=$2
    spread=$3
    shift 3
    for slow in 1 4 16; do
        "$tests/$what" --seed "$seed" --delay $((delay * slow)) \
            --spread $((spread * slow)) "$@" >"$log" 2>&1
        status=$?
        grep -q 'give --delay' "$log" || break
    done
    verdict=fail
    [ $status -ne 0 ] || verdict=pass
    $verdict "killed: $(tail -n 1 "$log")"
}

judge kill_device 0 12000 --count $devices -- ./shmlink device --id Live:0 -q
judge kill_device 0 60000 --count $((devices / 3)) --period 1333 -- \
    ./shmlink device --id Live:0 -q --drive free
for protocol in 0 6; do # with a link area, and by pipes
    judge kill_plugin 0 30000 --count $((hosts / 2)) -- \
        ./shmplug builtin:synth $protocol
done
judge kill_host 0 15000 --count $hosts -- ./shmlink host --id Live:0 -q
pd=$(command -v pd || command -v puredata)
if [ -n "$pd" ] && [ -e 'shmlink~.pd_linux' ]; then
    judge kill_host 20000 150000 --count $hosts -- "$pd" -nogui -nrt -noprefs \
        -nomidi -nosound -r 48000 -path . -open tests/pd/live-host.pd
else
    skip "killed: Pd, which is not there"
fi
tally_end
