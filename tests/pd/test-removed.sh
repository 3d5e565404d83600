#!/bin/sh
# SPDX-License-Identifier: MIT
# What some systems do at logout: all files of the user in shared memory are
# removed while devices run. Each of them (the tool's, a plugin's, a patch) is found
# and heard again under its id, and none is taken for one that is just starting.
# shows DL-22 MP-52
. "$here/pd/pd.sh"

files() { # of the devices here, and their board
    for f_id in Tool:0 Plug:0 Patch:0; do
        "$SHMLINK" list --json 2>/dev/null | tr '{' '\n' |
            sed -n "s/.*\"id\": *\"$f_id\".*\"segment\": *\"\([^\"]*\)\".*/\1/p"
    done
}

heard() { # id
    "$SHMLINK" host --id "$1" --wait 400 --wav "$work/heard.wav" \
        --samplerate 48000 --seconds 0.1 -q </dev/null >"$work/host" 2>&1
    same "$1 is heard" "$?" 0
}

cat >"$work/patch.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 40 osc~ 220;
#X obj 20 80 shmlink~ -device Patch 1 0 -slave;
#X obj 20 120 print reply;
#X obj 200 20 loadbang;
#X msg 200 50 \; pd dsp 1;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 3 0 4 0;
END
start "$SHMLINK" device -q --id Tool --samplerate 48000
start "$own" --register Plug builtin synth 48000 64 0 2
start_live "$work/patch.pd" "$work/log"
for id in Tool:0 Plug:0 Patch:0; do
    ready "$id"
done
segments=$(files)
same "segments that are known" "$(echo "$segments" | grep -c .)" 3
for s in $segments; do
    rm "/dev/shm$s" || exit 1
done
rm "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY" || exit 1
for id in Tool:0 Plug:0 Patch:0; do
    ready "$id"
    left=4000 # until its segment is there, too
    while "$SHMLINK" why "$id" | grep -q "starting\|not there" && [ $left -gt 0 ]; do
        left=$((left - 1))
        sleep 0.05
    done
    same "$id can be had" "$("$SHMLINK" why "$id" | grep -c "is free")" 1
    heard "$id"
done
# What others of this user leave may be cleared, these may not.
"$SHMLINK" clean >/dev/null
for id in Tool:0 Plug:0 Patch:0; do
    same "$id is not taken for dead" \
        "$("$SHMLINK" why "$id" | grep -c "is free")" 1
done
[ "$bad" = 0 ] || { "$SHMLINK" list; cat "$work/host" "$work/log"; }
exit "$bad"
