#!/bin/sh
# SPDX-License-Identifier: MIT
# What is counted while it waits is counted down again: more requests, more
# messages kept for a plugin that starts, and more bytes of the device's news
# than may wait at once go by one after the other, and none is refused.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id Count:0
ready Count:0

# 1500 requests, each answered before the next: 1024 may wait
cat >"$work/a.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 100 shmlink~ Count:0 0 0;
#X obj 20 130 print reply;
#X obj 100 20 loadbang;
#X obj 100 40 delay 50;
#X obj 100 60 t b b;
#X msg 140 80 1500;
#X obj 140 110 until;
#X msg 200 110 ping;
#X msg 100 140 \; pd quit;
#X connect 0 0 1 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 1 5 0;
#X connect 4 0 8 0;
#X connect 5 0 6 0;
#X connect 6 0 7 0;
#X connect 7 0 0 0;
END
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/a.pd" </dev/null >"$work/log1" 2>&1
same "requests answered" "$(grep -c '^reply: ping ' "$work/log1")" 1500
same "requests refused" "$(grep -c '^reply: error' "$work/log1")" 0

# twice 700 messages for a plugin that starts: 1024 may wait
cat >"$work/b.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 100 shmlink~ 2 2;
#X obj 20 130 print reply;
#X obj 100 20 loadbang;
#X obj 100 40 t b b;
#X msg 140 60 open builtin:gain;
#X msg 100 80 700;
#X obj 100 110 until;
#X msg 160 110 param_get 0;
#X obj 20 160 route param_state;
#X obj 20 190 t b;
#X obj 20 220 f 0;
#X obj 60 220 + 1;
#X obj 20 250 sel 700;
#X obj 20 280 delay 50;
#X obj 20 310 t b b;
#X msg 60 340 close \, open builtin:gain;
#X connect 0 2 1 0;
#X connect 0 2 8 0;
#X connect 2 0 3 0;
#X connect 3 1 4 0;
#X connect 3 0 5 0;
#X connect 4 0 0 0;
#X connect 5 0 6 0;
#X connect 6 0 7 0;
#X connect 7 0 0 0;
#X connect 8 0 9 0;
#X connect 9 0 10 0;
#X connect 10 0 11 0;
#X connect 11 0 10 1;
#X connect 11 0 12 0;
#X connect 12 0 13 0;
#X connect 13 0 14 0;
#X connect 14 1 15 0;
#X connect 14 0 5 0;
#X connect 15 0 0 0;
END
live_until "$work/b.pd" "$work/log2" 1400 "reply: param_state 0 "
same "kept messages answered" "$(grep -c '^reply: param_state 0 ' "$work/log2")" 1400
same "kept messages refused" "$(grep -c '^reply: error' "$work/log2")" 0

# 40 MiB of news, one MiB after the other: 32 may wait
mirror Mirror:0 48000 news
# The next program when the last has been told of, until so many were.
news_patch() { # file channel count at-once
    cat >"$1" <<END
#N canvas 0 0 450 300 12;
#X obj 20 100 shmlink~ Mirror:0 2 2;
#X obj 20 130 print reply;
#X obj 60 160 route open program;
#X msg 20 190 \; pd dsp 1;
#X obj 100 190 t b;
#X obj 100 220 f 0;
#X obj 140 220 + 1;
#X obj 100 250 moses $3;
#X obj 100 280 mod 128;
#X msg 100 310 midi_program $2 \$1;
#X msg 160 160 $4;
#X obj 160 190 until;
#X connect 0 2 1 0;
#X connect 0 2 2 0;
#X connect 2 0 3 0;
#X connect 2 0 10 0;
#X connect 10 0 11 0;
#X connect 11 0 4 0;
#X connect 2 1 4 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 5 1;
#X connect 5 0 7 0;
#X connect 7 0 8 0;
#X connect 8 0 9 0;
#X connect 9 0 0 0;
END
}
news_patch "$work/c.pd" 1 40 1
live_until "$work/c.pd" "$work/log3" 40 "reply: program "
same "news heard" "$(grep -c '^reply: program ' "$work/log3")" 40
same "news lost" "$(grep -c '^reply: error' "$work/log3")" 0

# and 300 of 4 bytes: 256 may wait
news_patch "$work/d.pd" 2 300 20
live_until "$work/d.pd" "$work/log4" 300 "reply: program "
same "short news heard" "$(grep -c '^reply: program ' "$work/log4")" 300
same "short news lost" "$(grep -c '^reply: error' "$work/log4")" 0
exit "$bad"
