#!/bin/sh
# SPDX-License-Identifier: MIT
# What a host left sounding in a patch ends, and then `released` says that the
# host is gone: however the claim ends, also when the patch itself leaves the
# board, is announced anew, or has no DSP. A patch in its own time has taps, too.
# shows DL-33
. "$here/pd/pd.sh"

command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
log=$work/log
port=$((20000 + $$ % 20000))
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$here/pd/released.pd" \
    -send "released-port $port" >>"$log" 2>&1
ready Held:0

# say MESSAGE LINE: and what must be in the log then.
say() {
    echo "$1;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
    [ -z "${2:-}" ] || until_line "$log" "$2" || bad=1
}

# ends NAME MESSAGE...: with a note held, what these bring.
ends() {
    e_name=$1
    shift
    until_line "$log" "dev: transport" || bad=1
    say "host midi_note 1 60 100; host midi_cc 1 64 127" "dev: midi 176 64 127"
    : >"$log"
    for e_message; do
        say "$e_message"
    done
    until_line "$log" "dev: released" || bad=1
    same "$e_name" "$(sed '/^dev: released/q' "$log" | grep '^dev: ' | tr '\n' ,)" \
        "dev: midi 128 60 0,dev: midi 176 64 0,dev: released,"
}

until_line "$log" "host: open 1" || bad=1
ends "the host leaves" "host close"
say "host open Held" "host: open 1"
ends "and comes back at once" "host close; host open Held"
ends "the device is announced anew" "dev open"
ends "it declares something" "dev tap level control 1"
until_line "$log" "dev: transport" || bad=1
say "host tap_route level 3" "host: tap_route level 3 1"
left=8000
until say "tap bang" "tap: " && grep -q '^tap: 0.25' "$log" ||
    [ $((left -= 1)) -eq 0 ]; do
    sleep 0.05
done
same "its tap is heard" "$(sed -n 's/^tap: //p' "$log" | tail -1)" 0.25
ends "the device leaves" "dev close"
say "dev open"
ends "the host leaves while nobody performs" "pd dsp 0" "host close"
[ "$bad" = 0 ] || cat "$log"
exit "$bad"
