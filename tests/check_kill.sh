#!/bin/sh
# SIGKILL at random moments: devices, host programs, Pd. What the others then do
# and what is left is judged by tests/kill_device.c and tests/kill_host.c.
# SHL_SEED in the environment gives other moments.
# shows MP-52 ME-01
here=$(cd "$(dirname "$0")" && pwd)
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

judge() { # program and arguments
    if "$@" >"$log" 2>&1; then
        pass "killed: $(tail -n 1 "$log")"
    else
        fail "killed: $(tail -n 1 "$log")"
    fi
}

judge "$tests/kill_device" --count $devices --seed "$seed" --spread 12000 -- \
    ./shmlink device --id Live:0 -q
judge "$tests/kill_host" --count $hosts --seed "$seed" --spread 15000 -- \
    ./shmlink host --id Live:0 -q
pd=$(command -v pd || command -v puredata)
if [ -n "$pd" ] && [ -e 'shmlink~.pd_linux' ]; then
    judge "$tests/kill_host" --count $hosts --seed "$seed" --delay 20000 \
        --spread 150000 -- "$pd" -nogui -nrt -noprefs -nomidi -nosound \
        -r 48000 -path . -open tests/pd/live-host.pd
else
    skip "killed: Pd, which is not there"
fi
tally_end
