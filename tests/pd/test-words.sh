#!/bin/sh
# SPDX-License-Identifier: MIT
# One clear sentence for a device whose name is a number, and the plural where
# there are several.
. "$here/pd/pd.sh"

named() { # words of the box
    printf '%s\n' '#N canvas 0 0 450 300 12;' "#X obj 20 20 shmlink~ $1;" \
        '#X obj 20 60 loadbang;' '#X obj 20 90 delay 20;' \
        '#X msg 20 120 \; pd quit;' '#X connect 1 0 2 0;' \
        '#X connect 2 0 3 0;' >"$work/named.pd"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/named.pd" </dev/null 2>&1 |
        sed -n 's/^error: //p'
}

for words in '-device 5 2 0' '-device 5 2 0 -slave' '-slave -device 5' \
    '-tag x -return 5 2'; do
    same "[shmlink~ $words]" "$(named "$words")" "shmlink~ -device: 5 is a \
number, not a name: a device with this name needs its number behind a colon: \
5:0"
done
same "a name after the numbers" "$(named '-device 2 0 Later')" ""
same "no name" "$(named '-slave -device')" \
    "shmlink~ -device: -device and -return need a name after them"

start "$SHMLINK" device -q --id A:0
ready A:0
outlet=2 ask_patch "$work/a.pd" "shmlink~ A:0 0 2" "midi_raw 60" \
    "midi_raw 60 61"
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/a.pd" </dev/null >"$work/log" 2>&1
grep '^error' "$work/log" | sed 's/^error/said/' >"$work/said"
same "one byte, and two" "$(sed 's/.*midi_raw: //' "$work/said")" \
    "1 data byte without a status byte before it: it was not sent
2 data bytes without a status byte before them: they were not sent"
exit "$bad"
