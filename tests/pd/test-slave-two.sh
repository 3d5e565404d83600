#!/bin/sh
# SPDX-License-Identifier: MIT
# Two devices in one Pd: the first keeps its time, the second is pipelined, and
# sounds the same one block later. A host that insists on waiting is refused.
. "$here/pd/pd.sh"

cp "$here"/pd/*slave-*.pd "$work"
pd="$PD -nogui -nrt -noprefs -nomidi -noaudio -r 32768 -stderr -path $root"
start $pd -open "$work/slave-two.pd" >"$work/device" 2>&1
ready Left:0
ready Right:0
timeout -k 2 500 $pd -batch -open "$work/with-slave-two.pd" </dev/null 2>&1
until_line "$work/device" "right: released"
same "drive" "$(grep -c '^right: link Right:0 0 1 32768 64 0 pipelined 1' "$work/device")" 1
size=256000
tail -c $size "$work/two-left.wav" | head -c $((size - 256)) >"$work/left"
tail -c $((size - 256)) "$work/two-right.wav" >"$work/right"
cmp "$work/left" "$work/right" && echo "ok the same, one block later" || bad=1
same "it sounds" "$([ "$(gzip -c "$work/left" | wc -c)" -gt 50000 ] && echo yes)" yes
timeout 500 "$SHMLINK" host --id Right:0 --drive lockstep \
    --seconds 0.1 --wav "$work/x.wav" \
    >"$work/host" 2>&1
same "refused" "$(grep -c 'drive' "$work/host")" 1
[ "$bad" = 0 ] || { cat "$work/host"; tail -20 "$work/device"; }
exit "$bad"
