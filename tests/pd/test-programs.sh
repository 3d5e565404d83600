#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs, state, presets and files of a device, asked with DSP off, good and
# bad; the state of one device moves to another.
# shows DL-09 DL-57 DL-58
. "$here/pd/pd.sh"

batch_ask() { # log
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/ask.pd" </dev/null >"$1" 2>&1
    sed 's/^error: /said: /' "$1"
}

mkdir "$work/inbox" "$work/home"
SHMLINK_HOME=$work/home
export SHMLINK_HOME
start "$SHMLINK" device -q --id Synth:0 --files "$work/inbox"
ready Synth:0
start "$SHMLINK" device -q --id Synth:1
ready Synth:1

ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" program_count "program_name_get 1" \
    "program_set 5" program_get program_name_get "param_get cutoff" \
    "program_list 2 2" "program_set 8" "program_set x" program_set \
    "program_name_get 99" "program_get 1" "program_list -1" reset "reset 1" \
    "reset 2" "param_get cutoff"
batch_ask "$work/log1"
matches "programs" "$work/log1" <<'END'
open 1 Synth:0
program_count 8
program_name 1 pad
program 5
program 5
program_name 5 bass
param_state 4 0.4685
program_name 2 strings
program_name 3 brass
program_list 2
program_set 0
error program_set not_found programs go from 0 to 7
program_set 0
error program_set bad_value
program_set 0
error program_set bad_value
program_name_get 0
error program_name_get not_found programs go from 0 to 7
program_get 0
error program_get bad_value
program_list 0
error program_list bad_value
reset
reset
reset 0
error reset bad_value
param_state 4 0.4685
END

ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" "program_set 6" \
    "program_write state.shl" "program_set 0" "program_read state.shl 1" \
    "param_get cutoff" "program_read none.shl" "program_read ask.pd" \
    "program_write no/where.shl" program_write "program_read state.shl 5" \
    "program_data_set 1 2 3" "program_data_set 1 x" program_data_set \
    "param_get cutoff" "param_set gain 0.25" "program_write state.shl" \
    "param_set gain 0.75" "program_read state.shl" "param_get gain" "open Synth:1" "~100" "program_read state.shl" \
    "param_get cutoff"
batch_ask "$work/log2"
matches "states" "$work/log2" <<'END'
open 1 Synth:0
program 6
program_write 1
program 0
program_read 1
param_state 4 0.886
program_read 0
error program_read not_found
program_read 0
error program_read bad_value these bytes are no state
program_write 0
error program_write not_found
program_write 0
error program_write bad_value
program_read 0
error program_read bad_value
program_data_set 0
error program_data_set bad_value these bytes are no state
program_data_set 0
error program_data_set bad_value
program_data_set 0
error program_data_set bad_value
param_state 4 0.886
program_write 1
program_read 1
param_state 0 0.25
close
open 1 Synth:1
program_read 1
param_state 4 0.886
END
same "no temporary file is left" "$(ls -A "$work" | grep -c part)" 0

# paths longer than Pd's own buffers, of words as long as Pd takes; links
long=$(printf 'd%.0s' $(seq 200))
long=$long/$long/$long/$long/$(printf 'e%.0s' $(seq 180))
mkdir -p "$work/$long"
ln -s "$long/linked.shl" "$work/link.shl"
ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" "program_write $long/state.shl" \
    "program_read $long/state.shl" "program_read $long/state.sh" \
    "program_write link.shl" "program_write link.shl"
batch_ask "$work/log8" >/dev/null
matches "long paths" "$work/log8" <<'END'
open 1 Synth:0
program_write 1
program_read 1
program_read 0
error program_read not_found
program_write 1
program_write 1
END
same "files at long paths" "$(ls -A "$work/$long" | tr '\n' ' ')" \
    "linked.shl state.shl "
same "a link stays" "$(readlink "$work/link.shl")" "$long/linked.shl"

# the bytes of a state, from one message into another
ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" "program_set 3" program_data_get \
    param_count
batch_ask "$work/log3" >/dev/null
bytes=$(sed -n 's/^reply: program_data //p' "$work/log3")
same "bytes of a state" "$(echo "$bytes" | wc -w)" \
    $((84 + 12 * $(sed -n 's/^reply: param_count //p' "$work/log3")))
ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" "program_set 0" \
    "program_data_set $bytes" program_get "param_get attack"
