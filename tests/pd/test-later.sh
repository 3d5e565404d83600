#!/bin/sh
# SPDX-License-Identifier: MIT
# In batch a box that was refused looks for its device again by logical time:
# two boxes want the same one, the first gives it up after 400 ms, and each
# rendering has the second one at the same sample, and sounds the same.
. "$here/pd/pd.sh"

cat <<'PATCH' >"$work/later.pd"
#N canvas 0 0 450 300 12;
#X obj 10 10 sig~ 0.25;
#X obj 10 80 shmlink~ Mirror:0 1 1;
#X obj 200 10 sig~ 0.5;
#X obj 200 80 shmlink~ Mirror:0 1 1;
#X obj 10 120 print first;
#X obj 200 120 print second;
#X obj 10 160 +~;
#X obj 10 190 tabwrite~ sum;
#X obj 300 190 array define sum 48000;
#X obj 10 220 loadbang;
#X obj 10 250 delay 10;
#X obj 10 270 t b b;
#X msg 100 300 \; pd dsp 1;
#X obj 200 250 delay 400;
#X msg 200 270 close;
#X obj 300 250 delay 1300;
#X msg 300 270 \; sum write sum.txt;
#X obj 400 250 delay 1310;
#X msg 400 270 \; pd quit;
#X connect 0 0 1 0;
#X connect 2 0 3 0;
#X connect 1 1 4 0;
#X connect 3 1 5 0;
#X connect 1 0 6 0;
#X connect 3 0 6 1;
#X connect 6 0 7 0;
#X connect 9 0 10 0;
#X connect 10 0 11 0;
#X connect 11 1 12 0;
#X connect 11 0 7 0;
#X connect 9 0 13 0;
#X connect 13 0 14 0;
#X connect 14 0 1 0;
#X connect 9 0 15 0;
#X connect 15 0 16 0;
#X connect 9 0 17 0;
#X connect 17 0 18 0;
PATCH

# two at a time, as each waits 5 s at its start
for n in 1 2; do
    mirror "Mirror:$n" 48000
    mkdir "$work/$n"
    sed "s/Mirror:0/Mirror:$n/" "$work/later.pd" >"$work/$n/later.pd"
done
for n in 1 2; do
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/$n/later.pd" </dev/null \
        >"$work/log$n" 2>&1 &
    eval "pd$n=$!"
done
for n in 1 2; do
    eval "wait \$pd$n"
    same "refused, then linked, $n" \
        "$(sed -n 's/^second: \(open [01]\).*/\1/p' "$work/log$n" | xargs)" \
        "open 0 open 1"
done
cmp "$work/1/sum.txt" "$work/2/sum.txt" && echo "ok the same samples" || bad=1
# the second one is heard from within 100 ms after the first has closed
same "it is heard in time" "$(awk '
    $1 == 0.5 && !from { from = NR } END {
        print ((from > 18700 && from < 24500) ? "yes" : "from " from + 0) }' \
    "$work/1/sum.txt")" yes
[ "$bad" = 0 ] || cat "$work/log1" "$work/log2"
exit "$bad"
