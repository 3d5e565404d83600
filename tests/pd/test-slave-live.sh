#!/bin/sh
# SPDX-License-Identifier: MIT
# A second Pd follows one that runs in real time: no sample is lost, doubled or
# late, the follower answers on a socket meanwhile, and goes on by its own clock
# when the host is gone.
. "$here/pd/pd.sh"

command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
log=$work/device
port=$((20000 + $$ % 20000))
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$here/pd/slave-count.pd" \
    -send "slave-port $port" >"$log" 2>&1
ready Count:0

# ask N: the stats of the follower, of which N lines of each kind must then be
# there; $ticks and $alone are the last.
ask() {
    echo "stats;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
    a_left=8000
    while [ "$(grep -c '^dev: stats_done' "$log")" -lt "$1" ]; do
        a_left=$((a_left - 1))
        [ "$a_left" -gt 0 ] || { echo "FAIL no answer $1"; bad=1; return; }
        sleep 0.05
    done
    ticks=$(sed -n 's/^dev: stats ticks \([0-9.e+]*\)$/\1/p' "$log" | tail -1)
    alone=$(sed -n 's/^dev: stats ticks_alone //p' "$log" | tail -1)
}

ask 1 && echo "ok answers alone"
live "$here/pd/with-slave-live.pd" >"$work/host" &
host=$!
until_line "$log" "dev: claimed" && sleep 1.5
ask 2 && echo "ok answers while it follows"
was=$alone first=$ticks
sleep 1.5
ask 3
followed() { # since $first ticks, of them $was alone: all but a few
    awk -v a="$alone" -v b="$was" -v c="$ticks" -v d="$first" -v most="$1" \
        'BEGIN { print a - b <= most * (c - d) ? "yes" : a - b " alone of " c - d }'
}
same "no ticks alone while it follows" "$(followed 0.5)" yes
same "it followed" "$([ "$(printf %.0f "$ticks")" -gt "$(printf %.0f "$first")" ] && echo yes)" yes
wait "$host" || bad=1
cat "$work/host"
until_line "$log" "dev: released" && echo "ok released" || bad=1
ask 4
was=$alone
sleep 0.5
ask 5
same "its own clock again" "$([ "$alone" != "$was" ] && echo yes)" yes

# a host that is killed
start_live "$here/pd/with-slave-live.pd" "$work/second"
until_line "$work/second" "host: open 1" || bad=1
sleep 0.5
kill -9 "$(pgrep -P "$last" | head -1)" 2>/dev/null
kill "$last" 2>/dev/null
left=8000
while [ "$(grep -c '^dev: released' "$log")" -lt 2 ] && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
same "released by the dead" "$(grep -c '^dev: released' "$log")" 2
ask 6 && echo "ok answers after all"

# A host that computes in bursts, as with long periods of a sound card, is not
# taken for a stopped one each time: of its blocks at most some are missed.
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -sleepgrain 30 -r 48000 \
    -stderr -path "$root" -path "$here/lib" \
    -open "$here/pd/with-slave-live.pd" >"$work/bursts" 2>&1
until_line "$work/bursts" "host: open 1" || bad=1
sleep 0.7
ask 7
was=$alone first=$ticks
sleep 1.5
ask 8
same "follows a host of bursts" "$(followed 0.3)" yes
wait "$last"

# a host that is stopped in the midst of playing: given up, and followed again
start_live "$here/pd/with-slave-live.pd" "$work/third"
until_line "$work/third" "host: open 1" || bad=1
left=8000
while [ "$(grep -c '^dev: claimed' "$log")" -lt 4 ] && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
sleep 0.5
host=$(sed -n 's/^dev: claimed \([0-9]*\).*/\1/p' "$log" | tail -1)
kill -STOP "$host"
sleep 0.5
ask 9
was=$alone
sleep 1
ask 10
same "goes on alone while its host is stopped" \
    "$([ "$(printf %.0f "$alone")" -ge $(($(printf %.0f "$was") + 100)) ] && echo yes)" yes
kill -CONT "$host"
first=$ticks
sleep 0.5
ask 11
same "follows it again" \
    "$([ "$(printf %.0f "$ticks")" -gt "$(printf %.0f "$first")" ] && echo yes)" yes
kill "$last"
[ "$bad" = 0 ] || tail -40 "$log"
exit "$bad"
