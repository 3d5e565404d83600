#!/bin/sh
# SPDX-License-Identifier: MIT
# [shmreg] `watch` says first what is there, as `scan` does, and then what changes;
# `find` finds a device by its tag whether it is free or not.
# shows DL-12 DL-26
. "$here/pd/pd.sh"

command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
port=$((20000 + $$ % 20000))
cat >"$work/watch.pd" <<END
#N canvas 0 0 450 300 12;
#X obj 20 20 netreceive;
#X msg 200 20 listen $port;
#X obj 200 -10 loadbang;
#X obj 20 60 shmreg;
#X obj 20 100 print reg;
#X obj 320 60 shmreg;
#X obj 320 100 print late;
#X obj 20 40 route to late;
#X connect 2 0 1 0;
#X connect 1 0 0 0;
#X connect 0 0 7 0;
#X connect 7 0 3 0;
#X connect 7 1 5 0;
#X connect 3 0 4 0;
#X connect 5 0 6 0;
END
say() {
    echo "$*;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
}

start "$SHMLINK" device -q --id First --samplerate 48000 --tag one
ready First:0
start "$SHMLINK" host -q --id First:0 --tag one --wait 400
left=8000
while ! "$SHMLINK" list | grep -q "First:0.*busy"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "FAIL never busy"; exit 1; }
    sleep 0.05
done
start_live "$work/watch.pd" "$work/log"
left=200 # until it listens
while [ $left -gt 0 ] && ! grep -q '^reg: count' "$work/log"; do
    say to count
    left=$((left - 1))
    sleep 0.1
done
say to watch 20
until_line "$work/log" "reg: done 1" || bad=1
same "what is there comes first" \
    "$(grep -c '^reg: device First:0 .* busy [0-9]* one' "$work/log")" 1
same "and not as a change" "$(grep -c '^reg: added' "$work/log")" 0
start "$SHMLINK" device -q --id Second --samplerate 48000
until_line "$work/log" "reg: added Second:0" && echo "ok then what comes" || bad=1
same "once" "$(grep -c '^reg: done' "$work/log")" 1
say late watch 20
until_line "$work/log" "late: done 2" && echo "ok a later watch, too" || bad=1
say late find one
until_line "$work/log" "late: done 1" || bad=1
same "a busy device is found by its tag" \
    "$(grep -c '^late: device First:0 .* busy [0-9]* one' "$work/log")" 2
[ "$bad" = 0 ] || cat "$work/log"
exit "$bad"
