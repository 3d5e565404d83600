#!/bin/sh
# SPDX-License-Identifier: MIT
# What changes while it runs: DSP off and on, another [block~], another rate for
# a while, other channel counts. Samples are numbered, and a second channel of
# ones tells which of them are whole: none is heard twice or after a later one.
# Then the same in real time: no segment and no descriptor is left over.
# shows DL-19 MP-43
. "$here/pd/pd.sh"

# One box under a block of its own; its outputs go to arrays.
inside() { # name, words of the box
    cat <<PATCH
#N canvas 0 0 450 300 $1 0;
#X obj 10 10 sig~ 1;
#X obj 100 10 sig~ 1;
#X obj 10 40 rpole~ 1;
#X obj 10 80 shmlink~ $2;
#X obj 10 120 tabwrite~ $1-number;
#X obj 100 120 tabwrite~ $1-one;
#X obj 200 10 loadbang;
#X obj 200 40 block~ 64;
#X obj 300 10 r block;
#X obj 300 80 print $1;
#X connect 0 0 2 0;
#X connect 2 0 3 0;
#X connect 1 0 3 1;
#X connect 3 0 4 0;
#X connect 3 1 5 0;
#X connect 3 2 9 0;
#X connect 6 0 4 0;
#X connect 6 0 5 0;
#X connect 8 0 7 0;
#X restore 10 $3 pd $1;
PATCH
}

# Words that are sent at their time, in ms, by boxes from number $1 on.
at_times() { # first box
    awk -v at="$1" '{
        time = $1
        $1 = ""
        print "#X obj 400 10 loadbang;"
        print "#X obj 400 40 delay " time ";"
        print "#X msg 400 70 \\;" $0 ";"
        links = links "#X connect " at " 0 " at + 1 " 0;\n"
        links = links "#X connect " at + 1 " 0 " at + 2 " 0;\n"
        at += 3
    } END { printf "%s", links }'
}

{
    echo "#N canvas 0 0 600 500 12;"
    inside plain "Mirror:0 2 2" 10
    inside late "Mirror:1 2 2 -t" 40
    inside large "Mirror:2 2 2 -block 480" 70
    inside both "Mirror:3 2 2 -t -block 100" 100
    box=4
    for name in plain late large both; do
        for what in number one; do
            echo "#X obj 200 10 array define $name-$what 96000;"
            box=$((box + 1))
        done
    done
    at_times $box <<TIMES
1 pd dsp 1
100 block set 256 1 1
200 block set 16 1 1
300 block set 1024 1 1
400 pd dsp 0
450 pd dsp 1
550 block set 64 1 2
650 block set 64 1 1
750 pd dsp 0
760 block set 128 1 1
770 pd dsp 1
900 block set 4096 1 1
1100 block set 64 1 1
1400 plain-number write $work/plain.number
1400 plain-one write $work/plain.one
1400 late-number write $work/late.number
1400 late-one write $work/late.one
1400 large-number write $work/large.number
1400 large-one write $work/large.one
1400 both-number write $work/both.number
1400 both-one write $work/both.one
1450 pd quit
TIMES
} >"$work/changes.pd"

for k in 0 1 2 3; do
    mirror "Mirror:$k" 48000
done
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/changes.pd" </dev/null >"$work/log" 2>&1
same "it ends well" $? 0
for name in plain late large both; do
    paste "$work/$name.number" "$work/$name.one" | awk '
        $2 == 1 && $1 <= last { bad = "sample " $1 " after " last; exit }
        $2 == 1 { last = $1; heard++ }
        END { print bad ? bad : (heard > 20000 ? "many" : heard + 0) }' >"$work/verdict"
    same "$name: each sample once, in order" "$(cat "$work/verdict")" many
    # at once, at the other rate refused, and at its own again
    same "$name: links" "$(grep -c "^$name: open 1" "$work/log")" 2
done
[ "$bad" = 0 ] || tail -40 "$work/log"
exit "$bad"
