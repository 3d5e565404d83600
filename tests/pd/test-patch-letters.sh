#!/bin/sh
# SPDX-License-Identifier: MIT
# What a patch that is a device answers by message: its parameters are its
# state, with words of its own beside them; programs, a reset, long SysEx. Asked
# by a Pd in batch mode, with DSP off and on.
# shows DL-09 DL-57 DL-29
. "$here/pd/pd.sh"

outlet=0
ask_patch "$work/device.pd" "shmlink~ -device Patch:0 1 0 -slave" \
    "param_add cutoff 20 20000 440 Hz" "param_add level 0 1 0.5" \
    "program_add first" "param_plain cutoff 1000" "program_add second" \
    "program_add" "state hello 1.25" "program_set 7" "!pd dsp 1" "~600000"
outlet=
start_live "$work/device.pd" "$work/device"
until_line "$work/device" "reply: error program_set not_found" || exit 1
ready Patch:0
sleep 0.3

for dsp in 0 1; do
    ask_patch "$work/host.pd" "shmlink~ Patch:0 0 1" "!pd dsp $dsp" \
        program_list "program_set 0" "param_get cutoff" \
        "program_write patch$dsp.shl" "program_set 1" "param_get cutoff" \
        "program_read patch$dsp.shl" "param_get cutoff" program_get reset \
        "program_data_set 1 2 3" "program_set 2" "file_send host.pd" \
        "midi_sysex 240 $(awk 'BEGIN { for (i = 0; i < 5000; i++) printf "%d ", i % 128 }') 247"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/host.pd" </dev/null \
        >"$work/log$dsp" 2>&1
    matches "dsp $dsp" "$work/log$dsp" <<'END'
open 1 Patch:0
program_name 0 first
program_name 1 second
program_list 2
program 0
param_state 0 0.0210
program_write 1
program 1
param_state 0 0.0490
program_read 1
param_state 0 0.0210
program 0
reset
program_data_set 0
error program_data_set bad_value
program_set 0
error program_set not_found
file_send 0
error file_send unsupported
END
    left=8000
    while [ "$(grep -c '^reply: released' "$work/device")" -le "$dsp" ] &&
        [ $left -gt 0 ]; do
        left=$((left - 1))
        sleep 0.05
    done
    same "the patch hears of it ($dsp)" \
        "$(sed -n 's/^reply: //p' "$work/device" | awk -v host=$((dsp + 1)) '
        /^claimed/ { n++ } /^released/ { n += 0.5 }
        n == host + (host - 1) * 0.5 && !/^(claimed|link|transport)/ {
            print $1, $2, $1 == "sysex" ? NF : $3 == "" ? "-" : $3 }' |
            tr '\n' ';')" \
"param 0 cutoff;param 1 level;program 0 first;state_save  -;param 0 cutoff;param 1 level;program 1 second;param 0 cutoff;param 1 level;state hello 1.25;reset  -;sysex 240 5003;"
done
same "refusals of the patch" "$(grep -c '^reply: error program_add bad_value' \
    "$work/device")" 1
cat "$work/device" "$work/log0" "$work/log1" | grep -v '^error\|^reply: sysex'
exit "$bad"
