#!/bin/sh
# SPDX-License-Identifier: MIT
# Shared memory with room for the device and not for its streams, as in a small
# container: one `open 0` and one line, not several a second for ever.
# Needs a /dev/shm of its own, which the system may not allow.
. "$here/pd/pd.sh"

if [ -z "${SHL_OWN_SHM:-}" ]; then
    unshare -m true 2>/dev/null || { echo "no unshare -m here"; exit 77; }
    SHL_OWN_SHM=1 unshare -m sh "$0"
    exit
fi
mount -t tmpfs -o size=1m tmpfs /dev/shm || { echo "no mount here"; exit 77; }
start "$SHMLINK" device -q --id D:0 --channels 32 --inputs 32 --drive free
ready D:0
outlet=32 ask_patch "$work/full.pd" "shmlink~ D:0 32 32 -drive free" "!pd dsp 1" \
    "~5000"
live "$work/full.pd" >"$work/log"
same "one open 0 in five seconds" "$(grep -c '^reply: open 0' "$work/log")" 1
same "one line on the console" "$(grep -c '^error: shmlink~' "$work/log")" 1
[ "$bad" = 0 ] || cat "$work/log"
exit "$bad"
