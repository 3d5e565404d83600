#!/bin/sh
# SPDX-License-Identifier: MIT
# A device in one Pd and a host in another, each in its own real time: of the
# samples that are sent, none is lost or doubled on the way there and back, and
# both sides count the same. Some seconds; five minutes with SHL_SOAK=1.
# shows DL-59 DL-48
. "$here/pd/pd.sh"

seconds=4
[ -z "${SHL_SOAK:-}" ] || seconds=300
pd="timeout -k 2 $((seconds + 500)) $PD -nogui -nrt -noprefs -nomidi -noaudio"
pd="$pd -r 48000 -stderr -path $root"

$pd -open "$here/pd/free-count.pd" </dev/null >"$work/device" 2>&1 &
started=$!
ready Count:0
$pd -send "free-seconds $seconds" -open "$here/pd/with-free-count.pd" \
    </dev/null >"$work/host" 2>&1 || bad=1
until_line "$work/device" "dev: stats_done" || bad=1
kill "$started"

# value FILE NAME: of the last line `NAME: thousands rest`, or `NAME: value`.
value() {
    sed -n "s/^$2: //p" "$1" | tail -1 | awk '{ print(NF > 1 ? 1000 * $1 + $2 : $1) }'
}
sent=$(value "$work/host" host-sent)
# A machine that stands still longer than the latency loses samples, and says so.
stat() { # file, side and key
    sed -n "s/^$2 //p" "$1" | tail -1 | grep . || echo 0
}
said=$(($(stat "$work/host" "host: stats underruns") +
    $(stat "$work/host" "host: stats skips") +
    $(stat "$work/device" "dev: stats missed")))
if [ "$said" -gt 0 ]; then
    echo "ok this machine stood still, and it was said: $said times"
else
    same "the device counted" "$(value "$work/device" dev-steps)" "$sent"
    same "and it came back" "$(value "$work/host" host-steps)" "$sent"
    same "nothing else there" "$(value "$work/device" dev-wrong)" 0
    same "nothing else back" "$(value "$work/host" host-wrong)" 0
    same "the way there and back" "$(sed -n 's/^host-way: //p' "$work/host")" \
        14000
fi
same "by one clock" "$(sed -n 's/^host: stats clocks //p' "$work/host")" copy
same "latency" "$(sed -n 's/^host: latency //p' "$work/host" | head -1)" 14000
# No number of seconds: a machine that stands still sends less.
[ "${sent:-0}" -ge $((seconds * 4000)) ] || { echo "FAIL sent $sent"; bad=1; }
echo "# figure: $sent samples there and back between two Pd in real time"
[ "$bad" = 0 ] || cat "$work/device" "$work/host"
exit "$bad"
