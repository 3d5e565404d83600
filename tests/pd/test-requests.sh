#!/bin/sh
# SPDX-License-Identifier: MIT
# In a Pd in real time: what is asked while the device is not there yet, in
# order; a device that dies in the middle of a question, told of once; SysEx
# longer than an event ring takes, there and back, in order.
# shows DL-29
. "$here/pd/pd.sh"

mkdir "$work/home"
SHMLINK_HOME=$work/home
export SHMLINK_HOME

# asked at once, answered when the link is there, with DSP on
start "$SHMLINK" device -q --id Late:0 --sysex
ready Late:0
ask_patch "$work/a.pd" "shmlink~ Late:0 0 2" "!pd dsp 1" "program_set 2" \
    "param_set 0 0.5" program_get "preset_save one" program_name_get \
    "preset_list" ping "program_data_get" "~600000"
live_until "$work/a.pd" "$work/log" 1 "reply: program_data 83 72 76 83 "
cat "$work/log"
grep -v '^reply: program_data ' "$work/log" >"$work/log1"
matches "live" "$work/log1" <<'END'
open 1 Late:0
program 2
program 2
preset_save 1
preset_change Late
program_name 2 strings
preset_info 0 one
preset_list 1
ping 
END
same "state" "$(grep -c '^reply: program_data 83 72 76 83 ' "$work/log")" 1

# SysEx: 20 bytes, 6000, 10, then 9000
words() { # count
    awk -v n="$1" 'BEGIN { printf "midi_sysex 240"
        for (i = 0; i < n - 2; i++) printf " %d", (i * 7 + n) % 128
        printf " 247" }'
}
ask_patch "$work/b.pd" "shmlink~ Late:0 0 2" "!pd dsp 1" "~200" "$(words 20)" \
    "$(words 6000)" "$(words 10)" "$(words 9000)" "~600000"
live_until "$work/b.pd" "$work/log2" 4 "reply: sysex .* 247$"
for n in 20 6000 10 9000; do words $n | sed 's/midi_//'; echo; done >"$work/want"
sed -n 's/^reply: \(sysex .*\)/\1/p' "$work/log2" >"$work/got"
same "four SysEx came back" "$(wc -l <"$work/got" | tr -d ' ')" 4
same "each as it was" "$(sort "$work/got" | cksum)" "$(sort "$work/want" | cksum)"
same "long ones in order" "$(awk 'NF > 4000' "$work/got" | cksum)" \
    "$(awk 'NF > 4000' "$work/want" | cksum)"
grep '^error' "$work/log2"

# 1024 requests may wait; those beyond are refused at once, none is lost
cat >"$work/d.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 100 shmlink~ Late:0 0 0;
#X obj 20 130 print reply;
#X obj 100 40 route open;
#X msg 100 65 1030;
#X obj 100 90 until;
#X msg 160 90 ping;
#X connect 0 0 1 0;
#X connect 0 0 2 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 5 0 0 0;
END
live_until "$work/d.pd" "$work/log4" 1030 "reply: ping "
same "requests that wait" "$(grep -c '^reply: ping [0-9.e-]*[1-9]' "$work/log4")" 1024
same "requests too many" "$(grep -c '^reply: ping 0$' "$work/log4")" 6
same "and why" "$(grep -c '^reply: error ping ring_full' "$work/log4")" 6

# The device is stopped, asked, killed. Words for the box come by a socket.
command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
port=$((40000 + $$ % 20000))
cat >"$work/c.pd" <<END
#N canvas 0 0 450 300 12;
#X obj 20 100 shmlink~ Dies:0 0 0;
#X obj 20 130 print reply;
#X obj 20 20 loadbang;
#X msg 20 45 listen $port;
#X obj 20 70 netreceive;
#X connect 0 0 1 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 0 0;
END
start "$SHMLINK" device -q --id Dies:0
ready Dies:0
pid=$("$SHMLINK" list --json | tr -d ' \n' | tr '{' '\n' |
    sed -n 's/.*"id":"Dies:0".*"pid":\([0-9]*\).*/\1/p')
start_live "$work/c.pd" "$work/log3"
until_line "$work/log3" "reply: open 1" || exit 1
kill -STOP "$pid"
tell() {
    echo "$1;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
}
tell reset
tell program_get
sleep 0.5
kill -KILL "$pid"
until_line "$work/log3" "reply: gone" || bad=1
until_line "$work/log3" "reply: error program_get" || bad=1
same "one answer to each" "$(sed -n 's/^reply: \(reset\|program_get\) 0$/\1/p' \
    "$work/log3" | tr '\n' ' ')" "reset program_get "
same "one error of each" "$(sed -n 's/^reply: error \([a-z_]* [a-z_]*\) .*/\1/p' \
    "$work/log3" | sed 's/timeout/gone/;s/no_device/gone/' | tr '\n' ' ')" \
    "reset gone program_get gone "
sed 's/^error: /said: /' "$work/log3"
exit "$bad"
