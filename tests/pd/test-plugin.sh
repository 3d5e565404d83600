#!/bin/sh
# SPDX-License-Identifier: MIT
# Plugin programs from Pd, with DSP off: opened, asked for all they offer, saved
# and restored, refused with a reason, and gone with the box.
# shows MP-29 MP-30 MP-31 MP-32 MP-45 ME-01 ME-08 ME-10
. "$here/pd/pd.sh"

batch_ask() { # log
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/ask.pd" </dev/null >"$1" 2>&1
    sed 's/^error: /said: /' "$1"
}

peer=$root/build/tests/maolan_peer

# A program that speaks Maolan only, in each layout.
# The numbers of the later two show in nothing.
for layout in A B8 B16; do
    case $layout in A) told= ;; B8) told="-protocol 5" ;; *) told="-protocol 6" ;; esac
    ask_patch "$work/ask.pd" \
        "shmlink~ -host $peer $told clap:$layout/normal 2 2" \
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
for flags in "" "-protocol 6" "-protocol 8"; do
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

# A host without a table of parameters: by their ids, in values as they are.
ask_patch "$work/ask.pd" "shmlink~ -host $peer lv2:A/bare 2 2" param_count \
    "param_set 0 440 7 -3" "param_get 7" param_list
batch_ask "$work/log-bare"
matches "parameters by their ids" "$work/log-bare" <<END
open 1 lv2:A/bare
param_count 0
param_state 7 -3 -3
param_info 0 0
param_info 7 7
param_list 2
END

# What it is called, where it is, what it speaks.
ask_patch "$work/ask.pd" "shmlink~ -host $peer clap:B16/normal::x 2 2" info
batch_ask "$work/log-info"
for line in "info name peer" "info path B16/normal" "info format clap" \
    "info sdkversion maolan 4+"; do
    tr -d '\\' <"$work/log-info" | grep -qx "reply: $line" && echo "ok $line" ||
        { echo "FAIL not said: $line"; bad=1; }
done
ask_patch "$work/ask.pd" "shmlink~ -host $own builtin:gain 2 2" info
batch_ask "$work/log-info"
for line in "info name gain" "info path gain" "info format builtin" \
    "info sdkversion shm 1.2"; do
    tr -d '\\' <"$work/log-info" | grep -qx "reply: $line" && echo "ok $line" ||
        { echo "FAIL not said: $line"; bad=1; }
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


# ---- its end, live ------------------------------------------------------------

child_of() { # pid of a Pd; the plugin program it has started
    for c_stat in /proc/[0-9]*/stat; do
        set -- "$1" $(sed 's/.*) //' "$c_stat" 2>/dev/null)
        [ "${3:-}" = "$1" ] && { c_pid=${c_stat#/proc/} && echo "${c_pid%/stat}"; }
    done | head -n 1
}

until_opened() { # file count; 20 s at most
    for o_n in $(seq 400); do
        [ "$(grep -c 'reply: open 1' "$1")" -ge "$2" ] && return 0
        sleep 0.05
    done
    echo "FAIL not opened $2 times"
    bad=1
}

wait_gone() { # pid; a generous limit, for slow machines
    for w_n in $(seq 200); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    return 1
}

ask_patch "$work/ask.pd" "shmlink~ -w -host $peer clap:B16/normal 2 2" "~40000"
"$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 -stderr \
    -path "$root" -open "$work/ask.pd" </dev/null >"$work/log-live" 2>&1 &
pd=$!
started="$started $pd"
until_opened "$work/log-live" 1
first=$(child_of $pd)
kill -SEGV "$first"
until_line "$work/log-live" "crash $first 11" || bad=1
until_opened "$work/log-live" 2
second=$(child_of $pd)
if [ -n "$second" ] && [ "$second" != "$first" ]; then
    echo "ok a program that crashed is told of and started again"
else
    echo "FAIL a program that crashed: $first, then $second"
    bad=1
fi
kill -KILL $pd
wait $pd 2>/dev/null
if wait_gone "$second"; then echo "ok a killed Pd takes it along"; else
    echo "FAIL the program of a killed Pd lives on"
    bad=1
fi
left=$(ls /dev/shm | grep -c "^maolan-$pd-")
[ "$left" = 0 ] || { echo "FAIL $left segments left"; bad=1; }

# Notes all the time, then a crash, and more of this and that because of it: the
# console says once what has happened.
cat >"$work/once.pd" <<END
#N canvas 0 0 450 300 12;
#X obj 20 60 shmlink~ -host $own builtin:synth 2 2;
#X obj 20 20 loadbang;
#X obj 20 100 route open crash;
#X obj 20 40 metro 1;
#X msg 100 40 midi_note 1 60 100;
#X msg 20 140 param_set 0 1 \, param_get 0 \, midi_cc 1 7 9;
#X obj 100 120 delay 500;
#X msg 100 160 \; pd quit;
#X obj 20 180 print opened;
#X obj 20 200 print crashed;
#X connect 1 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 0 0;
#X connect 0 2 2 0;
#X connect 2 0 8 0;
#X connect 2 1 9 0;
#X connect 2 1 5 0;
#X connect 5 0 0 0;
#X connect 2 1 6 0;
#X connect 6 0 7 0;
END
start_live "$work/once.pd" "$work/log-once"
until_line "$work/log-once" "opened: 1" || bad=1
first=$(child_of "$(pgrep -P "$last")")
kill -SEGV "$first"
wait "$last"
grep "crashed: $first 11" "$work/log-once" >/dev/null ||
    { echo "FAIL no crash of $first in:"; cat "$work/log-once"; bad=1; }
same "times that the console tells of a crash" \
    "$(grep -c "has crashed: process $first" "$work/log-once")" 1

# After a crash nothing is open: `close` says so, and nothing says `open 0`; with
# -w when the program is given up, which has an error of its own.
crash_patch() { # file box
    cat >"$1" <<END
#N canvas 0 0 450 300 12;
#X obj 20 60 $2;
#X obj 20 20 loadbang;
#X obj 20 100 route close;
#X msg 20 140 \; pd dsp 1;
#X obj 100 140 delay 60000;
#X msg 100 160 \; pd quit;
#X obj 200 180 print reply;
#X obj 20 160 delay 500;
#X connect 1 0 3 0;
#X connect 1 0 4 0;
#X connect 4 0 5 0;
#X connect 0 2 2 0;
#X connect 0 2 6 0;
#X connect 2 0 7 0;
#X connect 7 0 5 0;
END
}

for again in "" "-w "; do
    crash_patch "$work/crash.pd" \
        "shmlink~ $again-host $peer clap:B16/normal+exit7/5 2 2"
    live "$work/crash.pd" >"$work/log-crash"
    grep -oE '^reply: (open [01]|crash|close|error open gone)' \
        "$work/log-crash" | sed 's/^reply: //' | tr '\n' ' ' >"$work/order"
    once="open 1 crash "
    [ -z "$again" ] && wanted="${once}close " ||
        wanted="$once$once$once${once}error open gone close "
    same "what is told of crashes ${again:-without -w}" \
        "$(cat "$work/order")" "$wanted"
done
grep -q "it is not started again: send open" "$work/log-crash" ||
    { echo "FAIL no word of giving up in:"; cat "$work/log-crash"; bad=1; }
exit "${bad:-0}"
