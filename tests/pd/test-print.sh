#!/bin/sh
# SPDX-License-Identifier: MIT
# What `print` has of a device, without asking it: programs and presets once they
# have been counted.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0
outlet=2 ask_patch "$work/a.pd" "shmlink~ A:0 0 2 -tag lead" print \
    program_count preset_count print "preset_save Mine" print \
    preset_list print
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/a.pd" </dev/null >"$work/log" 2>&1
programs=$(sed -n 's/^reply: program_count //p' "$work/log")
same "the first time" "$(awk '/^name:/ && !n++, /^state:/' "$work/log" |
    sed 's/^\(version\|process\|vendor\): .*/\1/')" "name: A:0
type: shm (synth) [bridged]
version
path: A:0
process
vendor
category: synth
inputs: 0
outputs: 2
taps: 7
parameters: 10
programs: not counted yet, see program_count
presets: not counted yet, see preset_count
editor: no
resizable: no
single precision: yes
double precision: no
midi input: yes
midi output: no
link: 48000 Hz, block 64, lockstep, latency 0 frames, tag lead
state: A:0 is linked and answers"
same "counted" "$(sed -n 's/^programs: //p' "$work/log" | tr '\n' ,)" \
    "not counted yet, see program_count,$programs,$programs,$programs,"
same "a new preset" "$(sed -n 's/^presets: //p' "$work/log" | tr '\n' ,)" \
    "not counted yet, see preset_count,0,not counted yet, see preset_count,1,"

outlet=2 ask_patch "$work/b.pd" "shmlink~ builtin:gain 2 2" print
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/b.pd" </dev/null >"$work/log2" 2>&1
same "a plugin" "$(grep '^path\|^programs' "$work/log2")" "path: builtin:gain
programs: 0"
[ "$bad" = 0 ] || cat "$work/log" "$work/log2"
exit "$bad"
