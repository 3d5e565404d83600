#!/bin/sh
# SPDX-License-Identifier: MIT
# What a message leads to may delete any box, the one that sends it too, switch DSP,
# open and close: round after round a later message of the same play does so. With
# the address sanitizer in Pd, where there are instrumented externals and a gcc;
# and without. A box that was just sent a message by another box cannot delete
# itself, since Pd then reads the connection: it does so in what clocks tell.
. "$here/pd/pd.sh"

for n in 0 1 2; do
    start "$SHMLINK" device -q --id Tool:$n
done
for n in 0 1 2; do
    ready Tool:$n
done
asan=
if [ "$PD_KIND" != double ] && [ -e "$root/build/asan-pd/shmlink~.pd_linux" ]; then
    asan=$(gcc -print-file-name=libasan.so 2>/dev/null)
    case $asan in /*) ;; *) asan= ;; esac
fi
every=41
[ -z "${SHL_SOAK:-}" ] || every=1

# rounds NAME EXTERNALS LIBRARY FIRST WHAT: a play for every so many messages. With
# $live in real time, and only what clocks tell is counted.
live=
rounds() {
    mode=-batch within=1
    [ -z "$live" ] || { mode=-noprefs within=0; }
    printf '#N canvas 0 0 450 300 12;\n#X obj 10 10 r delete-now;\n%s%s;\n%s\n' \
        '#X msg 10 40 ' "$5" '#X connect 0 0 1 0;' >"$work/what.pd"
    LD_PRELOAD=$3 ASAN_OPTIONS=detect_leaks=0 timeout -k 2 600 "$PD" -nogui \
        $mode -nrt -noprefs -nomidi -noaudio -r 48000 -stderr -path "$2" \
        -send "deleted-from $4" -send "deleted-within $within" -send "deleted-step $every" \
        -open "$work/what.pd" -open "$here/pd/with-deleted.pd" \
        </dev/null >"$work/log" 2>&1
    status=$?
    if [ $status = 0 ] && grep -q '^rounds: [0-9]' "$work/log"; then
        echo "ok $1, to message $(sed -n 's/^rounds: //p' "$work/log")"
    else
        echo "FAIL $1: exit status $status"
        grep -A 20 'ERROR: \|runtime error' "$work/log" | head -30
        bad=1
    fi
}

if [ -n "$asan" ]; then
    own=$root/build/asan-pd
    live=yes
    rounds "boxes delete themselves" "$own" "$asan" 1 '\; pd-dyn clear'
    rounds "boxes delete all" "$own" "$asan" 9 '\; pd-two clear \; pd-dyn clear'
    live=
    rounds "boxes delete others" "$own" "$asan" 5 '\; pd-two clear'
    rounds "DSP is built anew" "$own" "$asan" 3 '\; pd dsp 0 \; pd dsp 1'
    rounds "links end and begin" "$own" "$asan" 7 \
        '\; to-h close \; to-t open Tool:1 \; to-u close \; to-dev close \; to-dev open \; to-t open Tool:0 \; to-reg watch 0'
fi
rounds "boxes delete others, as it is" "$root" "" 2 '\; pd-two clear'

# Pd itself cannot go on where the box that is deleted was just sent a message
# through a connection; what a clock tells is sent by nobody.
cat >"$work/self.pd" <<'END'
#N canvas 0 0 450 300 12;
#N canvas 0 0 450 300 sub 0;
#X obj 10 10 shmlink~ Tool:0 0 2;
#X obj 10 40 s heard;
#X obj 10 70 s heard;
#X obj 100 10 r go;
#X connect 0 2 1 0;
#X connect 0 2 2 0;
#X connect 3 0 0 0;
#X restore 10 80 pd sub;
#X obj 10 10 r heard;
#X obj 10 25 route ping;
#X obj 10 40 print heard;
#X obj 100 40 t b;
#X msg 100 70 \; pd-sub clear;
#X obj 200 10 loadbang;
#X obj 200 40 del 300;
#X msg 200 70 \; go ping;
#X obj 300 40 del 1500;
#X msg 300 70 \; pd quit;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 2 0 4 0;
#X connect 4 0 5 0;
#X connect 6 0 7 0;
#X connect 7 0 8 0;
#X connect 6 0 9 0;
#X connect 9 0 10 0;
END
timeout -k 2 500 "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 -stderr \
    -path "$root" -open "$work/self.pd" </dev/null >"$work/log" 2>&1
same "a box deletes itself when a clock tells" "$?" 0
same "and says nothing more" "$(grep -c '^heard: ' "$work/log")" 1
exit "$bad"