batch_ask "$work/log4"
matches "state as bytes" "$work/log4" <<'END'
open 1 Synth:0
program 0
program_data_set 1
program 3
param_state 1 0.480
END

ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" preset_count "preset_load -1" \
    "program_set 1" "preset_save warm\\ pad" "program_set 4" "preset_save b" \
    "preset_save b" preset_count preset_list "preset_info warm_pad" \
    "preset_info 7" "preset_load 1" "param_get attack" "preset_load -1" \
    "preset_rename 1 a" "preset_rename b a" "preset_rename a ../x" \
    "preset_save /etc/x" "preset_load none" "preset_delete b" \
    "preset_delete b" preset_count "preset_count x" "preset_load" \
    "preset_save 4" "preset_info a" "preset_load a 1"
batch_ask "$work/log5"
matches "presets" "$work/log5" <<END
open 1 Synth:0
preset_count 0
preset_load 0
error preset_load bad_value
program 1
preset_save 1
preset_change Synth
program 4
preset_save 1
preset_change Synth
preset_save 1
preset_count 2
preset_info 0 b $work/home/presets/link/Synth/b.shl 0
preset_info 1 warm_pad
preset_list 2
preset_info 1 warm_pad
preset_info 0
error preset_info not_found there is no preset 7: there are 2
preset_load 1
param_state 1 0.798
preset_load 1
preset_rename 1
preset_change Synth
preset_rename 0
error preset_rename taken there is a preset a already
preset_rename 0
error preset_rename bad_value
preset_save 0
error preset_save bad_value
preset_load 0
error preset_load not_found
preset_delete 1
preset_change Synth
preset_delete 0
error preset_delete not_found
preset_count 1
preset_count 0
error preset_count bad_value
preset_load 0
error preset_load bad_value
preset_save 0
error preset_save not_found
preset_info 0 a
preset_load 1
END
same "deleted presets are in the trash" \
    "$(ls "$work/home/presets/link/Synth/trash")" b.shl

# files: small ones in check, 64 MiB in soak
head -c $((${SHL_SOAK:+62914560 + }4194304)) /dev/urandom >"$work/big.bin"
: >"$work/empty"
cp "$work/empty" "$work/.dot"
ask_patch "$work/ask.pd" "shmlink~ Synth:0 0 0" "file_send big.bin" \
    "file_send empty" "file_send big.bin" "file_send none" "file_send .dot" \
    file_send "ping" "open Synth:1" "~100" "file_send empty"
batch_ask "$work/log6"
matches "files" "$work/log6" <<'END'
open 1 Synth:0
file_send 1
file_send 1
file_send 0
error file_send taken
file_send 0
error file_send not_found
file_send 0
error file_send bad_name
file_send 0
error file_send bad_value
ping 
close
open 1 Synth:1
file_send 0
error file_send no_permission
END
same "the file came whole" "$(cmp "$work/big.bin" "$work/inbox/big.bin" 2>&1)" ""
same "files that came" "$(ls -A "$work/inbox" | tr '\n' ' ')" "big.bin empty "
same "the device says so" "$(grep -c '^reply: log note file.*big.bin' "$work/log6")" 1
same "one line in the console" \
    "$(grep -c 'Synth:0: the device says: file big.bin has come' "$work/log6")" 1

# nothing linked, and a device without all that
start "$root/build/tests/mirror" Mirror:0 48000
ready Mirror:0
ask_patch "$work/ask.pd" "shmlink~ 0 0" program_get preset_list "open Mirror:0" \
    "~100" program_get program_get "preset_save x" preset_count reset \
    "file_send empty"
batch_ask "$work/log7"
matches "without" "$work/log7" <<'END'
program_get 0
error program_get no_device
preset_list 0
error preset_list no_device
open 1 Mirror:0
program_get 0
error program_get unsupported the device has no programs
program_get 0
error program_get unsupported
preset_save 0
error preset_save unsupported
preset_count 0
reset 0
error reset unsupported
file_send 0
error file_send unsupported this device does not answer file_offer
END
same "said once" "$(grep -c 'program_get: the device has no programs' "$work/log7")" 1
exit "$bad"
