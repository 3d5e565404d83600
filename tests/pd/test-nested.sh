#!/bin/sh
# SPDX-License-Identifier: MIT
# An open that a patch sends from inside the answer to another one: each gets its
# one answer, and the newest is what holds. Those before the box's own loadbang,
# too.
. "$here/pd/pd.sh"

for id in A:0 B:0; do
    start "$SHMLINK" device -q --id $id
    ready $id
done

# nested ROUTE REACTION AT-LOADBANG LATER: what the box says.
nested() {
    cat <<PATCH >"$work/nested.pd"
#N canvas 0 0 450 300 12;
#X obj 10 10 loadbang;
#X msg 10 40 $3;
#X obj 10 80 shmlink~ 0 2;
#X obj 10 120 print reply;
#X obj 100 180 $1;
#X obj 100 240 spigot 1;
#X obj 200 210 t b b;
#X msg 200 240 0;
#X msg 100 270 $2;
#X obj 300 40 delay 20;
#X msg 300 70 $4;
#X obj 300 100 delay 100;
#X msg 300 130 \; pd quit;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 2 2 3 0;
#X connect 2 2 4 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 1 7 0;
#X connect 6 0 8 0;
#X connect 7 0 5 1;
#X connect 8 0 2 0;
#X connect 0 0 9 0;
#X connect 9 0 10 0;
#X connect 10 0 2 0;
#X connect 0 0 11 0;
#X connect 11 0 12 0;
PATCH
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/nested.pd" </dev/null \
        2>&1 | sed -n 's/^reply: //p' | tr -d '\\' |
        grep -v '^link \|^latency ' | cut -d" " -f1-4 | sed "s, it$,,;s,version.*,version,"
}

same "in the answer to what an open gives up" \
    "$(nested "route open" "open B:0" "open No:0 \\, open A:0" "version")" \
    "open 0 No:0 again
error open again
open 0 A:0 again
error open again
open 1 B:0
version"
same "in the answer to what a close gives up" \
    "$(nested "route open" "open B:0" "open No:0 \\, close" "version")" \
    "open 0 No:0 again
close
error open again
open 1 B:0
version"
same "in the close of an open" \
    "$(nested "route close" "open B:0" "open A:0" "open No:0")" \
    "open 1 A:0
close
open 1 B:0
open 0 No:0 again
error open again"
same "in the first of two answers" \
    "$(nested "route open" "open B:0" "open A:0 \\, open A:0" "version")" \
    "open 1 A:0
close
open 1 B:0
open 0 A:0 again
error open again
version"
same "a close in the first of two answers" \
    "$(nested "route open" "close" "open A:0 \\, open A:0" "version")" \
    "open 1 A:0
close
open 0 A:0 again
error open again
version"
same "two before the box's loadbang" \
    "$(nested "route never" "close" "open A:0 \\, open B:0" "version")" \
    "open 0 A:0 again
error open again
open 1 B:0
version"
exit "$bad"
