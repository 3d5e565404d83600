#!/bin/sh
# SPDX-License-Identifier: MIT
# `link` and `latency` are told again when what they say has changed: the block,
# which is known when DSP starts, and may be another one later. Nothing is told
# twice.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0

told() { # words of the box
    cat <<PATCH >"$work/told.pd"
#N canvas 0 0 450 300 12;
#N canvas 0 0 450 300 inside 0;
#X obj 10 80 shmlink~ A:0 0 2 $1;
#X obj 10 120 print reply;
#X obj 200 10 r block;
#X obj 200 40 block~ 4096;
#X connect 0 2 1 0;
#X connect 2 0 3 0;
#X restore 10 10 pd inside;
#X obj 10 40 loadbang;
#X obj 10 70 delay 20;
#X msg 10 100 \; pd dsp 1;
#X obj 100 70 delay 200;
#X msg 100 100 \; pd dsp 0 \; pd dsp 1;
#X obj 200 70 delay 300;
#X msg 200 100 \; block set 1024;
#X obj 300 70 delay 400;
#X msg 300 100 \; pd quit;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 1 0 4 0;
#X connect 4 0 5 0;
#X connect 1 0 6 0;
#X connect 6 0 7 0;
#X connect 1 0 8 0;
#X connect 8 0 9 0;
PATCH
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/told.pd" </dev/null 2>&1 |
        sed -n 's/^reply: \(open\|link\|latency\)/\1/p'
}

same "lockstep" "$(told)" "open 1 A:0
link A:0 0 2 48000 64 0 lockstep 0 both
latency 0
link A:0 0 2 48000 4096 0 lockstep 0 both
link A:0 0 2 48000 1024 0 lockstep 0 both"
same "pipelined" "$(told -t)" "open 1 A:0
link A:0 0 2 48000 64 64 pipelined 0 both
latency 64
link A:0 0 2 48000 4096 4096 pipelined 0 both
latency 4096
link A:0 0 2 48000 1024 1024 pipelined 0 both
latency 1024"
same "a block of its own" "$(told "-block 4096")" "open 1 A:0
link A:0 0 2 48000 4096 4032 lockstep 0 both
latency 4032
link A:0 0 2 48000 4096 0 lockstep 0 both
latency 0
link A:0 0 2 48000 4096 3072 lockstep 0 both
latency 3072"
exit "$bad"
