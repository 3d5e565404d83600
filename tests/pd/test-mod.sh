#!/bin/sh
# SPDX-License-Identifier: MIT
# Modulation and gestures, both ways between a host and a patch as device; and what
# a device says of a parameter that it has not described is counted.
. "$here/pd/pd.sh"

cat >"$work/mod.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 10 10 shmlink~ -device Mod 2 0;
#X obj 10 40 print device;
#X obj 200 10 shmlink~ Mod 0 2;
#X obj 200 40 print host;
#X obj 10 100 loadbang;
#X msg 10 120 param_add level 0 10 5 \, param_add other 0 1 0;
#X obj 100 120 del 300;
#X msg 100 140 param_mod level 0.25 1 -2 \, param_touch level 1;
#X obj 200 120 del 400;
#X msg 200 140 param_mod level 0.5 \, param_touch other 1 \, param_touch other 0;
#X obj 300 120 del 600;
#X msg 300 140 \; pd quit;
#X msg 300 100 \; pd dsp 1;
#X connect 0 0 1 0;
#X connect 2 2 3 0;
#X connect 4 0 5 0;
#X connect 5 0 0 0;
#X connect 4 0 12 0;
#X connect 4 0 6 0;
#X connect 6 0 7 0;
#X connect 7 0 2 0;
#X connect 4 0 8 0;
#X connect 8 0 9 0;
#X connect 9 0 0 0;
#X connect 4 0 10 0;
#X connect 10 0 11 0;
END
timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/mod.pd" </dev/null >"$work/log" 2>&1
grep '^device: param_[mt]' "$work/log" >"$work/device"
cat >"$work/want" <<'END'
device: param_mod 0 level 0.25
device: param_mod 1 other -2
device: param_touch 0 level 1
END
cmp -s "$work/device" "$work/want" && echo "ok the device hears them" || {
    echo "FAIL the device heard:"; cat "$work/log"; bad=1; }
grep '^host: param_[mt]' "$work/log" >"$work/host"
cat >"$work/want" <<'END'
host: param_mod 0 0.5
host: param_touch 1 1
host: param_touch 1 0
END
cmp -s "$work/host" "$work/want" && echo "ok the host hears them" || {
    echo "FAIL the host heard:"; cat "$work/log"; bad=1; }
exit "$bad"
