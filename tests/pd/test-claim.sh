#!/bin/sh
# SPDX-License-Identifier: MIT
# A device that another process has claimed is refused by its name and pid,
# and linked as soon as it is free.
# shows DL-25
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id MySynth:0
ready MySynth:0
start "$SHMLINK" host -q --id MySynth:0
host=$last
left=8000
until "$SHMLINK" list | grep -q busy; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "FAIL the host did not claim"; exit 1; }
    sleep 0.05
done
log=$work/log
start_live "$here/pd/with-claim.pd" "$log"
until_line "$log" "reply: open 0 MySynth:0 busy" && echo "ok refused" || bad=1
kill "$host"
wait "$host"
until_line "$log" "reply: open 1 MySynth:0" && echo "ok linked when free" || bad=1
cat "$log"
exit "$bad"
