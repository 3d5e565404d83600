#!/bin/sh
# SPDX-License-Identifier: MIT
# A cord of several channels (Pd 0.54 and later) at an inlet: its first channel is
# heard, and one line says so, also under other blocks, where classes that know no
# such cords crash some Pds. Older Pds have none.
. "$here/pd/pd.sh"

cat >"$work/two.pd" <<'END'
#N canvas 0 0 450 300 12;
#N canvas 0 0 450 300 sub 0;
#X obj 10 10 inlet~;
#X obj 10 40 BOX;
#X obj 10 70 outlet~;
#X obj 100 100 block~ BLOCK;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X restore 10 80 pd sub;
#X obj 10 10 sig~ 0.25;
#X obj 80 10 sig~ 0.5;
#X obj 10 40 snake_in~ 2;
#X obj 200 10 loadbang;
#X msg 200 40 \; pd dsp 1;
#X obj 300 10 del 1200;
#X msg 300 40 \; pd quit;
#X obj 10 120 snapshot~;
#X obj 10 150 print level;
#X obj 80 120 metro 50;
#X obj 80 100 loadbang;
#X connect 1 0 3 0;
#X connect 2 0 3 1;
#X connect 3 0 0 0;
#X connect 4 0 5 0;
#X connect 4 0 6 0;
#X connect 6 0 7 0;
#X connect 0 0 8 0;
#X connect 8 0 9 0;
#X connect 11 0 10 0;
#X connect 10 0 8 0;
END
play() { # box block
    sed "s/BOX/$1/; s/BLOCK/$2/" "$work/two.pd" >"$work/now.pd"
    timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/now.pd" </dev/null >"$work/log" 2>&1
}
play "shmlink~ builtin:null 1 1" 64
if grep -q "snake_in~" "$work/log"; then
    same "an older Pd goes on" "$(grep -c '^plan\|consistency' "$work/log")" 0
    exit "$bad"
fi
for block in 64 256 16; do
    play "shmlink~ builtin:null 1 1" $block
    same "block $block ends well" "$?" 0
    same "block $block, the last level" "$(grep '^level' "$work/log" | tail -1)" "level: 0.25"
    same "block $block, one line" "$(grep -c 'has 2 channels' "$work/log")" 1
done
for box in "shmlink~ -device Dev 1 0" "shmlink~ -device Dev 0 1" "shmlink~ -return Dev 1"; do
    for block in 64 256; do
        play "$box" $block
        same "$box, block $block ends well" "$?" 0
    done
done
exit "$bad"
