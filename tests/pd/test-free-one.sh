#!/bin/sh
# SPDX-License-Identifier: MIT
# Host and device in one Pd and one patch: sample exact, in batch mode (at a rate
# where a sample is a short binary fraction of a millisecond, see test-slave.sh)
# and live at the usual one.
# shows DL-49 DL-48
. "$here/pd/pd.sh"

cp "$here/pd/free-one.pd" "$here/pd/slave-voice.pd" "$work"
pd="$PD -nogui -nrt -noprefs -nomidi -noaudio -stderr -path $root -path $here/lib"
timeout -k 2 500 $pd -batch -r 32768 -open "$work/free-one.pd" </dev/null \
    >"$work/batch" 2>&1 || bad=1
grep '^ok\|^FAIL\|^plan\|^error' "$work/batch"
timeout -k 2 500 $pd -r 32768 -open "$work/free-one.pd" </dev/null \
    >"$work/live" 2>&1 || bad=1
grep '^ok\|^FAIL\|^plan\|^error' "$work/live"
[ "$bad" = 0 ] || cat "$work/batch" "$work/live"
exit "$bad"
