#!/bin/sh
# SPDX-License-Identifier: MIT
# 64 links in one patch: each box gets the next device and hears its own; the
# 65th is refused by name, and so is a 65th device. shows DL-10 DL-21
. "$here/pd/pd.sh"

many=$root/build/tests/many
[ -x "$many" ] || { echo "make programs builds what this needs"; exit 77; }
mkfifo "$work/input"
timeout -k 2 500 "$many" 64 Many <"$work/input" >"$work/ids" 2>&1 &
started=$!
exec 9>"$work/input"
until_line "$work/ids" ready || exit 1

# patch BOXES: that many boxes; each prints, gets ones, and is added up.
patch() {
    awk -v n="$1" 'BEGIN {
        print "#N canvas 0 0 900 700 12;"
        print "#X obj 10 10 sig~ 1;"
        print "#X obj 10 40 tabwrite~ sum;"
        print "#X obj 200 10 loadbang;"
        print "#X obj 300 10 array define sum 6400;"
        for (k = 0; k < n; k++) {
            print "#X obj 10 " 70 + 30 * k " shmlink~ Many 1 1;"
            print "#X obj 200 " 70 + 30 * k " print box" k ";"
        }
        print "#X connect 2 0 1 0;"
        for (k = 0; k < n; k++) {
            print "#X connect 0 0 " 4 + 2 * k " 0;"
            print "#X connect " 4 + 2 * k " 0 1 0;"
            print "#X connect " 4 + 2 * k " 1 " 5 + 2 * k " 0;"
        }
        at = 4 + 2 * n
        if (n > 64) {
            print "#X obj 400 10 shmlink~ -device Surplus 1 0 -slave;"
            print "#X obj 400 40 print surplus;"
            print "#X connect " at " 0 " at + 1 " 0;"
            exit
        }
        print "#X obj 400 10 loadbang;"
        print "#X obj 400 40 delay 200;"
        print "#X obj 400 70 t b b b b;"
        print "#X obj 400 100 array sum sum;"
        print "#X obj 400 130 t-check sum 13721600 1;"
        print "#X obj 500 100 array min sum;"
        print "#X obj 500 130 t-check least 2144 0.0001;"
        print "#X obj 600 100 array max sum;"
        print "#X obj 600 130 t-check most 2144 0.0001;"
        print "#X obj 700 100 t-plan 3 300;"
        for (k = 0; k < 2; k++)
            print "#X connect " at + k " 0 " at + k + 1 " 0;"
        for (k = 0; k < 3; k++) {
            print "#X connect " at + 2 " " k " " at + 3 + 2 * k " 0;"
            print "#X connect " at + 3 + 2 * k " 0 " at + 4 + 2 * k " 0;"
        }
    }' >"$work/$1.pd"
}

# Every box in turn has the device of its number.
in_order() { # log
    k=0
    while [ $k -lt 64 ]; do
        grep -q "^box$k: link Many:$k 1 1 48000" "$1" || { echo "box $k"; return; }
        k=$((k + 1))
    done
    echo all
}

patch 65
start_live "$work/65.pd" "$work/log"
until_line "$work/log" "box64: open 0 Many" || bad=1
until_line "$work/log" "surplus: open 0" || bad=1
left=8000
while [ "$(in_order "$work/log")" != all ] && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
same "boxes in order" "$(in_order "$work/log")" all
same "the 65th link is refused" \
    "$(grep -c '^box64: open 0 Many busy' "$work/log")" 1
grep -q 'shmlink~ Many:.*claimed' "$work/log" &&
    echo "ok the console says who has them" || bad=1
same "the 65th device is refused" \
    "$(grep -c '^surplus: open 0 Surplus board_full' "$work/log")" 1
grep -q 'Surplus.* 64 ' "$work/log" &&
    echo "ok the console says how many there are" || bad=1
[ "$bad" = 0 ] || grep -v '^box[0-9]*: l' "$work/log" | tail -20
kill "$last"
wait "$last" 2>/dev/null

patch 64
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -path "$here/lib" -open "$work/64.pd" </dev/null \
    >"$work/log" 2>&1
same "boxes in order again" "$(in_order "$work/log")" all
grep '^ok\|^FAIL\|^plan' "$work/log"
grep -q '^plan 3 ran and failed: 3 0' "$work/log" || bad=1
exec 9>&-
exit "$bad"
