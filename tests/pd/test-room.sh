#!/bin/sh
# SPDX-License-Identifier: MIT
# What is counted while it waits is counted down again: after more requests, more
# messages to a plugin that starts, and more lines of a device than may wait at
# once, the next one still has room. And errors of ever other words make no end of
# symbols.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0

# play COUNT MESSAGE BOX OUTLET: the message so often, 1 ms apart; $1 in it counts.
play() {
    cat >"$work/times.pd" <<END
#N canvas 0 0 450 300 12;
#X obj 20 60 $3;
#X obj 20 20 loadbang;
#X obj 20 30 delay 200;
#X obj 20 40 metro 1;
#X obj 20 50 f;
#X obj 80 50 + 1;
#X msg 20 55 $2;
#X obj 200 50 sel $1;
#X obj 200 60 delay 500;
#X msg 200 70 \\; pd quit;
#X obj 20 90 print reply;
#X msg 100 55 0;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 5 0 4 1;
#X connect 4 0 7 0;
#X connect 4 0 6 0;
#X connect 6 0 0 0;
#X connect 7 0 8 0;
#X connect 7 0 11 0;
#X connect 11 0 3 0;
#X connect 8 0 9 0;
#X connect 0 $4 10 0;
END
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/times.pd" </dev/null >"$work/log" 2>&1
}

play 1100 ping "shmlink~ A:0 0 2" 2
same "1101 requests, one after the other" \
    "$(grep -c '^reply: ping [0-9]' "$work/log")" 1101
same "none of them is refused" "$(grep -c 'wait already' "$work/log")" 0

play 3000 'param_set 0 x\$1' "shmlink~ A:0 0 2" 2
same "ever other errors: so many different sentences" \
    "$(grep '^reply: error' "$work/log" | sort -u | wc -l)" 513

# A plugin that starts, four times, and 300 messages each time.
cat >"$work/start.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 60 shmlink~ 0 2;
#X obj 20 90 print reply;
#X obj 20 20 loadbang;
#X obj 200 20 route open;
#X obj 200 40 t b;
#X obj 20 30 f;
#X obj 80 30 + 1;
#X obj 20 40 sel 5;
#X msg 20 50 \; pd quit;
#X obj 100 50 t b b;
#X msg 160 70 close \, open builtin:null;
#X obj 100 70 300;
#X obj 100 80 until;
#X msg 100 90 param_count;
#X obj 200 60 delay 20;
#X connect 0 2 1 0;
#X connect 0 2 3 0;
#X connect 3 0 4 0;
#X connect 4 0 14 0;
#X connect 14 0 5 0;
#X connect 2 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 5 1;
#X connect 5 0 7 0;
#X connect 7 0 8 0;
#X connect 7 1 9 0;
#X connect 9 1 10 0;
#X connect 10 0 0 0;
#X connect 9 0 11 0;
#X connect 11 0 12 0;
#X connect 12 0 13 0;
#X connect 13 0 0 0;
END
sed -i 's/#X obj 100 70 300;/#X msg 100 70 300;/' "$work/start.pd"
timeout -k 2 300 "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 -stderr \
    -path "$root" -open "$work/start.pd" </dev/null >"$work/log" 2>&1
same "1500 messages to plugins that start" \
    "$(grep -c '^reply: param_count' "$work/log")" 1500
same "none of them is refused" "$(grep -c 'wait already' "$work/log")" 0
[ "$bad" = 0 ] || tail -20 "$work/log"
exit "$bad"
