#!/bin/sh
# SPDX-License-Identifier: MIT
# A voice in a second Pd that follows this one: the same bytes as when one Pd
# does all of it. A sample is a short binary fraction of a millisecond at 32768
# Hz: at others Pd itself rounds the ends of its ticks in single precision, and
# a [vline~] sounds a little different each time.
. "$here/pd/pd.sh"

cp "$here"/pd/slave-*.pd "$work"
pd="$PD -nogui -nrt -noprefs -nomidi -noaudio -r 32768 -stderr -path $root"

start $pd -open "$work/slave-device.pd" >>"$work/device" 2>&1
ready Voice:0
for n in 1 2; do
    timeout -k 2 500 $pd -batch -open "$work/slave-linked.pd" </dev/null 2>&1
    mv "$work/slave-linked.wav" "$work/$n.wav" || bad=1
    until_line "$work/device" "dev: released"
    : >"$work/device"
done
timeout -k 2 500 $pd -batch -open "$work/slave-whole.pd" </dev/null 2>&1
cmp "$work/1.wav" "$work/slave-whole.wav" && echo "ok one Pd or two" || bad=1
cmp "$work/2.wav" "$work/slave-whole.wav" && echo "ok and once more" || bad=1
same "it sounds" \
    "$([ "$(gzip -c "$work/1.wav" | wc -c)" -gt 50000 ] && echo yes)" yes
exit "$bad"
