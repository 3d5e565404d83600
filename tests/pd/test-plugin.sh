#!/bin/sh
# Plugin programs from Pd, with DSP off: opened, asked for all they offer, saved
# and restored, refused with a reason, and gone with the box.
# shows MP-29 MP-30 MP-31 MP-32 ME-10
. "$here/pd/pd.sh"

batch_ask() { # log
    timeout -k 2 50 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/ask.pd" </dev/null >"$1" 2>&1
    sed 's/^error: /said: /' "$1"
}

peer=$root/build/tests/maolan_peer
own=$root/shmplug

# A program that speaks Maolan only, in each layout.
for layout in A B8 B16; do
    ask_patch "$work/ask.pd" "shmlink~ -host $peer clap:$layout/normal 2 2" \
        port_counts note_names file_list "file_set 1 /tmp/x" \
        "resource_dir /tmp" "resource_dir" "vis 1" "param_set 0 0.5" \
        program_data_get "program_data_set 1 2 3 4" program_data_get
    batch_ask "$work/log-$layout"
    matches "a plugin host of layout $layout" "$work/log-$layout" <<END
open 1 clap:$layout/normal
port_counts 2 2 1 1
note_name 1 0 n
note_name 1 1 n
note_name 1 2 n
note_name 1 3 n
note_name 1 4 n
note_name 1 5 n
note_names 6
file 0 n
file 1 n
file 2 n
file_list 3
file_set 1
resource_dir 1
resource_dir 0
error resource_dir bad_value
program_data
program_data_set 1
program_data 1 2 3 4
END
done

# Our own, with and without the link area.
for flags in "" "-protocol 6"; do
    ask_patch "$work/ask.pd" \
        "shmlink~ -host $own $flags builtin:fixture 2 2" port_counts note_names \
        file_list "vis 1"
    batch_ask "$work/log-own"
    matches "shmplug $flags" "$work/log-own" <<END
open 1 builtin:fixture
port_counts 2 2
note_names 0
file_list 0
vis 0
error vis unsupported
END
done

# What cannot be.
ask_patch "$work/ask.pd" "shmlink~ -host $peer clap:B16/code/3 2 2" bang
batch_ask "$work/log-code"
matches "a program that ends" "$work/log-code" <<END
open 0 clap:B16/code/3 gone
END
ask_patch "$work/ask.pd" "shmlink~ -host /no/program clap:x 2 2" bang
batch_ask "$work/log-none"
matches "a program that is not there" "$work/log-none" <<END
open 0 clap:x not_found
END

left=$(ls /dev/shm | grep -c '^maolan-')
[ "$left" = 0 ] || { echo "FAIL $left segments left"; exit 1; }
