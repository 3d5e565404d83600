#!/bin/sh
# SPDX-License-Identifier: MIT
# An effect in its own time, in a second Pd: signals, notes and parameters both
# ways, transport, claim and release told; with its DSP off it goes on in silence,
# still hears and answers; and it comes back after it was killed.
. "$here/pd/pd.sh"

sed 's/ -slave//' "$here/pd/slave-effect.pd" >"$work/effect.pd"
log=$work/device
start_device() {
    start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/effect.pd" >>"$log" 2>&1
    device=$last
    ready Effect:0
}
start_device
batch with-free-batch.pd >"$work/batch"
grep -q 'host: open 0 Effect:0 wrong_drive' "$work/batch" &&
    grep -q 'play live' "$work/batch" &&
    echo "ok a rendering is refused, with what to do" || bad=1
start_live "$here/pd/with-free-effect.pd" "$work/host"
until_line "$work/host" "host: link Effect:0 2 2 48000 64 " || bad=1
until_line "$log" "dev: claimed" || bad=1
until_line "$log" "dev: param 0 gain 0.5 2" && echo "ok a parameter" || bad=1
until_line "$log" "dev: transport 1 90 3 4" && echo "ok the transport" || bad=1
until_line "$work/host" "host: midi 145 61 100" && echo "ok a note back" || bad=1
until_line "$work/host" "host: param_automated 1 0.25" &&
    echo "ok a parameter back" || bad=1
until_line "$work/host" "sound: 1" && echo "ok it sounds" || bad=1
# 10 ms each way, or more where the blocks of a busy machine come late
words() { sed -n "s/^host: $1//p" "$work/host" | tail -1 | cut -d' ' -f"$2"; }
same "latency" "$(words 'latency ' 1)" "$(($(words 'link Effect:0 ' 5) + 32))"
[ "$(words 'latency ' 1)" -ge 992 ] || { echo "FAIL too short"; bad=1; }

kill -9 "$(pgrep -P "$device" | head -1)" 2>/dev/null
kill "$device" 2>/dev/null
until_line "$work/host" "host: gone Effect:0" && echo "ok gone" || bad=1
start_device
left=8000
while [ "$(grep -c '^host: link' "$work/host")" -lt 2 ] && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
same "and back" "$(grep -c '^host: link' "$work/host")" 2
[ "$bad" = 0 ] || cat "$work/batch" "$work/host" "$log"
exit "$bad"
