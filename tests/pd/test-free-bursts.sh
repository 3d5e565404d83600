#!/bin/sh
# SPDX-License-Identifier: MIT
# A Pd that computes its ticks in bursts of 20 ms, as it does with a sound card's
# long period, as host and as device: the latency follows by itself, no numbered
# sample is lost or doubled, and the way there and back is what is stated. One that
# was asked for stays, and what would do is said.
# shows DL-59
. "$here/pd/pd.sh"

pd="timeout -k 2 400 $PD -nogui -nrt -noprefs -nomidi -noaudio"
pd="$pd -r 48000 -stderr -path $root"

value() { # of the last line `NAME: thousands rest`, or `NAME: value`
    sed -n "s/^$2: //p" "$1" | tail -1 |
        awk '{ print(NF > 1 ? 1000 * $1 + $2 : $1) }'
}
stat() { # file, side and key
    sed -n "s/^$2 //p" "$1" | tail -1 | grep . || echo 0
}
# bursts NAME DEVICE HOST LATENCY: with these words for both, and in the box.
bursts() {
    sed "s/ -latency 7000/$4/" "$here/pd/with-free-count.pd" >"$work/host.pd"
    $pd $2 -open "$here/pd/free-count.pd" </dev/null >"$work/device" 2>&1 &
    last=$!
    started="$started $last"
    ready Count:0
    $pd $3 -send "free-seconds 2" -open "$work/host.pd" </dev/null \
        >"$work/host" 2>&1 || bad=1
    until_line "$work/device" "dev: stats_done" || bad=1
    kill "$last"
    wait "$last" 2>/dev/null
}
# A machine that stands still for a moment loses something whatever the latency: of
# three times one is whole.
clean() { # options of device and of host
    for try in 1 2 3; do
        bursts "$try" "$1" "$2" ""
        [ "$(value "$work/device" dev-steps)" = \
            "$(value "$work/host" host-sent)" ] &&
            ! grep -q '^host: xrun' "$work/host" && return
    done
}
whole() {
    sent=$(value "$work/host" host-sent)
    said=$(($(stat "$work/host" "host: stats underruns") +
        $(stat "$work/host" "host: stats skips") +
        $(grep -c '^host: xrun' "$work/host")))
    if [ "$said" -gt 2 ] && [ "$(cut -d. -f1 /proc/loadavg)" -ge 2 ]; then
        echo "ok $1: this machine stood still, and it was said: $said times"
        return
    fi
    same "$1: the device counted" "$(value "$work/device" dev-steps)" "$sent"
    same "$1: and it came back" "$(value "$work/host" host-steps)" "$sent"
    same "$1: nothing is silent" "$said" 0
    same "$1: the way there and back" \
        "$(sed -n 's/^host-way: //p' "$work/host")" \
        "$(sed -n 's/^host: latency //p' "$work/host" | tail -1)"
}
clean "" "-sleepgrain 20"
whole "bursts of the host"
clean "-sleepgrain 20" ""
whole "bursts of the device"
bursts fixed "-sleepgrain 20" "" " -latency 480"
same "a latency that was asked for stays" \
    "$(sed -n 's/^host: latency //p' "$work/host" | sort -u)" 960
grep -q '^host: xrun' "$work/host" && echo "ok it is told" ||
    { echo "FAIL no xrun"; bad=1; }
same "once, with what would do" \
    "$(grep -c 'type -latency [0-9]* in this' "$work/host")" 1
[ "$bad" = 0 ] || cat "$work/device" "$work/host"
exit "$bad"
