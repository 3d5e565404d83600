#!/bin/sh
# SPDX-License-Identifier: MIT
# Boxes that are made anew with other channels, other blocks and another drive
# while DSP runs: no descriptor is left, and the next one sounds.
# shows DL-19
. "$here/pd/pd.sh"

command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
log=$work/log
port=$((20000 + $$ % 20000))
mirror Mirror:0 48000
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$here/pd/with-recreate.pd" \
    -send "recreate-port $port" >"$log" 2>&1
pd=$last

# cycles N UNTIL: N more, when UNTIL have been done in all.
cycles() {
    c_done=$2
    while [ "$c_done" -lt "$1" ]; do
        echo "cycle;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
        c_done=$((c_done + 1))
        c_left=8000
        while [ "$(grep -c '^done' "$log")" -lt "$c_done" ]; do
            c_left=$((c_left - 1))
            [ "$c_left" -gt 0 ] || { echo "FAIL no cycle $c_done"; tail -20 "$log"; exit 1; }
            sleep 0.05
        done
    done
}

# Descriptors of Pd, which the process that runs the time limit has started.
descriptors() {
    d_pid=$(ps -o pid= --ppid "$pd" | tr -d ' ')
    ls "/proc/${d_pid:-$pd}/fd" | wc -l
}

until_line "$log" listening || exit 1
cycles 2 0
before=$(descriptors)
cycles 10 2
same "descriptors after 8 cycles" "$(descriptors)" "$before"
echo "last;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
until_line "$log" "sound: 1" && echo "ok the last one sounds" || bad=1
[ "$bad" = 0 ] || tail -20 "$log"
exit "$bad"
