#!/bin/sh
# SPDX-License-Identifier: MIT
# A change of the transport comes to a patch together with the note of the same
# instant, at any place of a block: in lockstep, one block late, with other blocks,
# and in the free drive.
# shows MP-26
. "$here/pd/pd.sh"

log=$work/device
# follows NAME HOST WORDS... : twenty changes, each at the time of its note.
follows() {
    name=$1
    sed "s/HOSTBOX/shmlink~ Tr:0 0 0 $2/" "$here/pd/with-transport.pd" \
        >"$work/host.pd"
    sed "s/DEVICEWORDS/-device Tr 0 0 $3/" "$here/pd/transport-device.pd" \
        >"$work/device.pd"
    start_live "$work/device.pd" "$log"
    ready Tr:0
    $4 "$work/host.pd" >"$work/host" 2>&1 || bad=1
    until_line "$log" "apart: " || bad=1
    same "$name: changes" \
        "$(grep -c '^tempo: 1[0-2][0-9]' "$log")" 21
    same "$name: none beside its note" \
        "$(awk '/^apart:/ && ($2 > 0.01 || $2 < -0.01)' "$log" | wc -l)" 0
    same "$name: notes" "$(grep -c '^apart:' "$log")" 20
    [ "$bad" = 0 ] || cat "$work/host" "$log"
    kill "$last"
    wait "$last" 2>/dev/null
}
batch_file() {
    cp "$1" "$work/b.pd"
    timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/b.pd" </dev/null
}
follows lockstep "" "-slave" batch_file
follows pipelined "-t" "-slave" batch_file
follows "other blocks" "-block 256" "-slave" batch_file
follows free "-latency 4800" "" live
exit "$bad"
